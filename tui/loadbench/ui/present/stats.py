"""What Locust's users saw, a line per name of request, and what failed. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from loadbench.engine.journal.events import Buckets, CellFinished, ErrorCount, Requests
from loadbench.engine.measure.buckets import count, enough, merge, percentile
from loadbench.engine.numbers import latency, number
from loadbench.engine.report.rows import PERCENTILE_NAMES, PERCENTILES
from loadbench.ui.present.lines import Line, Piece, Tone, line, table, wrap
from loadbench.ui.present.tally import Tally
from loadbench.wording import FEW_SAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """The requests of one name over some seconds."""

    name: str
    successes: Buckets
    failures: int
    rps: float
    """Successes a second."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Requests by name, and over which seconds."""

    of: str
    """Such as `measured 6 s`."""
    rows: tuple[Stat, ...]


def live_statistics(tally: Tally) -> Statistics:
    """Return the statistics of what an attempt has come to so far."""
    what = "measured so far" if tally.measured else "before measuring"
    return Statistics(f"{what}, {tally.seconds} s", _rows(tally.requests, float(tally.seconds)))


def cell_statistics(finished: CellFinished) -> Statistics:
    """Return the statistics of a cell that was measured."""
    rows = _rows(finished.requests, finished.measured_s, completed=finished.completed)
    return Statistics(f"measured, {finished.measured_s:g} s", rows)


def stat_lines(statistics: Statistics) -> list[Line]:
    """Return the statistics as a table; latencies in ms, of successes."""
    if not statistics.rows:
        return [line(("no request has been answered yet", Tone.DIM))]
    header = ("name", "requests", "fails", "req/s", *PERCENTILE_NAMES.values())
    lines = table(header, [_cells(row) for row in statistics.rows])
    if any("~" in piece.text for it in lines for piece in it):
        lines.append(line((FEW_SAMPLES, Tone.DIM)))
    return lines


def failure_lines(errors: Sequence[ErrorCount], columns: int) -> list[Line]:
    """Return a line for every kind of failure, the most frequent first, wrapped."""
    lines: list[Line] = []
    for error in sorted(errors, key=lambda it: -it.count):
        told = line((f"{error.count:>7}  ", Tone.BAD), error.error)
        lines += wrap(told, columns, indent=9)
    return lines


def _rows(
    requests: Iterable[Requests], seconds: float, *, completed: int | None = None
) -> tuple[Stat, ...]:
    """Return a row for every name and, where there are several, one of all.

    Args:
        requests: By name.
        seconds: How long they took.
        completed: Successes that were completed in these seconds. None: those of the requests.
    """
    by_name: dict[str, list[Requests]] = {}
    for it in requests:
        by_name.setdefault(f"{it.method} {it.name}", []).append(it)
    rows = [_stat(name, its, seconds) for name, its in sorted(by_name.items())]
    if len(rows) > 1:
        everything = [it for its in by_name.values() for it in its]
        rows.append(_stat("all", everything, seconds))
    if rows and completed is not None:
        rows[-1] = replace(rows[-1], rps=completed / seconds)
    return tuple(rows)


def _stat(name: str, requests: Sequence[Requests], seconds: float) -> Stat:
    good = merge(it.successes for it in requests)
    bad = sum(count(it.failures) for it in requests)
    return Stat(name=name, successes=good, failures=bad, rps=count(good) / max(seconds, 1e-9))


def _cells(row: Stat) -> list[str | Piece]:
    good = count(row.successes)
    latencies = [
        latency(percentile(row.successes, share), backed=enough(good, share))
        for share in PERCENTILES.values()
    ]
    fails = Piece(str(row.failures), Tone.BAD if row.failures else Tone.DIM)
    total = good + row.failures
    return [row.name, str(total), fails, number(row.rps), *latencies]
