"""Parse the stages of a request from the W3C `Server-Timing` header.

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
"""Fields of `Stages` by metric name in the header."""

MAX_STAGE_MS = 1e9
"""Longest plausible stage in ms. A header with a longer or non-numeric duration is ignored."""

_METRIC = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')
"""Text up to a comma outside quotes."""
_PARAMETER = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*"?)+')
"""Text up to a semicolon outside quotes."""
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+\.", re.ASCII)


def parse_server_timing(headers: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the stages reported by a response.

    Args:
        headers: Response headers by case-insensitive name, or None if there is no response.

    Returns:
        Milliseconds by field of `Stages`. Empty unless `total` is present. Missing stages count as
        0. Other metrics are ignored.
    """
    value = headers.get("server-timing") if headers is not None else None
    if not value:
        return {}
    if isinstance(value, list):
        # A proxy may add a second header line.
        value = ", ".join(map(str, value))
    # Called for every request, so the common form has a fast path.
    return _parse_plain(value) or _parse(str(value))


def _parse_plain(value: Any) -> dict[str, float] | None:
    """Return the stages of a header with exactly the four metrics, or None for any other header."""
    stages = {}
    if "_" in str(value) or not str(value).isascii():
        return None  # `float` accepts underscores and digits of other scripts
    try:
        for metric in value.split(", "):
            name, duration = metric.split(";dur=")
            stages[STAGES[name]] = float(duration)
    except (ValueError, LookupError, AttributeError, TypeError):
        return None
    durations = stages.values()
    is_plain = len(stages) == len(STAGES) and min(durations) >= 0 and sum(durations) <= MAX_STAGE_MS
    return stages if is_plain else None


def _parse(text: str) -> dict[str, float]:
    stages: dict[str, float] = {}
    for metric in _METRIC.findall(text):
        name, *parameters = _PARAMETER.findall(metric) or [""]
        stage = STAGES.get(name.strip().lower())
        if stage is None:
            continue
        for parameter in parameters:
            key, _, number = parameter.partition("=")
            if key.strip().lower() == "dur":
                number = number.strip().strip('"')
                if not _NUMBER.fullmatch(number) or not float(number) <= MAX_STAGE_MS:
                    return {}
                stages[stage] = float(number)
                # Of repeated parameters, the first counts.
                break
    return stages if "total_ms" in stages else {}
