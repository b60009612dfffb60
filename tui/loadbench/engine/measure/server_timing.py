"""The W3C `Server-Timing` header, as far as it tells the stages of a request.

https://www.w3.org/TR/server-timing/
"""

import re
from collections.abc import Mapping
from typing import Any

STAGES = {
    "total": "total_ms",
    "queue": "queue_ms",
    "decode": "decode_ms",
    "infer": "infer_ms",
}
"""Metric names of the header, and the fields of `Stages` that they are summed in."""

MAX_STAGE_MS = 1e9
"""More than any request takes; what claims more, or is no number at all, is not believed."""

_METRIC = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')
"""Up to a comma; one within quotes separates nothing."""


def parse_server_timing(headers: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the stages that a response tells of.

    Args:
        headers: The response's headers, by case-insensitive name; None: there was no response.

    Returns:
        Milliseconds by field of `Stages`; empty unless at least `total` is told. Stages that are
        not told count as 0; whatever else the header holds is skipped.
    """
    value = headers.get("server-timing") if headers is not None else None
    if not value:
        return {}
    if isinstance(value, list):
        # A proxy has added a line of its own.
        value = ", ".join(map(str, value))
    # Once for every request: what is written plainly is not read the long way.
    return _parse_plain(value) or _parse(str(value))


def _parse_plain(value: Any) -> dict[str, float] | None:
    """Return the four stages of a header that holds nothing else; None: it holds something else."""
    stages = {}
    try:
        for metric in value.split(", "):
            name, duration = metric.split(";dur=")
            stages[STAGES[name]] = float(duration)
    except (ValueError, LookupError, AttributeError):
        return None
    durations = stages.values()
    plain = len(stages) == len(STAGES) and min(durations) >= 0 and sum(durations) <= MAX_STAGE_MS
    return stages if plain else None


def _parse(text: str) -> dict[str, float]:
    stages: dict[str, float] = {}
    for metric in _METRIC.findall(text):
        name, *parameters = metric.split(";")
        stage = STAGES.get(name.strip().lower())
        if stage is None:
            continue
        for parameter in parameters:
            key, _, number = parameter.partition("=")
            if key.strip().lower() == "dur":
                try:
                    stages[stage] = float(number.strip().strip('"'))
                except ValueError:
                    return {}
                if not 0 <= stages[stage] <= MAX_STAGE_MS:
                    return {}
    return stages if "total_ms" in stages else {}
