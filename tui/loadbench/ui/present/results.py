"""Runs and their results: a list, cells as rows of a table, the lines of two charts. Pure."""

from collections.abc import Callable, Sequence
from statistics import mean

from loadbench.engine.report.rows import Row
from loadbench.text import number, standing
from loadbench.ui.catalog import Catalog
from loadbench.ui.present.glyphs import Glyphs
from loadbench.ui.present.lines import SERIES, Entry, Line, Tone, line, wrap
from loadbench.ui.present.plot import Chart, Series
from loadbench.ui.present.profiles import run_line

_PROBLEM_COLUMNS = 36

COLUMNS: tuple[tuple[str, Callable[[Row], object]], ...] = (
    ("models", lambda row: row.models),
    ("users", lambda row: row.users),
    ("rate", lambda row: row.spawn_rate),
    ("req/s", lambda row: row.rps),
    ("p50", lambda row: row.p50_ms),
    ("p90", lambda row: row.p90_ms),
    ("p95", lambda row: row.p95_ms),
    ("p99", lambda row: row.p99_ms),
    ("max", lambda row: row.max_ms),
    ("fails", lambda row: row.failures),
    ("verdict", lambda row: row.verdict),
)
"""The name of each column, and what it is sorted by."""


def run_entries(catalog: Catalog, glyphs: Glyphs) -> list[Entry]:
    """Return all runs as entries of a list, under the names of their profiles."""
    entries: list[Entry] = []
    for profile in sorted({run.folder.parent.name for run in catalog.runs}):
        entries.append(Entry("", (line((profile, Tone.STRONG)),)))
        entries += [
            Entry(run.name, ((*line(" "), *run_line(run, glyphs)),))
            for run in catalog.of_profile(profile)
        ]
    for problem in catalog.unreadable:
        told = wrap(line((f"unreadable: {problem}", Tone.BAD)), _PROBLEM_COLUMNS)
        entries.append(Entry("", tuple(told)))
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


def cell_values(row: Row) -> tuple[str, ...]:
    """Return what stands in the columns of a cell's row; latencies in ms, of successes."""
    return (
        str(row.models),
        str(row.users),
        f"{row.spawn_rate:g}",
        number(row.rps),
        number(row.p50_ms),
        number(row.p90_ms),
        number(row.p95_ms),
        number(row.p99_ms),
        number(row.max_ms),
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


def by_users(rows: Sequence[Row], value: Callable[[Row], float | None]) -> Chart | None:
    """Return a chart of a number against users, a line per number of models.

    Cells of the same users and models (spawn rates, repeats) are averaged. None: no cell has it.
    """
    found: dict[int, dict[int, list[float]]] = {}
    for row in rows:
        y = value(row)
        if y is not None:
            found.setdefault(row.models, {}).setdefault(row.users, []).append(y)
    if not found:
        return None
    users = sorted({row.users for row in rows})
    series = [
        Series(
            name=f"{models}m",
            points=[(float(x), mean(ys)) for x, ys in sorted(points.items())],
            tone=SERIES[i % len(SERIES)],
            sign=str(models)[-1],
            dotted=True,
        )
        for i, (models, points) in enumerate(sorted(found.items()))
    ]
    return Chart(
        series=series,
        x_limits=(0.0, float(users[-1])),
        x_ticks=[(float(x), str(x)) for x in _spread(users)],
    )


def _spread(users: Sequence[int]) -> list[int]:
    """Return those of the numbers that can stand beside each other below an axis."""
    kept: list[int] = []
    for value in users:
        if not kept or value - kept[-1] >= users[-1] / 10:
            kept.append(value)
    return kept
