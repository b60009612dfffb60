"""Decide whether there are enough samples for the percentiles that a profile asks for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import Count
from loadbench.engine.journal.request_names import is_named
from loadbench.engine.measure.buckets import min_samples
from loadbench.engine.measure.limits import REQUIRED_PERCENTILE
from loadbench.engine.profile.sections.goals import Goals

_MIN_PATIENCE = 600
_PATIENCE_FACTOR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NameSamples:
    """Number of samples of requests with the same method and name, or of a measurement."""

    kind: str
    """HTTP method, or type of the events."""
    name: str
    samples: Count
    """Number of latencies of successes, or of values."""
    others: Count = 0
    """Number of failures and of other events without a sample."""
    is_measurement: bool = False

    def is_of(self, name: str | None) -> bool:
        """Return whether a key of the profile means this name. None means all of them."""
        return is_named(self.kind, self.name, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleNeed:
    """The percentile of a name that needs the most samples."""

    name: str | None
    """Name of requests or of a measurement. None: all requests together."""
    percentile: str
    """Its name, such as `p95`."""
    samples: int
    """Minimum number of samples."""
    is_measurement: bool = False

    @property
    def subject(self) -> str:
        """What is counted, for display."""
        if self.is_measurement:
            return f"values of {self.name}"
        return f"{self.name} requests" if self.name else "requests"


@dataclass(frozen=True, slots=True)
class MissingSamples:
    """A percentile without enough samples."""

    need: SampleNeed
    samples: int

    def __str__(self) -> str:
        """Return what is still missing: `140 of 200 requests for p95`."""
        need = self.need
        return f"{self.samples} of {need.samples} {need.subject} for {need.percentile}"


def sample_needs(goals: Goals, main: str | None) -> tuple[SampleNeed, ...]:
    """Return how many samples the percentiles of a profile need, one entry per name.

    These are p95 and the percentiles with a goal of the main request, and the percentiles with a
    goal of all other names. Other goals need no percentile.

    Args:
        goals: The goals of the profile.
        main: Name of the main request. None: all requests together.
    """
    required = f"p{100 * REQUIRED_PERCENTILE:g}"
    of_main = [key.removesuffix("_ms") for key, limit in goals if limit and key.endswith("_ms")]
    needs = [_highest(main, [required, *of_main])]
    needs += _by_name(goals.requests)
    needs += _by_name(goals.measurements, is_measurement=True)
    return tuple(needs)


def missing_samples(
    needs: Iterable[SampleNeed], counted: Sequence[NameSamples], *, is_long: bool
) -> tuple[MissingSamples, ...]:
    """Return the percentiles without enough samples, the one with the smallest share first.

    A percentile is left out if waiting for it is pointless: as many events of its name as it needs
    samples had none, such as failures, or very many requests were all of other names although the
    window is long enough for a slow one.

    Args:
        needs: The needed samples, from `sample_needs`.
        counted: Samples of requests and of measurements, by name.
        is_long: Whether the window is longer than any request takes.
    """
    missing = []
    requests = sum(one.samples + one.others for one in counted if not one.is_measurement)
    for need in needs:
        of_need = [
            one
            for one in counted
            if one.is_measurement is need.is_measurement and one.is_of(need.name)
        ]
        samples, others = (
            sum(one.samples for one in of_need),
            sum(one.others for one in of_need),
        )
        is_absent = is_long and requests >= _patience(need)
        is_pointless = others >= need.samples if of_need else is_absent
        if samples < need.samples and not is_pointless:
            missing.append(MissingSamples(need, samples))
    return tuple(sorted(missing, key=lambda one: one.samples / one.need.samples))


def _patience(need: SampleNeed) -> int:
    """Return the number of requests of other names after which a name will hardly occur.

    A name with a share of 1 % would be missing among them with a probability of at most 0.25 %.
    """
    return max(_MIN_PATIENCE, _PATIENCE_FACTOR * need.samples)


def _by_name(
    goals: Mapping[str, Mapping[str, float]], *, is_measurement: bool = False
) -> Iterator[SampleNeed]:
    for name, limits in goals.items():
        if percentiles := [key for key in limits if _fraction(key) is not None]:
            yield _highest(name, percentiles, is_measurement=is_measurement)


def _highest(name: str | None, keys: Iterable[str], *, is_measurement: bool = False) -> SampleNeed:
    """Return the need of the percentile with the most samples, given keys such as `min_p5`."""
    samples, key = max((min_samples(_fraction(key) or 0.0), key) for key in keys)
    return SampleNeed(
        name=name,
        percentile=key.removeprefix("min_"),
        samples=samples,
        is_measurement=is_measurement,
    )


def _fraction(key: str) -> float | None:
    """Return the fraction of the samples before a percentile, on its longer side.

    None if the key is no percentile.
    """
    number = key.removeprefix("min_").removeprefix("p")
    if not number.isdigit():
        return None
    return max(int(number), 100 - int(number)) / 100
