"""The cells of a run as rows of numbers, which reports and tables are based on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from loadbench.engine.journal.events import CellFinished, Finding, Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.bottleneck import (
    Bottleneck,
    bottleneck_alone,
    bottleneck_among,
    find_bottleneck,
)
from loadbench.engine.measure.buckets import (
    count,
    has_enough_samples,
    num_failures,
    num_successes,
    percentile,
    successes,
)
from loadbench.engine.measure.client_delay import added_ms
from loadbench.engine.measure.conditions import cpu_cores
from loadbench.engine.measure.main_request import main_of, results_of_name
from loadbench.engine.measure.peers import Peers
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.numbers import latency
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.plan import Cell
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.measurements.statistics import (
    MeasurementStatistics,
    cell_measurements,
)
from loadbench.engine.report.recommendation.goals import (
    GoalCheck,
    Outcome,
    check_goals,
    worst_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Results of one cell. Fields without a value are None."""

    cell: str
    models: int
    level: Level
    repeat: int
    is_recheck: bool
    device: str
    batch_size: int
    load_model: str
    attempt: int
    verdict: str
    """`valid`, `suspect` or `invalid`, or the status of a cell without results."""
    findings: tuple[Finding, ...] = ()
    """Reasons why the results are suspect or invalid."""
    problem: str = ""
    """Reason why a cell without results failed or was skipped."""
    requests: int | None = None
    """Number of requests started in the measurement window: successes + failures."""
    failures: int | None = None
    aborted: int | None = None
    failure_ratio: float | None = None
    """Share of failed requests, 0 to 1."""
    rps: float | None = None
    """Successful requests per second, counting those completed in the measurement window."""
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    measured_s: float | None = None
    queue_ms: float | None = None
    """This field and the next four are means over the successful responses that reported stages."""
    decode_ms: float | None = None
    infer_ms: float | None = None
    api_ms: float | None = None
    network_ms: float | None = None
    client_cpu_cores: float | None = None
    p999_ms: float | None = None
    queue_length: float | None = None
    """Mean number of jobs waiting for a worker, from the service's metrics."""
    workers: int | None = None
    """Lowest number of ready workers, from the service's metrics."""
    few_samples: str = ""
    """The percentiles with fewer than ten samples beyond them, such as `p99 p99.9`."""
    bottleneck: Bottleneck | None = None
    """None if the results do not show a bottleneck."""
    checks: tuple[GoalCheck, ...] = ()
    """One check per goal. Empty without goals, and for cells without usable results."""
    measurements: tuple[MeasurementStatistics, ...] = ()
    """Statistics of measurements, sorted by name."""
    main: str | None = None
    """Name of the main requests, of which requests, rates, latencies and stages are. None: all."""

    added_p50_ms: float | None = None
    """This field and the next four: what the load generator adds to the percentiles."""
    added_p90_ms: float | None = None
    added_p95_ms: float | None = None
    added_p99_ms: float | None = None
    added_p999_ms: float | None = None

    @property
    def meets_goals(self) -> str | None:
        """`yes`, `no` or `undecided`. None if there is nothing to check."""
        if not self.checks:
            return None
        return _MEETS[worst_of(check.outcome for check in self.checks)]

    @property
    def goal_missed(self) -> str:
        """The keys of the missed goals, such as `p95_ms failure_ratio`."""
        missed = (check.goal.key for check in self.checks if check.outcome is Outcome.MISSED)
        return " ".join(missed)

    @property
    def reasons(self) -> str:
        """Reasons why results are suspect, invalid or missing. Empty for a valid cell."""
        return "; ".join(finding.text for finding in self.findings) or self.problem

    def has_enough_samples(self, column: str) -> bool:
        """Return whether the percentile in a column has enough samples beyond it."""
        return PERCENTILE_NAMES.get(column) not in self.few_samples.split()

    def latency_text(self, column: str) -> str:
        """Return the percentile in a column as text, with `~` if it has too few samples."""
        return latency(getattr(self, column), backed=self.has_enough_samples(column))


