"""Metrics and goals of cells as short text for grids, tables and borders."""

from collections.abc import Collection, Iterator, Sequence

from loadbench.engine.journal.events import Sample, Verdict
from loadbench.engine.measure.bottleneck import Bottleneck, BottleneckKind
from loadbench.engine.measure.buckets import num_failures, num_successes, percentile, successes
from loadbench.engine.measure.main_request import of_name
from loadbench.engine.numbers import number
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.measurements.metric import MeasurementMetric, metric_of
from loadbench.engine.report.metrics import (
    AnyMetric,
    GoalState,
    Metric,
    goal_of,
    goal_state,
)
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.rows import PERCENTILES, Row
from loadbench.ui.lines.glyphs import Glyphs, in_ascii
from loadbench.ui.lines.text import Tone, fit_middle

GOAL_TONES = {
    GoalState.PASSED: Tone.GOOD,
    GoalState.NEAR: Tone.NEAR,
    GoalState.UNDECIDED: Tone.DIM,
    GoalState.MISSED: Tone.BAD,
}
_LISTED = (GoalState.PASSED, GoalState.NEAR, GoalState.MISSED, GoalState.UNDECIDED)
"""The order of the states in a legend."""
_MARK_NAMES = {Verdict.SUSPECT: ("!", "suspect"), Verdict.INVALID: ("!!", "invalid")}

MAX_COLUMNS = 5
"""Maximum width of a number."""
_WORDS = {
    BottleneckKind.CLIENT: ("client", "client"),
    BottleneckKind.CPU_LIMIT: ("limit", "CPU limit"),
    BottleneckKind.SLOW_WORKER: ("slow", "slow worker"),
    BottleneckKind.QUEUE: ("queue", "queue"),
    BottleneckKind.WAIT_BEFORE_MODEL: ("wait", "wait in queue"),
    BottleneckKind.MODEL: ("model", "model"),
    BottleneckKind.API: ("api", "API"),
    BottleneckKind.CONSTANT_WAIT_IN_API: ("wait", "wait in API"),
    BottleneckKind.NETWORK: ("net", "network"),
    BottleneckKind.CONSTANT_WAIT: ("wait", "constant wait"),
    BottleneckKind.SERVICE: ("server", "service"),
}
"""A word of at most six columns, and a clearer one, by kind of bottleneck."""


def goal_sign(state: GoalState, glyphs: Glyphs) -> str:
    """Return the sign of a goal state, one column wide."""
    return {
        GoalState.PASSED: glyphs.passed,
        GoalState.NEAR: glyphs.near,
        GoalState.UNDECIDED: glyphs.undecided,
        GoalState.MISSED: glyphs.missed,
    }[state]


def metric_text(row: Row, metric: AnyMetric) -> str:
    """Return the value of a metric in at most five columns, or six for a bottleneck."""
    match metric:
        case MeasurementMetric():
            found = metric.of(row.measurements)
            return _measured(found.value if found else None, metric)
        case Metric.BOTTLENECK:
            return bottleneck_word(row.bottleneck)
        case Metric.FAILURES:
            return _percent(row.failure_ratio)
        case Metric.RPS:
            return _rate(row.rps)
    return _latency(getattr(row, metric.column))


def live_text(sample: Sample, metric: AnyMetric, main: str | None = None) -> str:
    """Return the value of a metric in one second of a cell in at most five columns.

    The text is empty if there is no value.

    Args:
        sample: The second.
        metric: The metric.
        main: Name of the main requests; see `of_name`. None: all requests.
    """
    requests = of_name(sample.requests, main)
    succeeded = num_successes(requests)
    match metric:
        case MeasurementMetric():
            value = metric_of(sample.measurements, metric)
            return "" if value is None else _measured(value, metric, MAX_COLUMNS - 1)
        case Metric.BOTTLENECK:
            return ""
        case Metric.FAILURES:
            failed = num_failures(requests)
            total = failed + succeeded
            return _percent(failed / total) if total else ""
        case Metric.RPS:
            return _rate(succeeded, MAX_COLUMNS - 1)
    newest = percentile(successes(requests), PERCENTILES[metric.column])
    return "" if newest is None else _latency(newest, MAX_COLUMNS - 1)


def bottleneck_word(bottleneck: Bottleneck | None, *, is_long: bool = False) -> str:
    """Return a word for a bottleneck, or `-` for None."""
    return _WORDS[bottleneck.kind][is_long] if bottleneck else "-"


