"""The list of runs, and the cells of a run as table rows."""

from collections.abc import Sequence

from loadbench.engine.catalog import Catalog
from loadbench.engine.numbers import number
from loadbench.engine.report import repeats
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.measurements.metric import measurement_metrics
from loadbench.engine.report.metrics import (
    LATENCIES,
    AnyMetric,
    GoalState,
    Metric,
    goal_state,
    own_state,
)
from loadbench.engine.report.recommendation.sentences import short_answer
from loadbench.engine.report.rows import PERCENTILE_NAMES, Row
from loadbench.engine.report.sorting import SortKey, has_repeats, sort_rows
from loadbench.engine.run_reader import Run
from loadbench.ui.lines.glyphs import BASELINE, CANDIDATE, Glyphs
from loadbench.ui.lines.matrix import verdict_tone
from loadbench.ui.lines.metric import GOAL_TONES
from loadbench.ui.lines.recommendation import answer_lines
from loadbench.ui.lines.run import run_line, traits_line, traits_of
from loadbench.ui.lines.target import target_line, target_of
from loadbench.ui.lines.text import Line, MenuEntry, Piece, Tone, justify, line, short_name, wrap
from loadbench.ui.study.lines import study_entry
from loadbench.wording import ESTIMATE_LEGEND, outcome_line, spawn_rate
from loadbench.wording.repeats import interval_legend, repeats_used, span

RATE, REPEAT, GOAL, VERDICT = "rate", "rep", "goal", "verdict"
COLUMNS: tuple[tuple[str, SortKey], ...] = (
    ("models", SortKey.MODELS),
    ("users", SortKey.LEVEL),
    (RATE, SortKey.SPAWN_RATE),
    (REPEAT, SortKey.REPEAT),
    ("req/s", SortKey.RPS),
    *((name, SortKey(column)) for column, name in PERCENTILE_NAMES.items()),
    ("fails", SortKey.FAILURES),
    (GOAL, SortKey.GOAL),
    (VERDICT, SortKey.VERDICT),
)
"""The header of each column and its sort key.

`cell_values` returns the values in the same order. `rep` is the number of the repeat; `1+` stands
for the recheck."""
GOAL_COLUMNS = {
    {Metric.RPS: "req/s", Metric.FAILURES: "fails"}.get(metric, metric.value): metric
    for metric in Metric
    if metric.goal
}
"""The metric in each column that a goal can limit."""
UNDECIDED_LEGEND = "? undecided: too few requests"
DISPENSABLE = ("p99.9", "max", RATE, "p90", "p50", "p99")
"""Columns to omit if the table is too wide, in this order. A column with a goal is kept."""
_ENTRY_INDENT = 3
"""Columns before the settings of a run in the list, so that they start below its time."""


def run_entries(
    catalog: Catalog, glyphs: Glyphs, columns: int, marks: Sequence[str] = ()
) -> list[MenuEntry]:
    """Return all studies and runs as list entries, or a hint if there are no runs.

    The studies come first, then the runs by profile. The newest runs, and the profiles with the
    newest runs, come first.

    Args:
        catalog: The studies and runs.
        glyphs: The terminal's character set.
        columns: Width of the list.
        marks: Names of the marked runs: the baseline, then the candidate.
    """
    if not (catalog.runs or catalog.studies or catalog.unreadable):
        return [MenuEntry("", tuple(no_runs(columns, complete=catalog.complete)))]
    entries = [
        MenuEntry("", tuple(wrap(line((f"Unreadable: {problem}", Tone.BAD)), columns)))
        for problem in catalog.unreadable
    ]
    if catalog.studies:
        entries.append(MenuEntry("", (line(("studies", Tone.STRONG)),)))
        entries += [study_entry(study, columns) for study in catalog.studies]
    # The runs are sorted, so the profile of the newest run is the first.
    for profile in dict.fromkeys(run.folder.parent.name for run in catalog.runs):
        entries.append(MenuEntry("", (line((profile, Tone.STRONG)),)))
        entries += [
            MenuEntry(run.name, tuple(_run_entry(run, glyphs, columns, marks)))
            for run in catalog.of_profile(profile)
        ]
    return entries


def _run_entry(run: Run, glyphs: Glyphs, columns: int, marks: Sequence[str]) -> list[Line]:
    """Return a run as a list entry: its status, with its recommendation if it fits, and settings.

    The sign of a marked run comes first.

    A long label is wrapped.
    """
    found = run.recommendation
    signs = dict(zip(marks, (BASELINE, CANDIDATE), strict=False))
    mark = (signs.get(run.name, " "), Tone.ACCENT)
    short = (f"{short_answer(found)} ", Tone.DIM) if found else ""
    status = justify((*line(mark), *run_line(run, glyphs)), [line(short)], columns)
    indent = Piece(" " * _ENTRY_INDENT)
    traits = traits_line(run.state, glyphs, columns - _ENTRY_INDENT)
    return [status, *wrap((indent, *traits), columns, indent=_ENTRY_INDENT)]


def marks_legend(marks: Sequence[str]) -> str:
    """Return the meaning of the signs of marked runs. Empty if no run is marked.

    Args:
        marks: Names of the marked runs: the baseline, then the candidate.
    """
    return ", ".join((f"{BASELINE} baseline", f"{CANDIDATE} candidate")[: len(marks)])


def charted_metrics(run: Run | None) -> tuple[AnyMetric, ...]:
    """Return the metrics that the left chart can show of a run."""
    return (*LATENCIES, Metric.FAILURES, *(measurement_metrics(run.state) if run else ()))


