"""The evidence for a verdict: tables of figures, containers and workers."""

from collections.abc import Sequence

from loadbench.engine.measure.main_request import main_of
from loadbench.engine.numbers import number
from loadbench.engine.report.evidence.collect import recent_evidence, window_evidence
from loadbench.engine.report.evidence.figures import (
    Bound,
    ContainerEvidence,
    Evidence,
    Figure,
    FigureName,
    Unit,
    WorkerEvidence,
)
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.text import Line, Piece, Tone, line, table
from loadbench.wording import counted

_MIB = 2**20
_OLDER = "Recorded by an older version: some figures are missing"
_LABELS = {
    FigureName.FEWEST_USERS: "min users running",
    FigureName.SUCCESSES: "successful requests",
    FigureName.SAMPLES: "successes with latency",
    FigureName.FAILURE_RATIO: "failed requests",
    FigureName.ABORTED_REQUESTS: "aborted requests",
    FigureName.CLIENT_CPU: "CPU used by Locust",
    FigureName.USERS_WAITING: "users waiting",
    FigureName.USERS_PAUSING: "users pausing",
    FigureName.USERS_ACCOUNTED: "users waiting or pausing",
    FigureName.ADDED_P50: "added by Locust to p50",
    FigureName.ADDED_P90: "added by Locust to p90",
    FigureName.ADDED_P95: "added by Locust to p95",
    FigureName.ADDED_P99: "added by Locust to p99",
    FigureName.ADDED_P999: "added by Locust to p99.9",
    FigureName.EVENT_LOOP_LAG_MAX: "event-loop lag max",
    FigureName.LONGEST_STALL: "longest stall",
    FigureName.CLOCK_JUMP: "clock jump",
    FigureName.OTHER_PROCESSES_CPU: "CPU used by other processes",
    FigureName.STOLEN_CPU: "CPU stolen by hypervisor",
    FigureName.SWAPPED: "swapped",
    FigureName.QUEUE_LENGTH: "mean queue length",
    FigureName.READY_WORKERS: "min workers ready",
}
_THREE_DIGITS = {
    FigureName.FAILURE_RATIO,
    FigureName.USERS_WAITING,
    FigureName.USERS_PAUSING,
    FigureName.QUEUE_LENGTH,
}
"""Figures with three significant digits. The others have two; counts are written in full."""
_UNITS = {Unit.COUNT: "", Unit.RATIO: "%", Unit.BYTES: "MB"}
_BOUNDS = {Bound.AT_MOST: "≤", Bound.AT_LEAST: "≥", Bound.BELOW: "<"}


def evidence(shown: CellView) -> tuple[str, list[Line]]:
    """Return a label for the period that the evidence covers, and its tables."""
    cell = shown.cell.cell
    if shown.finished:
        main = main_of(shown.attempt.profile) if shown.attempt else None
        found = window_evidence(cell, shown.finished, main)
        return f"measurement window, {found.seconds:g} s", _tables(found)
    recent = recent_evidence(cell, shown.attempt.samples) if shown.attempt else None
    if recent is None:
        return "", [line((shown.why_empty, Tone.DIM))]
    return f"last {recent.seconds:g} s", _tables(recent)


def _tables(found: Evidence) -> list[Line]:
    lines = _figures(found)
    if not found.has_conditions:
        lines.append(line((_OLDER, Tone.DIM)))
    if found.containers:
        lines += [(), *_containers(found.containers)]
    if found.workers:
        lines += [(), *_workers(found.workers)]
    return lines


def _figures(found: Evidence) -> list[Line]:
    figures = found.figures
    labels = [_label(figure, found.machine_cores) for figure in figures]
    values = [_value(figure) for figure in figures]
    units = [_UNITS.get(figure.unit, figure.unit) for figure in figures]
    label_columns, value_columns, unit_columns = (
        max(map(len, column)) for column in (labels, values, units)
    )
    return [
        line(
            ("! " if figure.is_beyond_limit else "  ", Tone.WARN),
            f"{label:<{label_columns}}  ",
            (f"{value:>{value_columns}}", Tone.WARN if figure.is_beyond_limit else Tone.STRONG),
            f" {unit:<{unit_columns}}  ",
            (_limit(figure), Tone.WARN if figure.is_beyond_limit else Tone.DIM),
        )
        for figure, label, value, unit in zip(figures, labels, values, units, strict=True)
    ]


def _label(figure: Figure, machine_cores: int | None) -> str:
    if figure.name is FigureName.MACHINE_CPU:
        return f"CPU used on all {counted(machine_cores or 0, 'core')}"
    return _LABELS[figure.name]


def _value(figure: Figure) -> str:
    value = _in_unit(figure.value, figure.unit)
    if figure.name in _THREE_DIGITS:
        return number(value)
    return str(value) if isinstance(value, int) else number(value, 2)


def _limit(figure: Figure) -> str:
    """Return the limit of a rule, such as `≤ 0.8`, or the requested number, such as `of 8`."""
    limit = _in_unit(figure.limit, figure.unit)
    if limit is None:
        return ""
    return f"{_BOUNDS[figure.bound]} {limit:.3g}" if figure.bound else f"of {limit}"


def _in_unit(value: float | None, unit: Unit) -> float | None:
    """Return a number in its display unit: percent for ratios, megabytes for bytes."""
    if value is None:
        return None
    match unit:
        case Unit.RATIO:
            return 100 * value
        case Unit.BYTES:
            return value / 1e6
        case _:
            return value


def _containers(containers: Sequence[ContainerEvidence]) -> list[Line]:
    # Processes of the local driver have no network of their own.
    has_received = any(container.received_bytes is not None for container in containers)
    body = [
        (
            container.name,
            number(container.cpu_cores, 2),
            "-" if container.memory_bytes is None else f"{container.memory_bytes / _MIB:.0f}",
            *([_megabytes(container.received_bytes)] if has_received else []),
            _throttled(container.throttled),
            _count(container.restarts),
            _count(container.missing),
        )
        for container in containers
    ]
    # The shorter heading keeps the table as wide as the panel at 80 and at 120 columns.
    received, down = (("MB in",), "down") if has_received else ((), "down s")
    header = ("container", "cores", "MiB", *received, "throttled", "restarts", down)
    return table(header, body)


def _megabytes(size: int | None) -> str:
    if size is None:
        return "-"
    megabytes = size / 1e6
    return f"{megabytes:.2f}" if megabytes < 100 else f"{megabytes:.0f}"


def _throttled(figure: Figure) -> str | Piece:
    if figure.value is None:
        return "-"
    percent = f"{100 * figure.value:.0f} %"
    return Piece(f"! {percent}", Tone.WARN) if figure.is_beyond_limit else percent


def _count(figure: Figure) -> str | Piece:
    return Piece(f"! {figure.value}", Tone.BAD) if figure.is_beyond_limit else "0"


def _workers(workers: Sequence[WorkerEvidence]) -> list[Line]:
    body = [
        (
            worker.id,
            str(worker.images),
            number(worker.image_ms),
            "-" if worker.busy is None else f"{100 * worker.busy:.0f} %",
        )
        for worker in workers
    ]
    return table(("worker", "images", "ms/image", "busy"), body)