def sweep_legend(
    metric: AnyMetric, goals: Goals, rows: Sequence[Row], glyphs: Glyphs, columns: int
) -> str:
    """Return the metric of the sweep with its goal and unit, and the meaning of the signs.

    The signs that occur in no cell are omitted first.

    Args:
        metric: The metric.
        goals: The goals of the profile.
        rows: The cells.
        glyphs: The terminal's character set.
        columns: Maximum width.
    """
    goal = goal_of(goals, metric)
    unit = metric.unit if isinstance(metric, MeasurementMetric) else ""
    head = goal.text(unit) if goal else metric.label
    return next(
        (
            text
            for text in _legends(head, goals, rows, glyphs)
            if len(in_ascii(text) if glyphs.ascii else text) <= columns
        ),
        fit_middle(metric.label, columns),
    )


def _legends(head: str, goals: Goals, rows: Sequence[Row], glyphs: Glyphs) -> Iterator[str]:
    """Yield the legend of a sweep in several lengths, the longest first."""
    if not all_goals(goals):
        yield " · ".join((head, *map(" ".join, _MARK_NAMES.values())))
        return
    states = {state for row in rows if (state := goal_state(row))}
    found = [_MARK_NAMES[verdict] for verdict in _MARK_NAMES if _has(rows, verdict)]
    for signs, marks in (
        (_signs(_LISTED, glyphs), _MARK_NAMES.values()),
        (_signs(states, glyphs), found),
    ):
        parts = (" ".join(map(" ".join, signs)), *map(" ".join, marks))
        yield " · ".join((head, *filter(None, parts)))
    compact = list(map("".join, _signs(states, glyphs, undecided="few")))
    yield " ".join((head, *compact, *map("".join, found)))
    yield " ".join((head, *compact))
    yield head


def _signs(
    states: Collection[GoalState], glyphs: Glyphs, *, undecided: str = "undecided"
) -> list[tuple[str, str]]:
    """Return the sign and the name of each state."""
    names = {state: state.value for state in GoalState} | {GoalState.UNDECIDED: undecided}
    return [(goal_sign(state, glyphs), names[state]) for state in _LISTED if state in states]


def _has(rows: Sequence[Row], verdict: Verdict) -> bool:
    return any(row.verdict == verdict.value for row in rows)


_MIN_DECIMAL = 0.01
_MAX_LATENCY_MS = 5.9e7
"""Latency in ms up to which minutes fit into five columns."""


def _latency(milliseconds: float | None, columns: int = MAX_COLUMNS) -> str:
    """Return a latency in ms. If that does not fit the columns, use seconds or minutes."""
    content = number(milliseconds)
    for unit_ms, unit in ((1_000, "s"), (60_000, "m")):
        if milliseconds is not None and milliseconds >= unit_ms and len(content) > columns:
            content = f"{milliseconds / unit_ms:.0f}{unit}"
    return content[:columns]


def _rate(rps: float | None, columns: int = MAX_COLUMNS) -> str:
    """Return a rate. If that does not fit the columns, use thousands or millions."""
    content = number(rps)
    for unit, sign in ((1_000, "k"), (1_000_000, "M")):
        if rps is not None and rps >= unit and len(content) > columns:
            content = f"{rps / unit:.0f}{sign}"
    return content[:columns]


def _measured(value: float | None, metric: MeasurementMetric, columns: int = MAX_COLUMNS) -> str:
    """Return a value of a measurement in its unit. Long ones have an exponent."""
    is_short = value is None or 0.001 <= abs(value) < _MAX_LATENCY_MS or not value
    if is_short and metric.unit == "ms":
        return _latency(value, columns)
    content = number(value)
    for unit, sign in ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")):
        if value is not None and abs(value) >= unit and len(content) > columns:
            content = f"{value / unit:.0f}{sign}"
    if value is not None and len(content) > columns and abs(value) >= _MIN_DECIMAL:
        content = f"{value:.2g}"
    if value is not None and len(content) > columns:
        content = f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return content


def _percent(ratio: float | None) -> str:
    """Return a ratio as a percentage, such as `1.2%`. Ratios below 0.1 % are not distinguished."""
    if ratio is None:
        return "-"
    percent = 100 * ratio
    return "<0.1%" if 0 < percent < 0.1 else f"{number(percent, 2)}%"
