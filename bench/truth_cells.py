"""The cells of `truth_grid.py`: the stated and the actual delay by the load generator."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.truth_check import EDGE_S, LIMITS
from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.state import CellState, RunState
from loadbench.engine.measure.buckets import (
    count,
    has_enough_samples,
    percentile,
    successes,
    to_buckets,
)
from loadbench.engine.measure.client_delay import added_ms
from loadbench.engine.report.verdicts import judge_in_run

GRID_LIMITS = {**LIMITS, 0.999: LIMITS[0.99]}
"""Maximum error by percentile, as in `truth.py` and as promised in docs/measurement.md."""

CLIENT_RULES = frozenset({"client_bound", "client_stalled"})
"""Rules about the load generator. Only their findings excuse an error."""

MAX_MARKED_SHARE = 0.1
"""Maximum share of the cells within the limits that may be marked (acceptance of the rules)."""

PERCENTILE_WIDTH = 40
"""Characters of a percentile in a row."""

MAX_LATE_MS = 0.2
"""Maximum delay of the server itself, at the median of a window: a fifth of the smallest limit.
Above it, the server may have been the bottleneck, so the cell does not count. Single delays are
part of the logged latency, so they are no error."""

COUNT_EDGE_S = 0.02
"""Tolerance for the number of requests in a window, in seconds. Another process may run between
the start that the user notes and the start that Locust measures, for a burst of
`truth_other_process.py` at most."""


@dataclass(frozen=True, slots=True)
class Served:
    """One request in the log of the server, see truth_server.c."""

    latency_ms: float
    late_ms: float
    """Delay of the server itself: the larger of arrival to read, and due time to write."""
    is_stamped: bool
    """Whether the kernel stamped the response, so that its time is exact."""


@dataclass(frozen=True, slots=True)
class Log:
    """The requests of a run, from the notes of the users and the log of the server."""

    starts: tuple[float, ...]
    """Start of each request by its number, in monotonic seconds, in ascending order."""
    served: Mapping[int, Served]
    """Requests that were answered, by number."""
    windows: tuple[tuple[float, float], ...]
    """Start and end of each measurement window, in order."""

    def numbers(self, begin_s: float, end_s: float) -> range:
        """Return the numbers of the requests that started between two times."""
        return range(bisect_left(self.starts, begin_s), bisect_left(self.starts, end_s))

    def num_served(self, numbers: range) -> int:
        """Return how many of these requests were answered."""
        return sum(number in self.served for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """A percentile of a cell, in ms."""

    fraction: float
    reported: float
    """As reported by the tool."""
    server: float
    """As logged by the server for the same requests."""
    stated: float | None
    """What the tool states that the load generator adds. None if unknown."""
    is_estimate: bool
    """Whether fewer than ten samples lie beyond it, as the tool marks it."""

    @property
    def added(self) -> float:
        """What the load generator adds."""
        return self.reported - self.server

    @property
    def limit(self) -> float:
        """Maximum of what it may add."""
        share, min_ms = GRID_LIMITS[self.fraction]
        return max(share * self.server, min_ms)

    @property
    def is_miss(self) -> bool:
        """Whether the error exceeds the limit."""
        return abs(self.added) > self.limit

    @property
    def stated_error(self) -> float:
        """Error of the stated value."""
        return abs((self.stated or 0.0) - self.added)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCell:
    """A cell of the grid, compared with the log of the server."""

    plan: str
    """Name of its run."""
    users: int
    window_s: float
    settled: bool | None
    samples: int
    """Number of successes."""
    logged: tuple[int, int]
    """Minimum and maximum of that number by the log: requests at an edge may or may not count."""
    percentiles: tuple[Percentile, ...]
    verdict: Verdict
    findings: tuple[str, ...]
    rules: tuple[str, ...]
    """Ids of the rules of the findings."""
    cpu_cores: float
    """CPU usage of Locust."""
    server_late_ms: float
    """Median delay of the server itself, and the maximum."""
    server_late_max_ms: float
    num_unstamped: int
    """Number of responses without a time stamp of the kernel."""

    @property
    def is_marked(self) -> bool:
        """Whether a rule about the load generator applies."""
        return not CLIENT_RULES.isdisjoint(self.rules)

    @property
    def is_counted(self) -> bool:
        """Whether the server was no bottleneck, so that the cell counts."""
        return self.server_late_ms <= MAX_LATE_MS

    @property
    def has_exact_count(self) -> bool:
        """Whether the number of successes is that of the log."""
        return self.logged[0] <= self.samples <= self.logged[1]

    def misses(self, *, estimates: bool = False) -> list[Percentile]:
        """Return the percentiles beyond their limit: those with enough samples, or estimates.

        Only p99.9 can be an estimate here. Percentiles up to p99 count in any case, because both
        sides are percentiles of the same requests.
        """
        return [one for one in self.percentiles if one.is_miss and one.is_estimate == estimates]


def read_log(notes: Path, log: Path) -> Log:
    """Read the notes of the users, and the log of the server."""
    noted = json.loads(notes.read_text())
    return Log(
        starts=tuple(started for started, _ in noted["requests"]),
        served={
            number: Served((until - since) * 1000, max(read_us, write_us) / 1000, bool(is_stamped))
            for number, since, until, _, read_us, write_us, is_stamped in json.loads(
                log.read_text()
            )
            if until
        },
        windows=tuple((begin, end) for begin, end in noted["windows"]),
    )


def finished_cells(state: RunState) -> list[tuple[CellState, CellFinished]]:
    """Return the measured cells of a run in the order of their windows."""
    cells = [(cell, cell.finished) for cell in state.cells.values() if cell.finished]
    return sorted(cells, key=lambda one: one[0].finished_seq)


def measured_cells(plan: str, state: RunState, log: Log) -> list[MeasuredCell]:
    """Compare all cells of a run with the log of the server.

    Raises:
        ValueError: The cells and the windows do not match.
    """
    cells = finished_cells(state)
    return [
        compare_cell(plan, state, cell, finished, log, window)
        for (cell, finished), window in zip(cells, log.windows, strict=True)
    ]


def compare_cell(
    plan: str,
    state: RunState,
    cell: CellState,
    finished: CellFinished,
    log: Log,
    window: tuple[float, float],
) -> MeasuredCell:
    """Compare one cell with the log of the server, and judge it by the current rules."""
    begin_s, end_s = window
    reported = successes(finished.requests)
    samples = count(reported)
    served = [
        log.served[number]
        for number in log.numbers(begin_s - EDGE_S, end_s + EDGE_S)
        if number in log.served
    ]
    certain = log.numbers(begin_s + COUNT_EDGE_S, end_s - COUNT_EDGE_S)
    possible = log.numbers(begin_s - COUNT_EDGE_S, end_s + COUNT_EDGE_S)
    latencies = to_buckets(Counter(one.latency_ms for one in served))
    late = to_buckets(Counter(one.late_ms for one in served))
    verdict, findings = judge_in_run(state, cell.cell, finished)
    return MeasuredCell(
        plan=plan,
        users=cell.cell.level.users or 0,
        window_s=finished.measured_s,
        settled=finished.settled,
        samples=samples,
        logged=(log.num_served(certain), log.num_served(possible)),
        percentiles=tuple(
            Percentile(
                fraction=fraction,
                reported=percentile(reported, fraction) or 0.0,
                server=percentile(latencies, fraction) or 0.0,
                stated=added_ms(finished, fraction),
                is_estimate=fraction > max(LIMITS) and not has_enough_samples(samples, fraction),
            )
            for fraction in GRID_LIMITS
        ),
        verdict=verdict,
        findings=tuple(finding.text for finding in findings),
        rules=tuple(finding.rule for finding in findings),
        cpu_cores=max((client.cpu_cores for client in finished.clients), default=0.0),
        server_late_ms=percentile(late, 0.5) or 0.0,
        server_late_max_ms=percentile(late, 1.0) or 0.0,
        num_unstamped=sum(not one.is_stamped for one in served),
    )


def without_evidence(finished: CellFinished) -> CellFinished:
    """Return a cell without the recorded delays of the load generator."""
    conditions = finished.circumstances
    return replace(
        finished,
        requests=tuple(replace(one, undelayed=()) for one in finished.requests),
        circumstances=conditions and replace(conditions, lag=()),
    )


def header() -> str:
    """Return the heads of the columns of `row`."""
    heads = [f"p{fraction * 100:g}".center(PERCENTILE_WIDTH) for fraction in GRID_LIMITS]
    names = [f"{'reported':>8}{'server':>9}{'added':>8}{'stated':>8}{'limit':>6} "] * len(heads)
    first = f"{'run':<26}{'users':>5}{'window':>8}{'requests':>10}"
    return f"{' |'.join([' ' * len(first), *heads])}\n{' |'.join([first, *names])} | verdict"


def row(cell: MeasuredCell) -> str:
    """Return the row of a cell. `!` marks errors beyond the limit, `~` those of estimates."""
    texts = [f"{cell.plan:<26}{cell.users:>5}{cell.window_s:>6.2f} s{cell.samples:>10}"]
    for one in cell.percentiles:
        sign = ("~" if one.is_estimate else "!") if one.is_miss else " "
        stated = "?" if one.stated is None else f"{one.stated:.2f}"
        text = f"{one.reported:>8.5g}{one.server:>9.2f}{one.added:>8.2f}{stated:>8}"
        texts.append(f"{text}{one.limit:>6.3g}{sign}")
    return f"{' |'.join(texts)} | {'marked, ' if cell.is_marked else ''}{notes(cell)}"


def notes(cell: MeasuredCell) -> str:
    """Return the verdict with its findings, and reasons against the row itself."""
    texts = [f"{cell.verdict}: {'; '.join(cell.findings)}" if cell.findings else cell.verdict.value]
    if not cell.is_counted:
        texts.append(f"NOT COUNTED: server late by {cell.server_late_ms:.2f} ms at the median")
    if not cell.has_exact_count:
        texts.append("COUNT DIFFERS: the log has {}…{}".format(*cell.logged))
    return "; ".join(texts)


@dataclass(frozen=True, slots=True)
class Summary:
    """Raw counts of all cells."""

    cells: Sequence[MeasuredCell]
    """The cells that count."""
    excluded: int
    """Number of cells in which the server was late."""

    @classmethod
    def of(cls, cells: Iterable[MeasuredCell]) -> "Summary":
        """Count the cells."""
        every = list(cells)
        counted = [cell for cell in every if cell.is_counted]
        return cls(counted, len(every) - len(counted))

    @property
    def points(self) -> frozenset[tuple[str, int]]:
        """Points of the grid with at least one cell that counts, as run and number of users."""
        return frozenset((cell.plan, cell.users) for cell in self.cells)

    @property
    def missing(self) -> list[MeasuredCell]:
        """Cells with an error beyond the limit."""
        return [cell for cell in self.cells if cell.misses()]

    @property
    def unmarked(self) -> list[MeasuredCell]:
        """Cells with an error beyond the limit and without a mark."""
        return [cell for cell in self.missing if not cell.is_marked]

    @property
    def within(self) -> list[MeasuredCell]:
        """Cells without an error beyond the limit."""
        return [cell for cell in self.cells if not cell.misses()]

    @property
    def falsely_marked(self) -> list[MeasuredCell]:
        """Cells within the limits and with a mark."""
        return [cell for cell in self.within if cell.is_marked]

    def errors(self) -> list[str]:
        """Return what is not acceptable."""
        found = []
        if self.unmarked:
            found.append(f"{len(self.unmarked)} unmarked misses")
        if len(self.falsely_marked) > MAX_MARKED_SHARE * len(self.within):
            found.append(f"more than {MAX_MARKED_SHARE:.0%} of the cells within limits are marked")
        if different := [cell for cell in self.cells if not cell.has_exact_count]:
            found.append(f"{len(different)} cells with a wrong number of requests")
        return found

    def lines(self) -> list[str]:
        """Return the counts as text."""
        estimates = [cell for cell in self.cells if cell.misses(estimates=True)]
        num_unmarked = sum(not cell.is_marked for cell in estimates)
        within, marked = len(self.within), len(self.falsely_marked)
        share = f" ({marked / within:.1%})" if within else ""
        return [
            f"cells {len(self.cells)}, not counted because the server was late {self.excluded}",
            f"responses without a time stamp {sum(cell.num_unstamped for cell in self.cells)}",
            f"points of the grid {len(self.points)}",
            f"misses {len(self.missing)}: unmarked {len(self.unmarked)}",
            f"within limits {within}: marked {marked}{share}",
            f"p99.9 beyond its limit as an estimate: {len(estimates)}, unmarked {num_unmarked}",
            *(self._percentile_line(index) for index in range(len(GRID_LIMITS))),
        ]

    def _percentile_line(self, index: int) -> str:
        own = [(cell, cell.percentiles[index]) for cell in self.cells]
        if not own:
            return ""
        errors = to_buckets(Counter(one.stated_error for _, one in own))
        misses = [(cell, one) for cell, one in own if one.is_miss]
        unmarked = sum(not cell.is_marked for cell, _ in misses)
        unknown = sum(one.stated is None for _, one in own)
        return (
            f"p{own[0][1].fraction * 100:g}: misses {len(misses)}, unmarked {unmarked}; "
            f"stated versus added: p90 of the error {percentile(errors, 0.9) or 0:.2f} ms, "
            f"maximum {percentile(errors, 1) or 0:.2f} ms, unknown {unknown}"
        )


def as_json(cell: MeasuredCell) -> dict[str, Any]:
    """Return a cell with its derived values."""
    percentiles = [
        {**asdict(one), "added": one.added, "limit": one.limit, "is_miss": one.is_miss}
        for one in cell.percentiles
    ]
    own = {"is_marked": cell.is_marked, "is_counted": cell.is_counted, "percentiles": percentiles}
    return {**asdict(cell), **own}
