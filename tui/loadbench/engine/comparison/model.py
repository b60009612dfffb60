"""The result of a comparison of two runs: the baseline (before) and the candidate (after)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from loadbench.engine.profile.levels import Level
from loadbench.engine.run_reader import Run

DEFAULT_MATERIAL = 0.05
"""Smallest relative change that matters, as in criterion's noise threshold and decision tables."""
CONFIDENCE = 0.95


class Change(StrEnum):
    """What a comparison shows about a metric."""

    BETTER = "better"
    WORSE = "worse"
    TOO_SMALL = "too small to matter"
    """A difference is shown, but it is smaller than the material threshold."""
    NOT_SHOWN = "no difference shown"
    NOT_TESTED = "not tested"
    """Too few repeats, so that nothing is known about chance."""


class Area(StrEnum):
    """Kinds of differences between runs, in the order in which they are shown."""

    HARDWARE = "hardware"
    VERSIONS = "versions"
    PROFILE = "profile"
    IMAGES = "images"
    REVISIONS = "Git revisions"
    TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMetric:
    """A metric of cells that are compared."""

    key: str
    """Column of a row: `p90_ms` or `rps`."""
    label: str
    """`p90` or `req/s`."""
    phrase: str
    """In a sentence: `90th percentile`, `throughput`."""
    is_more_better: bool = False


METRICS = (
    ComparedMetric(key="p50_ms", label="p50", phrase="median"),
    ComparedMetric(key="p90_ms", label="p90", phrase="90th percentile"),
    ComparedMetric(key="p95_ms", label="p95", phrase="95th percentile"),
    ComparedMetric(key="p99_ms", label="p99", phrase="99th percentile"),
    ComparedMetric(key="rps", label="req/s", phrase="throughput", is_more_better=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something other than results that differs between two runs."""

    area: Area
    name: str
    """What differs, such as `CPU`, `locust` or `batch_size`."""
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The ratio after / before of a metric, and its confidence interval."""

    ratio: float
    change: Change
    low: float | None = None
    """Ends of the interval of the ratio. None without a test."""
    high: float | None = None
    level: float | None = None
    """Confidence level of the interval, 0 to 1, after Holm's correction over the cells."""
    smallest: float | None = None
    """The smallest relative difference that would probably have been shown, such as 0.08. None
    without a test."""

    @property
    def is_tested(self) -> bool:
        """Whether there are enough repeats for an interval."""
        return self.change is not Change.NOT_TESTED


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """A metric of one cell in both runs."""

    metric: ComparedMetric
    before: float
    """Geometric mean over the repeats."""
    after: float
    num_before: int
    """Number of repeats with a value."""
    num_after: int
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class CellComparison:
    """A cell of the grid that both runs have measured, over its repeats."""

    cell: str
    """Key of the first repeat, such as `m2_u50_s10`."""
    models: int
    level: Level
    metrics: tuple[MetricComparison, ...]
    """In the order of `METRICS`, without those that a run has no value of."""
    failures_before: float
    """Median of the failure ratio over the repeats, 0 to 1."""
    failures_after: float
    have_failures_risen: bool
    """Whether failures rose by more than is tolerable in at least half of the repeats."""
    doubts: tuple[str, ...] = ()
    """Such as suspect results or repeats without results, as clauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanChange:
    """The geometric mean of the ratios of a metric over all compared cells."""

    metric: ComparedMetric
    num_cells: int
    estimate: Estimate
    spread: float | None = None
    """Pooled standard deviation of the logarithms of repeats. None without repeats."""
    degrees_of_freedom: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedCell:
    """A cell that cannot be compared."""

    cell: str
    reason: str
    """As a clause, such as `not measured in the baseline`, `failed in the candidate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Results that most repeats of the baseline have, and at most half of the candidate's."""

    cell: str
    """Key of the first repeat. The candidate planned this cell."""
    reason: str
    """As a clause, such as `failed in the candidate`."""
    metric: ComparedMetric | None = None
    """The missing metric. None if there are no usable results at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A run that is compared."""

    name: str
    """Shortest name that distinguishes it from the other side."""
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The comparison of a candidate with a baseline."""

    before: Side
    after: Side
    is_same_run: bool
    material: float
    """Smallest relative change that matters, such as 0.05."""
    differences: tuple[Difference, ...]
    means: tuple[MeanChange, ...]
    """In the order of `METRICS`. Empty if no cell could be compared."""
    cells: tuple[CellComparison, ...]
    unmatched: tuple[UnmatchedCell, ...]
    losses: tuple[Loss, ...]
    doubts: tuple[str, ...]
    """Reasons why the comparison may not hold, as sentences without a full stop."""
    not_comparable: tuple[str, ...]
    """Reasons why a gate must not decide, as clauses. Empty if it may. A missing metric is not
    among them: it depends on the metrics that the gate checks."""

    @property
    def is_tested(self) -> bool:
        """Whether repeats allow a test of the mean of at least one metric."""
        return any(mean.estimate.is_tested for mean in self.means)

    @property
    def has_tested_cells(self) -> bool:
        """Whether repeats allow a test of at least one metric of one cell."""
        return any(one.estimate.is_tested for cell in self.cells for one in cell.metrics)

    def metric_of(self, key: str) -> Sequence[tuple[CellComparison, MetricComparison]]:
        """Return the cells with their values of a metric."""
        return [(cell, one) for cell in self.cells for one in cell.metrics if one.metric.key == key]
