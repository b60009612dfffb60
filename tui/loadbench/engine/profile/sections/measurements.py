"""Which events are measurements instead of requests."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    # Locust's process does not load the sections.
    from loadbench.engine.profile.sections.goals import Goals
    from loadbench.engine.profile.sections.load import LoadSection

MEASUREMENT_TYPES = ("METRIC", "TTFT")
"""Request types whose events are always measurements, as in public locustfiles."""
_CACHED_NAMES = 1_000


class MeasurementNames:
    """Decides which events are measurements.

    Args:
        patterns: Types, names, or types and names of events, in which `*` stands for any text.
            Events of `MEASUREMENT_TYPES` always are, in upper or lower case.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        texts = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
        self._pattern = re.compile("|".join(texts), re.DOTALL) if texts else None
        self.matches = lru_cache(maxsize=_CACHED_NAMES)(self._matches)

    def _matches(self, name: tuple[str, str]) -> bool:
        """Return whether events with a type and a name are measurements."""
        kind, own = name
        if kind.upper() in MEASUREMENT_TYPES:
            return True
        texts = (kind, own, f"{kind} {own}")
        pattern = self._pattern
        return pattern is not None and any(pattern.fullmatch(text) for text in texts)


def measurement_warnings(load: LoadSection, goals: Goals) -> Iterator[str]:
    """Yield warnings about names of requests that no request can have."""
    measurements = MeasurementNames(load.measurements)
    if load.main and measurements.matches(_parts(load.main)):
        yield f"load.main: {load.main} is a measurement (load.measurements), so no request counts"
    for name in goals.requests:
        if measurements.matches(_parts(name)):
            yield (
                f"goals.requests: {name} is a measurement (load.measurements), so it has no "
                "requests. Write its goals below goals.measurements"
            )


def _parts(key: str) -> tuple[str, str]:
    """Return type and name of events that a key means, such as `TTFT chat` or `chat`."""
    kind, _, own = key.partition(" ")
    return (kind, own) if own else ("", key)
