"""Runs and their results: a list, cells as rows of a table, the lines of two charts. Pure."""

from collections.abc import Callable, Sequence
from string import ascii_lowercase

from loadbench.engine.catalog import Catalog
from loadbench.engine.journal.events import Buckets, CellFinished, Verdict
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.measure.buckets import merge, percentile, successes
from loadbench.engine.numbers import latency, number
from loadbench.engine.profile.plan import is_recheck
from loadbench.engine.report import repeats
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.rows import PERCENTILE_NAMES, Row
from loadbench.ui.present.glyphs import Glyphs
from loadbench.ui.present.lines import SERIES, Line, MenuEntry, Tone, line, wrap
from loadbench.ui.present.plot import Chart, Series
from loadbench.ui.present.profiles import run_line
from loadbench.wording import repeats_used, span, span_legend, standing

_PROBLEM_COLUMNS = 36

REPEAT = "#"
COLUMNS: tuple[tuple[str, Callable[[Row], object]], ...] = (
    ("m", lambda row: row.models),
    ("u", lambda row: row.users),
    ("s", lambda row: row.spawn_rate),
    (REPEAT, lambda row: (is_recheck(row.cell), row.repeat)),
    ("req/s", lambda row: row.rps),
    ("p50", lambda row: row.p50_ms),
    ("p90", lambda row: row.p90_ms),
    ("p95", lambda row: row.p95_ms),
    ("p99", lambda row: row.p99_ms),
    ("p99.9", lambda row: row.p999_ms),
    ("max", lambda row: row.max_ms),
    ("fails", lambda row: row.failures),
    ("verdict", lambda row: row.verdict),
)
"""The name of each column, and what it is sorted by; `#` is the repeat, `1+` the recheck."""

IN_FULL = {"m": "models", "u": "users", "s": "spawn rate", REPEAT: "repeat"}
"""What short names of columns stand for."""


def run_entries(catalog: Catalog, glyphs: Glyphs) -> list[MenuEntry]:
    """Return all runs as entries of a list, under the names of their profiles."""
    entries = [
        MenuEntry("", tuple(wrap(line((f"unreadable: {problem}", Tone.BAD)), _PROBLEM_COLUMNS)))
        for problem in catalog.unreadable
    ]
    for profile in sorted({run.folder.parent.name for run in catalog.runs}):
        entries.append(MenuEntry("", (line((profile, Tone.STRONG)),)))
        entries += [
            MenuEntry(run.name, ((*line(" "), *run_line(run, glyphs)),))
            for run in catalog.of_profile(profile)
        ]
    return entries


def no_runs(*, complete: bool) -> list[Line]:
    """Return what is shown where no run is chosen.

    Args:
        complete: All runs have been read, so that there is none.
    """
    if not complete:
        return [line((" reading the reports…", Tone.DIM))]
    return [
        line((" No run yet.", Tone.STRONG)),
        line(" ", ("escape", Tone.ACCENT), " goes to the profiles; Enter runs one."),
    ]


def columns_of(rows: Sequence[Row]) -> list[int]:
    """Return the columns that tell these cells apart: repeats only where there are some."""
    repeated = any(row.repeat > 1 or is_recheck(row.cell) for row in rows)
    return [i for i, (name, _) in enumerate(COLUMNS) if repeated or name != REPEAT]


def cell_values(row: Row) -> tuple[str, ...]:
    """Return what stands in the columns of a cell's row; latencies in ms, of successes."""
    return (
        str(row.models),
        str(row.users),
        f"{row.spawn_rate:g}",
        "1+" if is_recheck(row.cell) else str(row.repeat),
        number(row.rps),
        *(latency(getattr(row, name), backed=row.is_backed(name)) for name in PERCENTILE_NAMES),
        "-" if row.failures is None else str(row.failures),
        standing(row),
    )


def sorted_rows(rows: Sequence[Row], column: int | None, *, falling: bool) -> list[Row]:
    """Return the rows by a column, those without a value last; None: as they were planned."""
    if column is None:
        return list(rows)
    value = COLUMNS[column][1]
    have = [row for row in rows if value(row) is not None]
    lack = [row for row in rows if value(row) is None]
    return [*sorted(have, key=value, reverse=falling), *lack]  # type: ignore[arg-type]  # each column holds one kind


def repeated_lines(state: RunState, columns: int) -> list[Line]:
    """Return what cells that were measured more than once tell, none where there are none.

    That is the drift, the medians of repeats with their intervals, and what these mean.
    """
    groups, told = repeats.groups(state), []
    if drift := drift_of(state):
        told.append(line((drift.sentence, Tone.WARN if drift.reason else Tone.PLAIN)))
    told += [_group_line(it) for it in groups]
    told += [line((legend, Tone.DIM)) for legend in span_legend(groups)]
    return [part for one in told for part in wrap(one, columns, indent=2)]


def _group_line(group: repeats.Group) -> Line:
    rps, p50, p95, p99 = (
        span(group.intervals[name]) for name in ("rps", "p50_ms", "p95_ms", "p99_ms")
    )
    return line(
        (group.cell, Tone.STRONG),
        f"  {repeats_used(group)} repeats: {rps} req/s, p50 {p50}, p95 {p95}, p99 {p99} ms",
    )


def latency_by_users(state: RunState) -> Chart | None:
    """Return a chart of p90 against users, in ms, a line per number of models.

    Cells of the same users and models (spawn rates, repeats) are one: their histograms are merged.
    The first cell's recheck is none of them. None: no cell has a success.
    """
    return _by_users(state, lambda cells: percentile(_successes(cells), 0.9))


def throughput_by_users(state: RunState) -> Chart | None:
    """Return a chart of requests a second against users, a line per number of models.

    Of cells of the same users and models it is the mean over their time. None: there is no cell.
    """
    return _by_users(
        state, lambda cells: sum(it.completed for it in cells) / sum(it.measured_s for it in cells)
    )


def _by_users(
    state: RunState, value: Callable[[Sequence[CellFinished]], float | None]
) -> Chart | None:
    found: dict[int, dict[int, list[CellFinished]]] = {}
    for it in state.cells.values():
        finished = it.finished if it.status is CellStatus.FINISHED else None
        # What is invalid is worth nothing, beside others least of all; and the recheck would count
        # the first cell twice.
        if finished and finished.verdict is not Verdict.INVALID and not it.cell.recheck:
            found.setdefault(it.cell.models, {}).setdefault(it.cell.users, []).append(finished)
    users = sorted({user for by_user in found.values() for user in by_user})
    if not users:
        return None
    series = [
        Series(
            name=f"{models}m",
            points=[(float(x), value(cells)) for x, cells in sorted(by_user.items())],
            tone=SERIES[i % len(SERIES)],
            sign=ascii_lowercase[i % len(ascii_lowercase)],
            dotted=True,
        )
        for i, (models, by_user) in enumerate(sorted(found.items()))
    ]
    return Chart(
        series=series,
        x_limits=(0.0, float(users[-1])),
        x_ticks=[(float(x), str(x)) for x in _spread(users)],
    )


def _successes(cells: Sequence[CellFinished]) -> Buckets:
    return merge(successes(it.requests) for it in cells)


def _spread(users: Sequence[int]) -> list[int]:
    """Return those of the numbers that can stand beside each other below an axis."""
    kept: list[int] = []
    for value in users:
        if not kept or value - kept[-1] >= users[-1] / 10:
            kept.append(value)
    return kept
