"""A run's cells as rows of numbers: what every report and every table shows. Pure."""

from dataclasses import dataclass
from typing import Any

from loadbench.engine.journal.events import CellFinished, Finding, Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.bottleneck import Bottleneck, find_bottleneck
from loadbench.engine.measure.buckets import count, enough, failures, percentile, successes
from loadbench.engine.measure.conditions import cpu_cores
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.profile.levels import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell. None: there is no such number."""

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
    """valid, suspect or invalid; for a cell without numbers its status."""
    findings: tuple[Finding, ...] = ()
    """Why its numbers are not valid."""
    problem: str = ""
    """Why it has no numbers: what failed, or who skipped it."""
    requests: int | None = None
    """Started in the measured window and ended: successes + failures."""
    failures: int | None = None
    aborted: int | None = None
    failure_ratio: float | None = None
    """0 to 1."""
    rps: float | None = None
    """Successes that were completed in the window, a second."""
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    measured_s: float | None = None
    queue_ms: float | None = None
    """This and the next four: means over the successes whose answers told their stages."""
    decode_ms: float | None = None
    infer_ms: float | None = None
    api_ms: float | None = None
    network_ms: float | None = None
    client_cpu_cores: float | None = None
    p999_ms: float | None = None
    queue_length: float | None = None
    """Jobs that no worker had taken, on average, as the service's metrics told."""
    workers: int | None = None
    """The fewest that were ready, as they told."""
    few_samples: str = ""
    """The percentiles that fewer than ten latencies lie beyond, such as `p99 p99.9`."""
    bottleneck: Bottleneck | None = None
    """None: nothing shows what bounds the cell."""

    @property
    def reasons(self) -> str:
        """Why the numbers are not valid, or why there are none; empty: neither."""
        return "; ".join(it.text for it in self.findings) or self.problem

    def has_enough_samples(self, column: str) -> bool:
        """Return whether enough latencies are behind the percentile of a column."""
        return PERCENTILE_NAMES.get(column) not in self.few_samples.split()


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
"""What people call them."""


def rows(state: RunState) -> tuple[Row, ...]:
    """Return a row for every cell of a run, in the order of the plan."""
    return tuple(row_of(state, cell) for cell in state.cells.values())


def bottleneck_of(state: RunState, cell_state: CellState) -> Bottleneck | None:
    """Return what bounds a cell, beside those of as many models; None: nothing shows it."""
    cell = cell_state.cell
    finished = cell_state.finished if cell_state.status is CellStatus.FINISHED else None
    if finished is None:
        return None
    peers = [
        (it.cell, it.finished)
        for it in state.cells.values()
        if it.finished
        and it.status is CellStatus.FINISHED
        and it.finished.verdict is not Verdict.INVALID
        and it.cell.models == cell.models
    ]
    return find_bottleneck(cell, finished, peers)


def row_of(state: RunState, cell_state: CellState) -> Row:
    """Return the row of one cell of a run."""
    profile, cell = state.profile, cell_state.cell
    finished = cell_state.finished if cell_state.status is CellStatus.FINISHED else None
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
        verdict=finished.verdict.value if finished else _standing(cell_state),
        findings=finished.findings if finished else (),
        problem="" if finished else _problem(cell_state),
        **(_numbers(finished) if finished else {}),
        bottleneck=bottleneck_of(state, cell_state),
    )


LEVEL_COLUMNS = ("users", "spawn_rate")
"""Fields of levels that have a column; other levels leave these empty."""
COLUMNS = (
    *("cell", "models", *LEVEL_COLUMNS, "repeat", "device", "batch_size", "load_model"),
    *("attempt", "verdict", "reasons", "requests", "failures", "aborted", "failure_ratio", "rps"),
    *("p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "measured_s", "queue_ms", "decode_ms"),
    *("infer_ms", "api_ms", "network_ms", "client_cpu_cores", "p999_ms", "queue_length"),
    *("workers", "few_samples", "bound"),
)
"""Of `summary.csv`, in order: programs of others read them. More come after these."""


def record_of(row: Row) -> dict[str, Any]:
    """Return a row as plain data, by the names of `COLUMNS`. None: it has no such number."""
    bound = row.bottleneck.text if row.bottleneck else ""
    columns = {"bound": bound, **{name: row.level.fields.get(name) for name in LEVEL_COLUMNS}}
    return {name: columns[name] if name in columns else getattr(row, name) for name in COLUMNS}


def _numbers(finished: CellFinished) -> dict[str, Any]:
    good, bad = successes(finished.requests), failures(finished.requests)
    total = count(good) + count(bad)
    return {
        "requests": total,
        "failures": count(bad),
        "aborted": finished.aborted,
        "failure_ratio": round(count(bad) / total, 6) if total else None,
        "rps": round(finished.completed / finished.measured_s, 3),
        **{name: percentile(good, fraction) for name, fraction in PERCENTILES.items()},
        "measured_s": finished.measured_s,
        **stage_means(finished.stages),
        "client_cpu_cores": cpu_cores(finished.clients),
        **_metrics(finished),
        "few_samples": " ".join(
            PERCENTILE_NAMES[name]
            for name, fraction in PERCENTILES.items()
            if not enough(count(good), fraction)
        ),
    }


def _metrics(finished: CellFinished) -> dict[str, Any]:
    service = finished.circumstances.service if finished.circumstances else None
    if service is None:
        return {}
    return {"queue_length": service.queue_length, "workers": service.fewest_workers}


def _standing(cell_state: CellState) -> str:
    # A cell that was begun when the run ended has no end of its own.
    running = cell_state.status is CellStatus.RUNNING
    return CellStatus.PENDING.value if running else cell_state.status.value


def _problem(cell_state: CellState) -> str:
    match cell_state.status:
        case CellStatus.FAILED if cell_state.failed:
            return cell_state.failed.reason
        case CellStatus.SKIPPED if cell_state.skipped:
            return cell_state.skipped.reason
        case _:
            return ""
