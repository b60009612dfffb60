"""Counts of requests: histograms of their latency by name, sums of their stages, what failed."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_ERRORS = 20
"""Kinds of failure that are told apart; the rest is counted together."""


@dataclass(slots=True)
class Tally:
    """Counts of requests by name, as histograms, and the sums of their stages."""

    requests: defaultdict[tuple[str, str], tuple[Counter[float], Counter[float]]] = field(
        default_factory=lambda: defaultdict(lambda: (Counter(), Counter()))
    )
    stages: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    staged: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def succeed(
        self, name: tuple[str, str], bucket: float, latency_ms: float, stages: Mapping[str, float]
    ) -> None:
        """Count a success, in the bucket of its latency."""
        histogram = self.requests[name][0]
        histogram[bucket] = histogram.get(bucket, 0) + 1
        if stages:
            self.staged += 1
            sums = self.stages
            sums["latency_ms"] += latency_ms
            for stage, duration_ms in stages.items():
                sums[stage] += duration_ms

    def fail(self, name: tuple[str, str], bucket: float, error: str) -> None:
        """Count a failure, in the bucket of its latency."""
        self.requests[name][1][bucket] += 1
        new = error not in self.errors and len(self.errors) >= MAX_ERRORS
        self.errors["other failures" if new else error] += 1

    def as_json(self) -> dict[str, Any]:
        """Return the counts in the form that journals hold."""
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
