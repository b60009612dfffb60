"""How values look in plain text."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import (
    CellPhase,
    Event,
    Note,
    Phase,
    Result,
    RunFinished,
    RunResumed,
    StackProgress,
    Verdict,
)
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.numbers import number
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.repeats import groups
from loadbench.wording import (
    CELL_LEGEND,
    RATE_LEGEND,
    cells_table,
    event_line,
    outcome_line,
    progress_line,
    repeats_table,
    span_legend,
    table,
    wrapped,
)
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    entries,
    make_profile,
    requests,
    run_started,
    sample,
    state_after,
)

BEGUN = run_started(make_profile(models=[1, 2, 3]))
SUSPECT = cell_finished(verdict=Verdict.SUSPECT, reasons=("not settled: too few",))
words = st.text(st.characters(categories=["L", "N"]), min_size=1)


def line_of(*events: Event) -> str | None:
    """What is told of the last of the events."""
    *before, last = entries([BEGUN, *events])
    return event_line(last, fold([*before, last]))


# Tables


def test_names_stand_left_and_numbers_right() -> None:
    assert table(("cell", "req/s"), [("m1", "9"), ("m10_u5", "120")]) == [
        "cell    req/s",
        "m1          9",
        "m10_u5    120",
    ]


def test_a_last_column_of_words_stands_left_too() -> None:
    assert table(("cell", "fails", "verdict "), [("m1", "0", "valid"), ("m2", "12", "x: y")]) == [
        "cell  fails  verdict",
        "m1        0  valid",
        "m2       12  x: y",
    ]


def test_more_columns_may_stand_left() -> None:
    assert table(("a", "b", "c"), [("x", "yy", "1"), ("xx", "y", "22")], left=2) == [
        "a   b    c",
        "x   yy   1",
        "xx  y   22",
    ]


def test_a_table_without_rows_is_its_header() -> None:
    assert table(("cell", "req/s"), []) == ["cell  req/s"]


@given(st.lists(st.tuples(words, words, words)))
def test_every_value_stands_in_its_column(body: list[tuple[str, str, str]]) -> None:
    lines = table(("a", "b", "c"), body)
    assert [tuple(line.split()) for line in lines[1:]] == body
    assert len({len(line) for line in lines}) == 1


# Numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (0.0123, "0.0123"),
        (9.876, "9.88"),
        (43.25, "43.2"),
        (99.96, "100"),
        (123.4, "123"),
        (999.6, "1000"),
        (8231.0, "8231"),
        (120_000.0, "120000"),
        (-250.4, "-250"),
    ],
)
def test_a_number_has_three_digits_and_no_exponent(value: float | None, text: str) -> None:
    assert number(value) == text


@given(st.floats(0.001, 1e7))
def test_a_number_is_told_within_half_a_percent(value: float) -> None:
    assert abs(float(number(value)) - value) <= 0.005 * value * (1 + 1e-9)


# A run


def test_a_run_s_cells_are_a_table_with_what_became_of_each() -> None:
    failed = (cell_started("m2_u2_s2"), cell_failed("m2_u2_s2"))
    header, *lines = cells_table(state_after(BEGUN, cell_started(), SUSPECT, *failed))[:4]
    assert [line.split()[0] for line in lines] == ["m1_u2_s2", "m2_u2_s2", "m3_u2_s2"]
    column = header.index("verdict")
    assert [line[column:] for line in lines] == ["suspect", "failed", "not run"]


def test_below_the_table_stands_why_cells_are_in_doubt() -> None:
    failed = (cell_started("m2_u2_s2"), cell_failed("m2_u2_s2"))
    lines = cells_table(state_after(BEGUN, cell_started(), SUSPECT, *failed))
    assert lines[-3:] == [
        "",
        "m1_u2_s2 suspect: not settled: too few",
        "m2_u2_s2 failed: model-1 ended (137)",
    ]
    assert cells_table(state_after(BEGUN))[-2] == CELL_LEGEND
    assert len(CELL_LEGEND) <= 80


REPEATED = make_profile(repeats=3)
"""m1_u2_s2, three times."""


def swept(profile: Profile, *slower: float) -> RunState:
    """A run of which every cell has finished, each slower by a factor of its own."""
    begun = run_started(profile)
    events: list[Event] = [begun]
    for cell, factor in zip(begun.cells, slower, strict=True):
        numbers: dict[str, Any] = {
            "completed": round(400 / factor),
            "requests": requests(((10 * factor, 400),)),
        }
        events += [cell_started(cell.key), cell_finished(cell.key, **numbers)]
    return state_after(*events)


def test_below_the_table_stand_the_medians_of_repeats_and_what_the_brackets_mean() -> None:
    lines = cells_table(swept(REPEATED, 1, 1.25, 2))

    assert lines[6] == ""
    assert [line.split() for line in lines[7:9]] == [
        ["cell", "repeats", "req/s", "p50", "p95", "p99"],
        ["m1_u2_s2", "3", "32.0", "[20.0,", "40.0]", *3 * ["12.5", "[10.0,", "20.0]"]],
    ]
    (legend,) = lines[9:]
    assert legend == (
        "[low, high]: all repeats lie in it; with 3 repeats the true median is in it with 75 %, "
        "6 repeats would give 95 %"
    )


def test_from_six_repeats_on_the_brackets_are_a_95_percent_interval() -> None:
    lines = cells_table(swept(make_profile(repeats=6), *6 * (1,)))

    assert lines[-1] == "[low, high]: 95 % interval of the median, from order statistics"


def test_where_some_cells_have_fewer_repeats_each_legend_says_whom_it_is_for() -> None:
    whole, part = (groups(swept(make_profile(repeats=n), *n * (1,)))[0] for n in (7, 2))

    first, second = span_legend([whole, part, whole])

    assert first.startswith("[low, high]: 95 %")
    assert second.startswith("[low, high] of fewer than 6 repeats: all repeats lie in it; with 2 ")


def test_one_repeat_that_counts_has_no_interval_and_none_has_no_number() -> None:
    invalid = cell_finished("m1_u2_s2_r2", verdict=Verdict.INVALID)
    begun = run_started(make_profile(repeats=2))

    one = repeats_table(groups(state_after(begun, cell_started(), SUSPECT, invalid)))
    none = repeats_table(groups(state_after(begun, invalid)))

    assert " ".join(one[1].split()) == "m1_u2_s2 1 of 2, 1 suspect 40.0 10.0 10.0 10.0"
    assert " ".join(none[1].split()) == "m1_u2_s2 0 of 2 - - - -"
    assert len(one) == len(none) == 2


def test_a_run_without_repeats_has_one_table() -> None:
    assert not any("repeats" in line for line in cells_table(swept(make_profile(), 1)))


def test_below_the_table_stands_how_far_the_first_cell_drifted() -> None:
    profile = make_profile(models=[1, 2], recheck_first=True)

    state = swept(profile, 1, 1, 1.25)
    drift = drift_of(state)

    assert drift is not None
    assert drift.reason is not None
    assert cells_table(state)[-2:] == ["", drift.sentence]


def test_what_spawn_rates_are_fits_on_a_line_of_80_columns() -> None:
    assert len(RATE_LEGEND) <= 80


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ((), "demo/20261122-072100: 3 cells, driver local (asked for)"),
        ((cell_started("m2_u2_s2"),), "m2_u2_s2 (cell 2 of 3)"),
        ((cell_started(attempt=2),), "m1_u2_s2 (cell 1 of 3, attempt 2)"),
        ((CellPhase(cell="m1_u2_s2", phase=Phase.SETTLING),), "  waiting for steady numbers"),
        ((StackProgress(step="model-1", line="loading"),), "  model-1: loading"),
        (
            (cell_started(), cell_finished()),
            "  40.0 req/s, p50 10.0 p90 10.0 p99 ~10.0 ms, 0 failures, valid",
        ),
        (
            (cell_started(), SUSPECT),
            (
                "  40.0 req/s, p50 10.0 p90 10.0 p99 ~10.0 ms, 0 failures, "
                "suspect: not settled: too few"
            ),
        ),
        ((cell_started(), cell_failed()), "  failed: model-1 ended (137)"),
        ((cell_skipped("m2_u2_s2"),), "  m2_u2_s2 skipped: asked for"),
        ((answered("pause"),), "  pause it is"),
        ((Note(text="a remark"),), "  a remark"),
        (
            (
                cell_started(),
                cell_finished(),
                RunResumed(pid=1, retry=(), hardware={}, versions={}),
            ),
            "demo/20261122-072100 resumed: 2 of 3 cells to go",
        ),
        ((RunFinished(result=Result.STOPPED, reason="asked for"),), "stopped: asked for"),
        ((sample(),), None),
    ],
)
def test_of_an_event_one_line_is_told(events: tuple[Event, ...], line: str | None) -> None:
    assert line_of(*events) == line


def test_the_last_log_lines_of_what_failed_are_told_below_it() -> None:
    told = line_of(cell_started(), replace(cell_failed(), log_lines=("a", "b")))
    assert told == "  failed: model-1 ended (137)\n    | a\n    | b"


def test_every_phase_has_words() -> None:
    told = [line_of(CellPhase(cell="m1_u2_s2", phase=phase)) for phase in Phase]
    assert len(set(told)) == len(Phase)


def test_the_outcome_counts_what_became_of_the_cells() -> None:
    ends = (cell_started(), cell_finished(), cell_skipped("m2_u2_s2"))
    assert outcome_line(state_after(BEGUN)) == "3 cells: 3 not run"
    assert outcome_line(state_after(BEGUN, *ends)) == "3 cells: 1 finished, 1 skipped, 1 not run"


def test_progress_tells_the_cell_the_phase_and_the_newest_second() -> None:
    phase = CellPhase(cell="m1_u2_s2", phase=Phase.MEASURING)
    newest = sample(second=1, requests=requests(((10.0, 9), (50.0, 1))))
    state = state_after(BEGUN, cell_started(), phase, sample(), newest)
    assert progress_line(state, 125.0) == (
        "cell 1 of 3, m1_u2_s2 · measuring 2 s · 10 req/s · p90 10.0 ms · 2 min 5 s left"
    )


def test_progress_says_that_a_run_is_paused() -> None:
    assert progress_line(state_after(BEGUN, answered("pause")), 5.0) == (
        "cell 0 of 3 · paused · 5 s left"
    )


def test_long_lines_are_broken_between_words_and_short_ones_stay() -> None:
    row = "m1_u2_s2   40.0   10.0"
    sentence = "m1_u2_s2 the model: 15.7 of 22.4 ms are decoding"

    assert wrapped([row, "", sentence], 30) == [
        row,
        "",
        "m1_u2_s2 the model: 15.7 of",
        "  22.4 ms are decoding",
    ]
