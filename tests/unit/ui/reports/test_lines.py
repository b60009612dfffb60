"""The list of runs, the cell table and the charts of the reports."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.catalog import Catalog
from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.target import Target
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.rows import Row, rows
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.charts.axes import time_ticks
from loadbench.ui.lines.charts.by_level import chart_by_level
from loadbench.ui.lines.charts.plot import Chart, PlotPoint, Series
from loadbench.ui.lines.charts.series import goal_note
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.matrix import verdict_tone
from loadbench.ui.lines.text import SERIES, Tone, plain, width
from loadbench.ui.reports.lines import (
    COLUMNS,
    cell_values,
    charted_metrics,
    columns_of,
    dispensable_columns,
    repeated_lines,
    run_entries,
    run_lines,
    sorted_rows,
    table_legend,
    value_tone,
)
from loadbench.wording import ESTIMATE_LEGEND
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    requests,
    run_started,
    state_after,
    swept,
)
from tests.support.goal_cells import (
    FAILING,
    INVALID,
    MISSED,
    NEAR,
    PASSED,
    SUSPECT,
    UNDECIDED,
    goal_state_run,
)


def points(chart: Chart) -> dict[str, list[PlotPoint]]:
    """The points of each series by its name."""
    return {one.name: list(one.points) for one in chart.series}


def chart(*lines: Sequence[PlotPoint], right: bool = False, **changes: object) -> Chart:
    """A chart of ten seconds, with the last series on the right axis if `right`."""
    series = [
        Series(
            name=f"line {i}",
            points=line,
            tone=SERIES[i],
            sign=".o*"[i],
            right=right and i == len(lines) - 1,
        )
        for i, line in enumerate(lines)
    ]
    made = Chart(series=series, x_limits=(0.0, 10.0), x_ticks=time_ticks(10), marks=[5.0])
    return replace(made, **changes)  # type: ignore[arg-type]  # names are Chart's own


# Cells


def row(models: int = 1, users: int = 2, **changes: object) -> Row:
    """A measured cell."""
    profile = make_profile(models=[models], users=[users])
    key = f"m{models}_u{users}_s2"
    state = state_after(run_started(profile), cell_started(key), cell_finished(key))
    return replace(rows(state)[0], **changes)  # type: ignore[arg-type]  # names are Row's own


def column(name: str) -> int:
    """The index of a column."""
    return [title for title, _ in COLUMNS].index(name)


def test_rows_keep_the_planned_order_without_a_sort_column() -> None:
    planned = [row(2), row(1)]

    assert sorted_rows(planned, None, is_descending=False) == planned
    assert sorted_rows(planned, None, is_descending=True) == planned


@pytest.mark.parametrize(("is_descending", "expected"), [(False, [1, 3, 2]), (True, [3, 1, 2])])
def test_missing_values_are_last_in_both_directions(
    is_descending: bool, expected: list[int]
) -> None:
    planned = [row(3, rps=9.0), row(2, rps=None), row(1, rps=5.0)]

    ordered = sorted_rows(planned, column("req/s"), is_descending=is_descending)

    assert [cell.models for cell in ordered] == expected


def test_rows_with_equal_values_keep_their_order() -> None:
    planned = [row(2), row(1), row(3)]

    for is_descending in (False, True):
        assert sorted_rows(planned, column("users"), is_descending=is_descending) == planned


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [
        ("valid", Tone.GOOD),
        ("suspect", Tone.WARN),
        ("invalid", Tone.BAD),
        ("failed", Tone.BAD),
        ("skipped", Tone.WARN),
        ("pending", Tone.DIM),
        ("running", Tone.ACCENT),
    ],
)
def test_each_verdict_has_a_tone(verdict: str, tone: Tone) -> None:
    assert verdict_tone(row(verdict=verdict)) is tone


def test_the_legend_names_the_units_and_the_mark_of_estimates() -> None:
    shown, few = columns_of([row()]), [row(few_samples="p99")]

    assert table_legend([row(few_samples="")], shown, 80) == "rate: users/s, latency: ms"
    assert table_legend(few, shown, 80) == f"rate: users/s, latency: ms; {ESTIMATE_LEGEND}"
    assert table_legend(few, shown, 50) == "rate: users/s, latency: ms; ~ estimate"
    without = [column("users"), column("p95")]
    assert table_legend(few, without, 80) == "latency: ms"


@pytest.mark.parametrize("number", range(len(COLUMNS)))
def test_every_column_can_be_sorted_with_failed_cells(number: int) -> None:
    begun = run_started(make_profile(models=[1, 2, 3]))
    state = state_after(
        begun, cell_started(), cell_finished(), cell_started("m2_u2_s2"), cell_failed("m2_u2_s2")
    )

    ordered = sorted_rows(rows(state), number, is_descending=True)

    assert {row.cell for row in ordered} == {cell.key for cell in begun.cells}


def test_each_value_of_a_row_is_in_its_column() -> None:
    values = dict(zip((title for title, _ in COLUMNS), cell_values(row(3, 20)), strict=True))

    assert values == {
        **dict.fromkeys(("p50", "p90", "p95", "max"), "10.0"),
        **dict.fromkeys(("p99", "p99.9"), "~10.0"),
        "models": "3",
        "users": "20",
        "rate": "2",
        "rep": "1",
        "req/s": "40.0",
        "fails": "0",
        "goal": "-",
        "verdict": "valid",
    }


def test_a_pending_cell_has_no_values() -> None:
    (pending,) = rows(state_after(run_started()))

    assert cell_values(pending)[4:] == (*9 * ("-",), "pending")


def test_values_have_the_tones_of_their_goals() -> None:
    tones = {
        cell.cell: {name: value_tone(cell, i) for i, (name, _) in enumerate(COLUMNS)}
        for cell in rows(goal_state_run())
    }

    for name in ("p95", "goal"):
        assert tones[PASSED][name] is Tone.GOOD
        assert tones[NEAR][name] is Tone.NEAR
        assert tones[MISSED][name] is Tone.BAD
        assert tones[UNDECIDED][name] is Tone.DIM
        assert tones[INVALID][name] is Tone.PLAIN
    assert (tones[SUSPECT]["goal"], tones[SUSPECT]["verdict"]) == (Tone.GOOD, Tone.WARN)
    failing = tones[FAILING]
    assert (failing["p95"], failing["fails"], failing["goal"]) == (Tone.GOOD, Tone.BAD, Tone.BAD)
    assert {failing[name] for name in ("models", "users", "req/s", "p50", "max")} == {Tone.PLAIN}


def test_the_column_of_goals_has_a_word_for_every_state() -> None:
    cells = rows(goal_state_run())

    words = [cell_values(cell)[column("goal")] for cell in cells]

    assert words == ["pass", "?", "miss", "near", "pass", "-", "miss", "-", "-"]
    assert column("goal") in columns_of(cells)


def test_a_narrow_table_keeps_columns_with_goals_and_different_rates() -> None:
    names = [title for title, _ in COLUMNS]
    with_goals = [names[i] for i in dispensable_columns(rows(goal_state_run()))]
    rates = rows(swept(make_profile(spawn_rates=[1, 2])))

    assert with_goals == ["p99.9", "max", "rate", "p90", "p50", "p99"]
    p90_goal = rows(swept(make_profile(goals={"p90_ms": 5})))
    assert "p90" not in [names[i] for i in dispensable_columns(p90_goal)]
    assert "rate" not in [names[i] for i in dispensable_columns(rates)]


def test_the_legend_explains_undecided_goals() -> None:
    cells = rows(goal_state_run())
    shown = columns_of(cells)

    assert table_legend(cells, shown, 200).endswith("; ? undecided: too few requests")
    assert table_legend(cells, shown, 60).endswith("; ~ estimate; ? undecided")


def test_the_repeat_column_is_shown_only_for_repeats() -> None:
    names = [title for title, _ in COLUMNS]

    shown = [names[i] for i in columns_of([row()])]
    assert shown == [name for name in names if name not in ("rep", "goal")]
    repeated = [names[i] for i in columns_of([row(), row(repeat=2)])]
    assert repeated == [name for name in names if name != "goal"]


def test_the_recheck_is_marked_and_sorted_after_the_repeats() -> None:
    state = swept(make_profile(repeats=2, recheck_first=True))

    first, second, again = sorted_rows(rows(state), column("rep"), is_descending=False)

    values = [cell_values(row)[column("rep")] for row in (first, second, again)]
    assert values == ["1", "2", "1+"]
    assert column("rep") in columns_of([again])


def test_the_recheck_is_not_in_the_charts() -> None:
    state = swept(make_profile(recheck_first=True), m1_u2_s2_recheck={"completed": 4})

    made = chart_by_level(state, Metric.RPS)

    assert made is not None
    assert points(made) == {"1 model": [(2.0, 40.0)]}


def test_repeats_are_summarised_with_drift_medians_and_a_legend() -> None:
    state = swept(make_profile(repeats=2, recheck_first=True), m1_u2_s2_r2={"completed": 300})
    drift = drift_of(state)
    assert drift is not None

    lines = repeated_lines(run_of(state), 75)

    assert [plain(text).rstrip() for text in lines] == [
        "Recheck of m1_u2_s2 at the end: 40.0 → 40.0 req/s (+0.0 %), p50 10.0 → 10.0",
        "  ms (+0.0 %), p95 10.0 → 10.0 ms (+0.0 %)",
        "m1_u2_s2  2 repeats: 35.0 [30.0, 40.0] req/s, p50 10.0 [10.0, 10.0], p95",
        "  10.0 [10.0, 10.0], p99 10.0 [10.0, 10.0] ms",
        "[low, high]: range of all repeats, which contains the true median with a",
        "  probability of 50 % with 2 repeats; 95 % requires 6 repeats",
    ]
    assert all(width(text) <= 75 for text in lines)
    assert repeated_lines(run_of(swept(make_profile())), 75) == []


def test_a_chart_over_users_has_a_series_for_each_number_of_models() -> None:
    state = swept(make_profile(models=[2, 1], users=[8, 4]), m1_u4_s2={"completed": 70})

    made = chart_by_level(state, Metric.RPS)

    assert made is not None
    assert points(made) == {"1": [(4.0, 7.0), (8.0, 40.0)], "2 models": [(4.0, 40.0), (8.0, 40.0)]}
    assert [one.tone for one in made.series] == list(SERIES[:2])
    assert made.x_limits == (0.0, 8.0)
    assert list(made.x_ticks) == [(4.0, "4"), (8.0, "8")]


def test_repeats_share_a_point_computed_from_all_their_requests() -> None:
    slow = {"requests": requests(((100.0, 300),)), "completed": 100}
    state = swept(make_profile(repeats=2), m1_u2_s2_r2=slow)

    latency, throughput = chart_by_level(state, Metric.P90), chart_by_level(state, Metric.RPS)

    assert latency is not None
    assert throughput is not None
    # The p90 of 400 requests of 10 ms and 300 of 100 ms, not the mean of two percentiles.
    assert points(latency) == {"1 model": [(2.0, 100.0)]}
    assert points(throughput) == {"1 model": [(2.0, 25.0)]}


@pytest.mark.parametrize(
    ("metric", "label", "goal", "note"),
    [
        (Metric.P95, "p95 (ms)", 15.0, "┈ goal 15"),
        (Metric.P99, "p99 (ms)", 500.0, "goal 500 (above)"),
        (Metric.P90, "p90 (ms)", None, ""),
        (Metric.RPS, "req/s", 30.0, "┈ goal 30"),
        (Metric.FAILURES, "failures (%)", 1.0, "goal 1 (above)"),
    ],
)
def test_a_chart_has_the_goal_of_its_metric(
    metric: Metric, label: str, goal: float | None, note: str
) -> None:
    goals = {"p95_ms": 15, "p99_ms": 500, "min_rps": 30, "failure_ratio": 0.01}

    made = chart_by_level(swept(make_profile(goals=goals)), metric)

    assert made is not None
    assert (made.label, made.goal, goal_note(made)) == (label, goal, note)


def test_failures_are_charted_in_percent() -> None:
    failing = {"requests": requests(((10.0, 90),), ((1.0, 10),))}

    made = chart_by_level(swept(make_profile(), m1_u2_s2=failing), Metric.FAILURES)

    assert made is not None
    assert points(made) == {"1 model": [(2.0, 10.0)]}


def test_a_bottleneck_has_no_chart() -> None:
    assert chart_by_level(swept(make_profile()), Metric.BOTTLENECK) is None
    assert Metric.BOTTLENECK not in charted_metrics(None)


def test_invalid_cells_are_not_in_the_charts() -> None:
    invalid = {"verdict": Verdict.INVALID}
    state = swept(make_profile(models=[1, 2], users=[2, 50]), m2_u50_s2=invalid, m1_u50_s2=invalid)

    made = chart_by_level(state, Metric.RPS)

    assert made is not None
    assert points(made) == {"1": [(2.0, 40.0)], "2 models": [(2.0, 40.0)]}
    assert made.x_limits == (0.0, 2.0)


def test_without_a_finished_cell_there_is_no_chart() -> None:
    begun = state_after(run_started(), cell_started(), cell_failed())

    assert chart_by_level(begun, Metric.P90) is None
    assert chart_by_level(begun, Metric.RPS) is None


def test_series_that_share_a_colour_have_different_signs() -> None:
    made = chart_by_level(swept(make_profile(models=[*range(1, 12)])), Metric.RPS)

    assert made is not None
    assert [one.tone for one in made.series[:8]] == [*SERIES, *SERIES[:2]]
    assert len({one.sign for one in made.series}) == 11


@given(st.sets(st.integers(1, 2000), min_size=1, max_size=12))
@settings(max_examples=25)
def test_the_ticks_of_users_do_not_overlap(users: set[int]) -> None:
    made = chart_by_level(swept(make_profile(users=sorted(users))), Metric.RPS)

    assert made is not None
    ticks = [at for at, _ in made.x_ticks]
    assert ticks[0] == min(users)
    gaps = [b - a for a, b in pairwise(ticks)]
    assert all(gap >= max(users) / 10 for gap in gaps)


# The list of runs


def run_of(state: RunState, name: str = "made", status: RunStatus = RunStatus.DONE) -> Run:
    return Run(Path("/nowhere/reports") / name, state, status)


def run(name: str, status: RunStatus = RunStatus.DONE) -> Run:
    """A run with one measured cell."""
    state = state_after(run_started(), cell_started(), cell_finished())
    return run_of(state, name, status)


def test_runs_are_grouped_by_profile_and_the_newest_come_first() -> None:
    catalog = Catalog(
        runs=(
            run("with_cpu/20261123-120000", RunStatus.LIVE),
            run("demo/20261122-130000"),
            run("demo/20261122-120000", RunStatus.INTERRUPTED),
        )
    )

    entries = run_entries(catalog, UNICODE, 36)

    assert [(entry.key, plain(entry.lines[0]).rstrip()) for entry in entries] == [
        ("", "with_cpu"),
        ("with_cpu/20261123-120000", " ▶ 23 Nov 12:00 live        1/1"),
        ("", "demo"),
        ("demo/20261122-130000", " ● 22 Nov 13:00 done        1/1"),
        ("demo/20261122-120000", " ! 22 Nov 12:00 interrupted 1/1"),
    ]
    assert [plain(text) for text in entries[1].lines[1:]] == ["   cpu · batch 1 · local"]


def test_the_selected_run_states_what_it_measures() -> None:
    folder = Path("/nowhere/reports/demo/20261122-072100")
    started = replace(run_started(), target=Target(address="port 8000 of api", scaled="api"))
    measured = (cell_started(), cell_finished())
    without, run = (
        Run(folder, state_after(first, *measured), RunStatus.DONE)
        for first in (run_started(), started)
    )

    lines = run_lines(run, UNICODE, 80)

    assert plain(lines[-1]) == " Requests to port 8000 of api · Scaled: api"
    assert lines[:-1] == run_lines(without, UNICODE, 80)


def test_unreadable_journals_are_listed_and_cannot_be_selected() -> None:
    problem = "/tmp/reports/demo/20261122-120000/journal.jsonl: its first line cannot be read"

    (entry,) = run_entries(Catalog(unreadable=(problem,)), UNICODE, 36)

    assert entry.key == ""
    assert all(width(line) <= 36 for line in entry.lines)
    text = "".join(plain(line) for line in entry.lines).replace(" ", "")
    assert text == f"Unreadable: {problem}".replace(" ", "")


def test_an_empty_list_states_what_to_do_once_all_runs_are_read() -> None:
    (loading,) = run_entries(Catalog(), UNICODE, 36)
    (empty,) = run_entries(Catalog(complete=True), UNICODE, 36)

    assert [plain(line) for line in loading.lines] == ["Loading runs…"]
    assert empty.key == ""
    assert [plain(line).rstrip() for line in empty.lines] == [
        "No runs yet.",
        "Press Esc to return to the profiles,",
        "then Enter on a profile to start a",
        "run.",
    ]
