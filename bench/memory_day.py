"""Simulate a cell that lasts a day: seeded load, containers and metrics, without waiting."""

import math
import random
from collections import Counter

from loadbench.engine.drivers.metrics import MetricsPoller
from loadbench.engine.journal.events import (
    ClientUse,
    Container,
    ErrorCount,
    Requests,
    ServiceMetrics,
    Stages,
    Worker,
)
from loadbench.engine.load.protocol import LoadSecond, LoadState
from loadbench.engine.measure.buckets import bucket_ms, to_buckets
from tests.support.fakes import FakeLoad

REQUESTS_PER_S = 50
"""Slightly more than the 46 req/s of the fastest cell in tests/journals/demo.jsonl (two cores)."""
MEDIAN_MS = 48.4
"""Median latency of the cell m2_u2_s8 of that run."""
SIGMA = 0.5
"""Standard deviation of the log latency. That run has 0.03 to 0.19; a larger value fills
more buckets."""
FAILURE_RATIO = 0.01
"""Just below the limit for a valid cell, so that failures are recorded too."""
MEMORY_BYTES = 300_000_000
"""Minimum memory of a model container, about that of one with EfficientNet-Lite0."""
CORES = 8
ERRORS = ("HTTP 503", "timed out after 30 s")


class DayLoad(FakeLoad):
    """A load whose clock advances by one second with every poll.

    Args:
        seed: Seed of the random values.
        seconds: Length of the measurement window.
    """

    def __init__(self, seed: int, seconds: int) -> None:
        super().__init__([], window=seconds)
        self._draw = random.Random(seed)
        self.successes = self.failures = self.seconds = 0

    def note(self, call: str) -> None:
        """Discard the call, because a list of calls would also grow."""

    def state(self, since: int) -> LoadState:
        """Return the next second."""
        self.second += 1
        if self.left:
            self.left -= 1
        return LoadState(
            cell=self.tag,
            spawned=self.second > 1,
            remaining_s=self.left,
            seconds=tuple(self._make(number) for number in range(since, self.second)),
        )

    def _make(self, second: int) -> LoadSecond:
        latencies: tuple[Counter[float], Counter[float]] = (Counter(), Counter())
        errors: Counter[str] = Counter()
        for _ in range(REQUESTS_PER_S):
            is_failure = self._draw.random() < FAILURE_RATIO
            latency_ms = self._draw.lognormvariate(math.log(MEDIAN_MS), SIGMA)
            latencies[is_failure][bucket_ms(latency_ms)] += 1
            if is_failure:
                errors[self._draw.choice(ERRORS)] += 1
        good, bad = (sum(counts.values()) for counts in latencies)
        self.successes, self.failures = self.successes + good, self.failures + bad
        self.seconds += 1
        successes, failures = map(to_buckets, latencies)
        return LoadSecond(
            second=second,
            users=self._draw.randint(1, 2),
            requests=(
                Requests(method="POST", name="/predict", successes=successes, failures=failures),
            ),
            stages=Stages(
                count=good,
                latency_ms=round(MEDIAN_MS * good * self._draw.random(), 3),
                total_ms=round(MEDIAN_MS * good * self._draw.random(), 3),
                queue_ms=round(MEDIAN_MS * good * self._draw.random(), 3),
                decode_ms=round(MEDIAN_MS * good * self._draw.random(), 3),
                infer_ms=round(MEDIAN_MS * good * self._draw.random(), 3),
            ),
            clients=(ClientUse(cpu_cores=round(self._draw.random(), 3), lag_ms=0.3),),
            errors=tuple(ErrorCount(error=error, count=n) for error, n in errors.items()),
        )


class DayContainers:
    """Containers whose figures change with every poll.

    Args:
        seed: Seed of the random values.
        number: Number of containers.
    """

    def __init__(self, seed: int, number: int) -> None:
        self._draw = random.Random(seed)
        self._number = number

    def __call__(self) -> tuple[Container, ...]:
        """Return the current state of all containers."""
        return tuple(
            Container(
                name=f"model-{number}",
                service="model",
                state="running",
                health="healthy",
                image="sha256:0123456789ab",
                cpu_cores=round(self._draw.random(), 3),
                memory_bytes=self._draw.randint(MEMORY_BYTES, 2 * MEMORY_BYTES),
                throttled=round(self._draw.random() / 100, 3),
            )
            for number in range(1, self._number + 1)
        )


class DayMetrics(MetricsPoller):
    """Simulated metrics of a service with one worker in each container.

    Args:
        seed: Seed of the random values.
        number: Number of workers.
    """

    def __init__(self, seed: int, number: int) -> None:
        super().__init__()
        self._draw = random.Random(seed)
        self._images = {f"model-{index}": 0 for index in range(1, number + 1)}

    def follow(self, host: str) -> None:
        """Ignore the host: there is no service."""

    def newest(self) -> ServiceMetrics:
        """Return counters that have increased since the last call."""
        for name in self._images:
            self._images[name] += self._draw.randint(0, 2 * REQUESTS_PER_S // len(self._images))
        return ServiceMetrics(
            queue_length=float(self._draw.randint(0, 9)),
            workers=len(self._images),
            totals=tuple(
                Worker(id=name, images=images, infer_s=round(images * 0.02, 3))
                for name, images in self._images.items()
            ),
        )
