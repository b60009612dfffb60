"""Runs and their results: a list, cells as rows of a table, the lines of two charts. Pure."""

from collections.abc import Sequence
from string import ascii_lowercase

from loadbench.engine.catalog import Catalog
from loadbench.engine.journal.state import RunState
from loadbench.engine.numbers import latency, number
from loadbench.engine.report import repeats
from loadbench.engine.report.by_level import LevelCurve, p90_ms_by_level, rps_by_level
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.rows import PERCENTILE_NAMES, Row
from loadbench.engine.report.sorting import SortKey, has_repeats, sort_rows
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.plot import Chart, Series
from loadbench.ui.lines.run import run_line
from loadbench.ui.lines.text import SERIES, Line, MenuEntry, Tone, line, wrap
from loadbench.wording import repeats_used, span, span_legend, spawn_rate, standing

_PROBLEM_COLUMNS = 36

REPEAT = "#"
COLUMNS: tuple[tuple[str, SortKey], ...] = (
    ("m", SortKey.MODELS),
    ("u", SortKey.LEVEL),
    ("s", SortKey.SPAWN_RATE),
    (REPEAT, SortKey.REPEAT),
    ("req/s", SortKey.RPS),
    *((name, SortKey(column)) for column, name in PERCENTILE_NAMES.items()),
    ("fails", SortKey.FAILURES),
    ("verdict", SortKey.VERDICT),
)
"""The name of each column, and what it is sorted by; `#` is the repeat, `1+` the recheck.

`cell_values` gives the values, in the same order."""

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
    repeated = has_repeats(rows)
    return [i for i, (name, _) in enumerate(COLUMNS) if repeated or name != REPEAT]


def cell_values(row: Row) -> tuple[str, ...]:
    """Return what stands in the columns of a cell's row; latencies in ms, of successes."""
    return (
        str(row.models),
        row.level.label,
        spawn_rate(row.level),
        "1+" if row.is_recheck else str(row.repeat),
        number(row.rps),
        *(
            latency(getattr(row, name), backed=row.has_enough_samples(name))
            for name in PERCENTILE_NAMES
        ),
        "-" if row.failures is None else str(row.failures),
        standing(row),
    )


def sorted_rows(rows: Sequence[Row], column: int | None, *, falling: bool) -> list[Row]:
    """Return the rows by a column, those without a value last; None: as they were planned."""
    if column is None:
        return list(rows)
    return sort_rows(rows, COLUMNS[column][1], is_descending=falling)


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


def latency_by_level(state: RunState) -> Chart | None:
    """Return a chart of p90 against load, in ms, a line per number of models.

    None: no cell has a number.
    """
    return _chart(p90_ms_by_level(state), _unit(state))


def throughput_by_level(state: RunState) -> Chart | None:
    """Return a chart of requests a second against load, a line per number of models.

    None: no cell has a number.
    """
    return _chart(rps_by_level(state), _unit(state))


def _unit(state: RunState) -> str:
    return next((it.cell.level.unit for it in state.cells.values()), "")


def _chart(curves: Sequence[LevelCurve], unit: str) -> Chart | None:
    amounts = sorted({x for curve in curves for x, _ in curve.points})
    if not amounts:
        return None
    series = [
        Series(
            name=f"{curve.models}m",
            points=list(curve.points),
            tone=SERIES[i % len(SERIES)],
            sign=ascii_lowercase[i % len(ascii_lowercase)],
            dotted=True,
        )
        for i, curve in enumerate(curves)
    ]
    return Chart(
        series=series,
        by=unit,
        x_limits=(0.0, amounts[-1]),
        x_ticks=[(x, f"{x:g}") for x in _spread(amounts)],
    )


def _spread(amounts: Sequence[float]) -> list[float]:
    """Return those of the numbers that can stand beside each other below an axis."""
    kept: list[float] = []
    for value in amounts:
        if not kept or value - kept[-1] >= amounts[-1] / 10:
            kept.append(value)
    return kept
