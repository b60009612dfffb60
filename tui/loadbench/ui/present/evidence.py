"""What a cell's window was like, beside the limits of the rules for its verdict. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from loadbench.engine.journal.events import (
    CellFinished,
    Conditions,
    ContainerUse,
    Machine,
    Sample,
    ServiceUse,
    WorkerUse,
)
from loadbench.engine.measure import limits as rules
from loadbench.engine.measure.buckets import count, failures, fewest, percentile, successes
from loadbench.engine.measure.conditions import container_uses, machine_use, service_use
from loadbench.engine.numbers import number
from loadbench.engine.profile.plan import Cell
from loadbench.ui.present.cell import Shown
from loadbench.ui.present.lines import Line, Piece, Tone, line, table
from loadbench.wording import counted

RECENT_S = 60
"""What is looked at of a cell that has no verdict: its last seconds."""
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class _Figure:
    """One number of the evidence."""

    name: str
    value: str
    unit: str = ""
    limit: str = ""
    """What its rule wants, such as `≤ 0.8`; empty: no rule looks at it."""
    beyond: bool = False
    """It is not what the rule wants."""


def evidence(shown: Shown) -> tuple[str, list[Line]]:
    """Return which seconds the evidence is of, and its tables: figures, containers, workers."""
    if shown.finished:
        around = shown.finished.circumstances
        figures = _of_window(shown.cell.cell, shown.finished)
        told = f"measured, {shown.finished.measured_s:g} s"
        if around is None:
            return told, [*_figures(figures), line((_OLDER, Tone.DIM))]
        figures += _machine(around.machine) + _service(around.service)
        return told, _tables(figures, around.containers, around.service)
    samples = shown.attempt.samples[-RECENT_S:] if shown.attempt else ()
    if not samples:
        return "", [line((shown.why_empty, Tone.DIM))]
    service = service_use(samples)
    figures = _of_samples(shown.cell.cell, samples)
    figures += _machine(machine_use(samples)) + _service(service)
    return f"the last {len(samples)} s", _tables(figures, container_uses(samples), service)


_OLDER = "this journal was written before more was noted"


def _of_window(cell: Cell, finished: CellFinished) -> list[_Figure]:
    good, bad = count(successes(finished.requests)), count(failures(finished.requests))
    ratio = bad / (good + bad) if good + bad else 0.0
    needed = fewest(rules.LEAST_BACKED)
    told = [
        _least("fewest users", finished.fewest_users, cell.users),
        _least("successes", good, needed),
        _Figure(
            "failed requests",
            number(100 * ratio),
            "%",
            f"< {100 * rules.FAILURE_RATIO:g}",
            ratio >= rules.FAILURE_RATIO,
        ),
        _most("endless requests", finished.aborted, 0),
        _client_cpu(finished.client_cpu_cores),
    ]
    around = finished.circumstances
    return [*told, *_of_circumstances(cell, around)] if around else told


def _of_circumstances(cell: Cell, around: Conditions) -> list[_Figure]:
    accounted = around.in_flight + around.thinking
    least = rules.LEAST_USERS_SHARE * cell.users
    longest_ms = around.gaps[-1][0] if around.gaps else 0.0
    late_ms = percentile(around.lag, 1.0) or 0.0
    return [
        _Figure("users waiting", number(around.in_flight)),
        _Figure("users pausing", number(around.thinking)),
        _least("waiting or pausing", accounted, least),
        _Figure("Locust late, p99", number(percentile(around.lag, 0.99)), "ms"),
        _most("Locust late, most", late_ms, rules.CLIENT_STALL_MS, "ms"),
        _most("longest silence", longest_ms, rules.longest_gap_ms(around.gaps), "ms"),
        _most("clock jump", around.clock_jump_ms, rules.MOST_CLOCK_JUMP_MS, "ms"),
    ]


def _of_samples(cell: Cell, samples: Sequence[Sample]) -> list[_Figure]:
    """Return what is known of seconds that have no verdict."""
    late_ms = max(it.client_lag_ms for it in samples)
    return [
        _Figure("fewest users", str(min(it.users for it in samples)), "", f"of {cell.users}"),
        _client_cpu(fmean(it.client_cpu_cores for it in samples)),
        _most("Locust late, most", late_ms, rules.CLIENT_STALL_MS, "ms"),
    ]


def _client_cpu(cores: float) -> _Figure:
    return _most("CPU of Locust", cores, rules.MOST_CLIENT_CPU_CORES, "cores")


def _machine(machine: Machine | None) -> list[_Figure]:
    if machine is None:
        return []
    full = rules.FULL_SHARE * machine.cores if machine.others_cpu_cores is None else None
    stolen, most_stolen = machine.stolen_cpu_cores, rules.MOST_STOLEN_SHARE * machine.cores
    told = [
        _most(f"CPU of all {counted(machine.cores, 'core')}", machine.cpu_cores, full, "cores"),
        _most("CPU of other machines", stolen, most_stolen, "cores"),
        _most("swapped", machine.swapped_bytes / 1e6, rules.MOST_SWAPPED_BYTES / 1e6, "MB"),
    ]
    if machine.others_cpu_cores is not None:
        most = rules.most_others_cores(machine.cores)
        told.insert(1, _most("CPU of neighbours", machine.others_cpu_cores, most, "cores"))
    return told


def _service(service: ServiceUse | None) -> list[_Figure]:
    told = []
    if service and service.queue_length is not None:
        told.append(_Figure("queue, mean", number(service.queue_length), "jobs"))
    if service and service.fewest_workers is not None and service.most_workers is not None:
        told.append(_least("ready workers", service.fewest_workers, service.most_workers))
    return told


def _most(name: str, value: float, most: float | None, unit: str = "") -> _Figure:
    limit = "" if most is None else f"≤ {most:.3g}"
    return _Figure(name, _short(value), unit, limit, most is not None and value > most)


def _least(name: str, value: float, least: float) -> _Figure:
    return _Figure(name, _short(value), "", f"≥ {least:.3g}", value < least)


def _short(value: float) -> str:
    """Return a count in full, another number with two digits."""
    return str(value) if isinstance(value, int) else number(value, 2)


def _tables(
    figures: Sequence[_Figure],
    containers: Sequence[ContainerUse],
    service: ServiceUse | None,
) -> list[Line]:
    lines = _figures(figures)
    if containers:
        lines += [(), *_containers(containers)]
    if service and service.workers:
        lines += [(), *_workers(service.workers)]
    return lines


def _figures(figures: Sequence[_Figure]) -> list[Line]:
    names, values, units = (
        max(len(text) for text in column)
        for column in zip(*((it.name, it.value, it.unit) for it in figures), strict=True)
    )
    return [
        line(
            ("! " if it.beyond else "  ", Tone.WARN),
            f"{it.name:<{names}}  ",
            (f"{it.value:>{values}}", Tone.WARN if it.beyond else Tone.STRONG),
            f" {it.unit:<{units}}  ",
            (it.limit, Tone.WARN if it.beyond else Tone.DIM),
        )
        for it in figures
    ]


def _containers(uses: Sequence[ContainerUse]) -> list[Line]:
    body = [
        (
            it.name,
            number(it.cpu_cores, 2),
            "-" if it.memory_bytes is None else f"{it.memory_bytes / _MIB:.0f}",
            _throttled(it),
            _beyond_none(it.restarts),
            _beyond_none(it.missing_s),
        )
        for it in uses
    ]
    return table(("container", "cores", "MiB", "held back", "restarts", "away s"), body)


def _throttled(use: ContainerUse) -> str | Piece:
    if use.throttled is None:
        return "-"
    told = f"{100 * use.throttled:.0f} %"
    return Piece(f"! {told}", Tone.WARN) if use.throttled > rules.MOST_THROTTLED else told


def _beyond_none(value: int) -> str | Piece:
    return Piece(f"! {value}", Tone.BAD) if value else "0"


def _workers(uses: Sequence[WorkerUse]) -> list[Line]:
    body = [
        (
            it.id,
            str(it.images),
            number(1000 * it.infer_s / it.images if it.images else None),
            f"{100 * it.infer_s / it.seconds:.0f} %" if it.seconds else "-",
        )
        for it in uses
    ]
    return table(("worker", "pictures", "ms each", "busy"), body)
