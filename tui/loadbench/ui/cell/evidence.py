"""The evidence for a verdict as tables: figures, containers, workers. Pure."""

from collections.abc import Sequence

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
_OLDER = "this journal was written before more was noted"
_LABELS = {
    FigureName.FEWEST_USERS: "fewest users",
    FigureName.SUCCESSES: "successes",
    FigureName.FAILURE_RATIO: "failed requests",
    FigureName.ABORTED_REQUESTS: "endless requests",
    FigureName.CLIENT_CPU: "CPU of Locust",
    FigureName.USERS_WAITING: "users waiting",
    FigureName.USERS_PAUSING: "users pausing",
    FigureName.USERS_ACCOUNTED: "waiting or pausing",
    FigureName.EVENT_LOOP_LAG_P99: "Locust late, p99",
    FigureName.EVENT_LOOP_LAG_MAX: "Locust late, most",
    FigureName.LONGEST_STALL: "longest silence",
    FigureName.CLOCK_JUMP: "clock jump",
    FigureName.OTHER_PROCESSES_CPU: "CPU of neighbours",
    FigureName.STOLEN_CPU: "CPU of other machines",
    FigureName.SWAPPED: "swapped",
    FigureName.QUEUE_LENGTH: "queue, mean",
    FigureName.READY_WORKERS: "ready workers",
}
_THREE_DIGITS = {
    FigureName.FAILURE_RATIO,
    FigureName.USERS_WAITING,
    FigureName.USERS_PAUSING,
    FigureName.EVENT_LOOP_LAG_P99,
    FigureName.QUEUE_LENGTH,
}
"""Figures with three digits; the others have two, and counts are written in full."""
_UNITS = {Unit.COUNT: "", Unit.RATIO: "%", Unit.BYTES: "MB"}
_BOUNDS = {Bound.AT_MOST: "≤", Bound.AT_LEAST: "≥", Bound.BELOW: "<"}


def evidence(shown: CellView) -> tuple[str, list[Line]]:
    """Return which seconds the evidence is of, and its tables: figures, containers, workers."""
    cell = shown.cell.cell
    if shown.finished:
        found = window_evidence(cell, shown.finished)
        return f"measured, {found.seconds:g} s", _tables(found)
    recent = recent_evidence(cell, shown.attempt.samples) if shown.attempt else None
    if recent is None:
        return "", [line((shown.why_empty, Tone.DIM))]
    return f"the last {recent.seconds:g} s", _tables(recent)


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
    labels = [_label(it, found.machine_cores) for it in figures]
    values, units = [_value(it) for it in figures], [_UNITS.get(it.unit, it.unit) for it in figures]
    label_columns, value_columns, unit_columns = (
        max(map(len, column)) for column in (labels, values, units)
    )
    return [
        line(
            ("! " if it.is_beyond else "  ", Tone.WARN),
            f"{label:<{label_columns}}  ",
            (f"{value:>{value_columns}}", Tone.WARN if it.is_beyond else Tone.STRONG),
            f" {unit:<{unit_columns}}  ",
            (_limit(it), Tone.WARN if it.is_beyond else Tone.DIM),
        )
        for it, label, value, unit in zip(figures, labels, values, units, strict=True)
    ]


def _label(figure: Figure, machine_cores: int | None) -> str:
    if figure.name is FigureName.MACHINE_CPU:
        return f"CPU of all {counted(machine_cores or 0, 'core')}"
    return _LABELS[figure.name]


def _value(figure: Figure) -> str:
    value = _in_unit(figure.value, figure.unit)
    if figure.name in _THREE_DIGITS:
        return number(value)
    return str(value) if isinstance(value, int) else number(value, 2)


def _limit(figure: Figure) -> str:
    """Return what the rule wants, such as `≤ 0.8`, or `of 8` what was asked for."""
    limit = _in_unit(figure.limit, figure.unit)
    if limit is None:
        return ""
    return f"{_BOUNDS[figure.bound]} {limit:.3g}" if figure.bound else f"of {limit}"


def _in_unit(value: float | None, unit: Unit) -> float | None:
    """Return a number in the unit that is shown: percent of ratios, megabytes of bytes."""
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
    body = [
        (
            it.name,
            number(it.cpu_cores, 2),
            "-" if it.memory_bytes is None else f"{it.memory_bytes / _MIB:.0f}",
            _throttled(it.throttled),
            _count(it.restarts),
            _count(it.missing),
        )
        for it in containers
    ]
    return table(("container", "cores", "MiB", "held back", "restarts", "away s"), body)


def _throttled(figure: Figure) -> str | Piece:
    if figure.value is None:
        return "-"
    percent = f"{100 * figure.value:.0f} %"
    return Piece(f"! {percent}", Tone.WARN) if figure.is_beyond else percent


def _count(figure: Figure) -> str | Piece:
    return Piece(f"! {figure.value}", Tone.BAD) if figure.is_beyond else "0"


def _workers(workers: Sequence[WorkerEvidence]) -> list[Line]:
    body = [
        (
            it.id,
            str(it.images),
            number(it.image_ms),
            "-" if it.busy is None else f"{100 * it.busy:.0f} %",
        )
        for it in workers
    ]
    return table(("worker", "pictures", "ms each", "busy"), body)
