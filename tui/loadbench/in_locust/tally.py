"""Request counts: latency histograms by name, sums of stages, errors by message."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_ERRORS = 20
"""Maximum number of distinct error messages. Further messages are counted together."""
MAX_NAMES = 500
"""Maximum number of distinct names. Requests with further names are counted together."""
_OTHER_NAMES = ("", "other requests")

Histograms = tuple[Counter[float], Counter[float]]
"""Latencies of the successes and of the failures."""


@dataclass(slots=True)
class Tally:
    """Counts of the requests of one second or of the measurement window."""

    requests: dict[tuple[str, str], Histograms] = field(default_factory=dict)
    stages: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    staged: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def succeed(
        self, name: tuple[str, str], bucket: float, latency_ms: float, stages: Mapping[str, float]
    ) -> None:
        """Count a successful request, in the bucket of its latency."""
        histogram = (self.requests.get(name) or self._added(name))[0]
        histogram[bucket] = histogram.get(bucket, 0) + 1
        if stages:
            self.staged += 1
            sums = self.stages
            sums["latency_ms"] += latency_ms
            for stage, duration_ms in stages.items():
                sums[stage] += duration_ms

    def fail(self, name: tuple[str, str], bucket: float, error: str) -> None:
        """Count a failed request, in the bucket of its latency."""
        (self.requests.get(name) or self._added(name))[1][bucket] += 1
        is_overflow = error not in self.errors and len(self.errors) >= MAX_ERRORS
        self.errors["other failures" if is_overflow else error] += 1

    def _added(self, name: tuple[str, str]) -> Histograms:
        """Return the histograms of a new name, or those of all other names at the limit."""
        key = name if len(self.requests) < MAX_NAMES else _OTHER_NAMES
        return self.requests.setdefault(key, (Counter(), Counter()))

    def as_json(self) -> dict[str, Any]:
        """Return the counts in the format of the journal."""
        return {
            "requests": [
                {
                    "method": method,
                    "name": name,
                    "successes": sorted(successes.items()),
                    "failures": sorted(failures.items()),
                }
                for (method, name), (successes, failures) in self.requests.items()
            ],
            "stages": {
                "count": self.staged,
                **{key: round(value, 3) for key, value in self.stages.items()},
            },
            "errors": [{"error": e, "count": n} for e, n in self.errors.most_common()],
        }