_NO_PEERS = Peers()
_MEETS = {Outcome.PASSED: "yes", Outcome.MISSED: "no", Outcome.UNDECIDED: "undecided"}

PERCENTILES = {
    "p50_ms": 0.5,
    "p90_ms": 0.9,
    "p95_ms": 0.95,
    "p99_ms": 0.99,
    "p999_ms": 0.999,
    "max_ms": 1.0,
}
PERCENTILE_NAMES = {
    "p50_ms": "p50",
    "p90_ms": "p90",
    "p95_ms": "p95",
    "p99_ms": "p99",
    "p999_ms": "p99.9",
    "max_ms": "max",
}
"""Display names of the percentile columns."""


class RowCache:
    """The rows of one run, computed again only for the cells that have changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[CellState, Row, Bottleneck | None]] = {}
        """For each cell, its row and the bottleneck that it shows without a comparison."""

    def rows(self, state: RunState) -> tuple[Row, ...]:
        """Return one row per cell, in the order of the plan.

        Args:
            state: The current state of the run. Rows of unchanged cells are the same objects as in
                the last call.
        """
        peers, main = _peers(state), main_of(state.profile)
        found = []
        for key, cell in state.cells.items():
            before, row, alone = self._known.get(key, (None, None, None))
            results = _results(cell)
            if row is None or before is not cell:
                alone = bottleneck_alone(cell.cell, results, main) if results else None
                row = _row(state, cell, alone)
            if results and alone is None:
                near = peers.get(cell.cell.models, _NO_PEERS)
                bottleneck = bottleneck_among(cell.cell, results_of_name(results, main), near)
                if bottleneck != row.bottleneck:
                    row = replace(row, bottleneck=bottleneck)
            self._known[key] = cell, row, alone
            found.append(row)
        return tuple(found)


def rows(state: RunState) -> tuple[Row, ...]:
    """Return one row per cell of a run, in the order of the plan."""
    return RowCache().rows(state)


def bottleneck_of(state: RunState, cell_state: CellState) -> Bottleneck | None:
    """Return the bottleneck of a cell by comparison with cells of the same number of models.

    Returns:
        The bottleneck, or None if there are no results or they do not show one.
    """
    results = _results(cell_state)
    if results is None:
        return None
    peers = _peers(state).get(cell_state.cell.models, _NO_PEERS)
    return find_bottleneck(cell_state.cell, results, peers, main_of(state.profile))


def _results(cell_state: CellState) -> CellFinished | None:
    """Return the results of a cell that is not to be measured again, or None."""
    return cell_state.finished if cell_state.status is CellStatus.FINISHED else None


def _peers(state: RunState) -> Mapping[int, Peers]:
    """Return the cells with usable results for the main requests, by number of models."""
    main = main_of(state.profile)
    usable: dict[int, list[tuple[Cell, CellFinished]]] = {}
    for cell in state.cells.values():
        finished = _results(cell)
        if finished and finished.verdict is not Verdict.INVALID:
            results = results_of_name(finished, main)
            usable.setdefault(cell.cell.models, []).append((cell.cell, results))
    return {models: Peers(cells) for models, cells in usable.items()}


def row_of(state: RunState, cell_state: CellState) -> Row:
    """Return the row of one cell of a run."""
    return _row(state, cell_state, bottleneck_of(state, cell_state))


def _row(state: RunState, cell_state: CellState, bottleneck: Bottleneck | None) -> Row:
    profile, cell = state.profile, cell_state.cell
    goals = profile.goals if profile else Goals()
    finished = _results(cell_state)
    return Row(
        cell=cell.key,
        models=cell.models,
        level=cell.level,
        repeat=cell.repeat,
        is_recheck=cell.recheck,
        device=profile.device if profile else "?",
        batch_size=profile.batch_size if profile else 0,
        load_model=profile.load.model if profile else "?",
        attempt=cell_state.attempt,
        verdict=finished.verdict.value if finished else _status(cell_state),
        findings=finished.findings if finished else (),
        problem="" if finished else _problem(cell_state),
        **(_numbers(results_of_name(finished, main_of(profile))) if finished else {}),
        bottleneck=bottleneck,
        checks=_checks(finished, goals, main_of(profile)),
        measurements=cell_measurements(finished) if finished else (),
        main=main_of(profile),
    )


ADDED_COLUMNS = tuple(f"added_{name}" for name in PERCENTILES if name != "max_ms")
"""What the load generator adds to each percentile, in ms."""
LEVEL_COLUMNS = ("users", "spawn_rate")
"""Fields of levels that have a column. The column is empty for levels without the field."""
COLUMNS = (
    *("cell", "models", *LEVEL_COLUMNS, "repeat", "device", "batch_size", "load_model"),
    *("attempt", "verdict", "reasons", "requests", "failures", "aborted", "failure_ratio", "rps"),
    *("p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "measured_s", "queue_ms", "decode_ms"),
    *("infer_ms", "api_ms", "network_ms", "client_cpu_cores", "p999_ms", "queue_length"),
    *("workers", "few_samples", "bound", "meets_goals", "goal_missed", "main"),
    *ADDED_COLUMNS,
)
"""Columns of `summary.csv` in order. Other programs read them, so append new columns."""


def record_of(row: Row) -> dict[str, Any]:
    """Return a row as plain data, keyed by the names in `COLUMNS`. Missing values are None."""
    bound = row.bottleneck.text if row.bottleneck else ""
    columns = {"bound": bound, **{name: row.level.fields.get(name) for name in LEVEL_COLUMNS}}
    return {name: columns[name] if name in columns else getattr(row, name) for name in COLUMNS}


def _checks(finished: CellFinished | None, goals: Goals, main: str | None) -> tuple[GoalCheck, ...]:
    if finished is None or finished.verdict is Verdict.INVALID:
        return ()
    return check_goals(finished, goals, main)


def _numbers(finished: CellFinished) -> dict[str, Any]:
    good, failed = successes(finished.requests), num_failures(finished.requests)
    total = num_successes(finished.requests) + failed
    return {
        "requests": total,
        "failures": failed,
        "aborted": finished.aborted,
        "failure_ratio": round(failed / total, 6) if total else None,
        "rps": round(finished.completed / finished.measured_s, 3),
        **{name: percentile(good, fraction) for name, fraction in PERCENTILES.items()},
        **{
            f"added_{name}": added_ms(finished, fraction)
            for name, fraction in PERCENTILES.items()
            if f"added_{name}" in ADDED_COLUMNS
        },
        "measured_s": finished.measured_s,
        **stage_means(finished.stages),
        "client_cpu_cores": cpu_cores(finished.clients),
        **_metrics(finished),
        "few_samples": " ".join(
            PERCENTILE_NAMES[name]
            for name, fraction in PERCENTILES.items()
            if not has_enough_samples(count(good), fraction)
        ),
    }


def _metrics(finished: CellFinished) -> dict[str, Any]:
    service = finished.circumstances.service if finished.circumstances else None
    if service is None:
        return {}
    return {"queue_length": service.queue_length, "workers": service.fewest_workers}


def _status(cell_state: CellState) -> str:
    # If the run ends during a cell, the cell stays "running" in the journal.
    is_running = cell_state.status is CellStatus.RUNNING
    return CellStatus.PENDING.value if is_running else cell_state.status.value


def _problem(cell_state: CellState) -> str:
    match cell_state.status:
        case CellStatus.FAILED if cell_state.failed:
            return cell_state.failed.reason
        case CellStatus.SKIPPED if cell_state.skipped:
            return cell_state.skipped.reason
        case _:
            return ""
