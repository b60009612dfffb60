"""Names in a profile whose events are measurements instead of requests."""

import re
from collections.abc import Iterable, Iterator

from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.profile.sections.load import MEASUREMENT_TYPES, LoadSection


def measurement_warnings(load: LoadSection, goals: Goals) -> Iterator[str]:
    """Yield warnings about names of requests that no request can have."""
    if load.main and _is_measurement(load.main, load.measurements):
        yield f"load.main: {load.main} is a measurement (load.measurements), so no request counts"
    for name in goals.requests:
        if _is_measurement(name, load.measurements):
            yield (
                f"goals.requests: {name} is a measurement (load.measurements), so it has no "
                "requests. Write its goals below goals.measurements"
            )


def _is_measurement(name: str, patterns: Iterable[str]) -> bool:
    """Return whether events are measurements.

    Args:
        name: Their type and name, such as `TTFT chat`, or their name.
        patterns: Types, names, or types and names, in which `*` stands for any text.
    """
    kind, _, own = name.partition(" ")
    if own and kind.upper() in MEASUREMENT_TYPES:
        return True
    texts = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
    parts = (name, kind, own) if own else (name,)
    return any(re.fullmatch(text, part, re.DOTALL) for text in texts for part in parts)