def no_runs(columns: int, *, complete: bool) -> list[Line]:
    """Return the text for an empty list of runs.

    Args:
        columns: Width of the list.
        complete: Whether all runs have been read.
    """
    if not complete:
        return [line(("Loading runs…", Tone.DIM))]
    hint = line(
        *("Press ", ("Esc", Tone.ACCENT), " to return to the profiles, then "),
        *(("Enter", Tone.ACCENT), " on a profile to start a run."),
    )
    return [line(("No runs yet.", Tone.STRONG)), *wrap(hint, columns)]


def run_lines(run: Run, glyphs: Glyphs, columns: int) -> list[Line]:
    """Return the recommendation of a run, its name, its cells, its settings, and what it measures.

    The settings are those that the list of runs may have no room for.

    Args:
        run: The run.
        glyphs: The terminal's character set.
        columns: Maximum width of a line.
    """
    lines = answer_lines(run.recommendation, columns - 1) if run.recommendation else []
    lines.append(line((f"{run.name}  ", Tone.STRONG), outcome_line(run.state)))
    if run.state.label or traits_of(run.state).overrides:
        lines += wrap(traits_line(run.state, glyphs, None), columns - 1)
    target = target_line(target_of(run.state), columns)
    return [*(line(" ", *text) for text in lines), *([target] if target else [])]


def columns_of(rows: Sequence[Row]) -> list[int]:
    """Return the indices of the columns to show.

    `rep` is shown only for runs with repeats, and `goal` only for cells with goals.
    """
    hidden = {
        *(() if has_repeats(rows) else (REPEAT,)),
        *(() if any(row.checks for row in rows) else (GOAL,)),
    }
    return [i for i, (name, _) in enumerate(COLUMNS) if name not in hidden]


def dispensable_columns(rows: Sequence[Row]) -> list[int]:
    """Return the indices of columns that a narrow table omits, the least important first.

    Columns with a goal are kept, and `rate` unless all cells have the same rate.
    """
    kept = {name for row in rows for name, metric in GOAL_COLUMNS.items() if own_state(row, metric)}
    if len({spawn_rate(row.level) for row in rows}) > 1:
        kept.add(RATE)
    names = [name for name, _ in COLUMNS]
    return [names.index(name) for name in DISPENSABLE if name not in kept]


def cell_values(row: Row) -> tuple[str, ...]:
    """Return the value of every column for a cell. Latencies of successful requests are in ms."""
    return (
        str(row.models),
        row.level.label,
        spawn_rate(row.level),
        "1+" if row.is_recheck else str(row.repeat),
        number(row.rps),
        *map(row.latency_text, PERCENTILE_NAMES),
        "-" if row.failures is None else str(row.failures),
        goal_state(row) or "-",
        row.verdict,
    )


def value_tone(row: Row, column: int) -> Tone:
    """Return the tone of a value: that of the verdict, or of the goal that limits it."""
    name, _ = COLUMNS[column]
    if name == VERDICT:
        return verdict_tone(row)
    state = own_state(row, GOAL_COLUMNS[name]) if name in GOAL_COLUMNS else None
    if name == GOAL:
        state = goal_state(row)
    return GOAL_TONES[state] if state else Tone.PLAIN


def table_legend(rows: Sequence[Row], columns: Sequence[int], width: int) -> str:
    """Return the units of the table, and the meaning of `~` and `?` if values have it.

    Args:
        rows: The cells.
        columns: The columns shown.
        width: Maximum width. If the legend is wider, it has no explanations.
    """
    names = {COLUMNS[column][0] for column in columns}
    parts = ["rate: users/s, latency: ms" if RATE in names else "latency: ms"]
    if any(names.intersection(row.few_samples.split()) for row in rows):
        parts.append(ESTIMATE_LEGEND)
    if any(goal_state(row) is GoalState.UNDECIDED for row in rows):
        parts.append(UNDECIDED_LEGEND)
    main = next((row.main for row in rows if row.main), None)
    units = f"results of {main}; {parts[0]}" if main else parts[0]
    short = [part.partition(":")[0] for part in parts[1:]]
    cut = f"results of {short_name(main)}; {parts[0]}" if main else units
    legends = ("; ".join(some) for some in ([units, *parts[1:]], [units, *short], [cut, *short]))
    return next((legend for legend in legends if len(legend) <= width), "; ".join([cut, *short]))


def sorted_rows(rows: Sequence[Row], column: int | None, *, is_descending: bool) -> list[Row]:
    """Return the rows sorted by a column, missing values last, or in planned order for None."""
    if column is None:
        return list(rows)
    return sort_rows(rows, COLUMNS[column][1], is_descending=is_descending)


def repeated_lines(run: Run, columns: int) -> list[Line]:
    """Return the drift, and the medians of repeats with their intervals and a legend.

    The list is empty if the run has neither repeats nor a recheck.
    """
    groups = repeats.groups(run.rows)
    lines = []
    if drift := drift_of(run.state):
        lines.append(line((drift.sentence, Tone.WARN if drift.reason else Tone.PLAIN)))
    lines += [_group_line(group) for group in groups]
    lines += [line((legend, Tone.DIM)) for legend in interval_legend(groups)]
    return [part for text in lines for part in wrap(text, columns, indent=2)]


def _group_line(group: repeats.Group) -> Line:
    rps, p50, p95, p99 = (
        span(group.intervals[name]) for name in ("rps", "p50_ms", "p95_ms", "p99_ms")
    )
    return line(
        (group.cell, Tone.STRONG),
        f"  {repeats_used(group)} repeats: {rps} req/s, p50 {p50}, p95 {p95}, p99 {p99} ms",
    )
