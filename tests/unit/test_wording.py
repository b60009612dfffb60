"""Runs formatted as plain text."""

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
    Stages,
    Verdict,
)
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.numbers import number
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.repeats import groups
from loadbench.engine.report.rows import rows
from loadbench.wording import (
    ESTIMATE_LEGEND,
    RATE_LEGEND,
    cell_legend,
    cells_table,
    event_line,
    outcome_line,
    progress_line,
    table,
    wrapped,
)
from loadbench.wording.repeats import interval_legend, repeats_table
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
SUSPECT = cell_finished(verdict=Verdict.SUSPECT, reasons=("not settled: few completions",))
words = st.text(st.characters(categories=["L", "N"]), min_size=1)


def line_of(*events: Event) -> str | None:
    """The text for the last of the events."""
    *before, last = entries([BEGUN, *events])
    return event_line(last, fold([*before, last]))


# Tables


def test_names_are_left_aligned_and_numbers_right_aligned() -> None:
    assert table(("cell", "req/s"), [("m1", "9"), ("m10_u5", "120")]) == [
        "cell    req/s",
        "m1          9",
        "m10_u5    120",
    ]


def test_a_last_column_of_words_is_left_aligned() -> None:
    assert table(("cell", "fails", "verdict "), [("m1", "0", "valid"), ("m2", "12", "x: y")]) == [
        "cell  fails  verdict",
        "m1        0  valid",
        "m2       12  x: y",
    ]


def test_more_columns_can_be_left_aligned() -> None:
    assert table(("a", "b", "c"), [("x", "yy", "1"), ("xx", "y", "22")], left=2) == [
        "a   b    c",
        "x   yy   1",
        "xx  y   22",
    ]


def test_a_table_without_rows_has_its_header() -> None:
    assert table(("cell", "req/s"), []) == ["cell  req/s"]


@given(st.lists(st.tuples(words, words, words)))
def test_all_values_are_aligned_with_their_column(body: list[tuple[str, str, str]]) -> None:
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
def test_the_rounding_error_of_a_number_is_below_half_a_percent(value: float) -> None:
    assert abs(float(number(value)) - value) <= 0.005 * value * (1 + 1e-9)


# A run


def test_the_cells_table_has_a_row_per_cell_with_its_verdict_or_status() -> None:
    failed = (cell_started("m2_u2_s2"), cell_failed("m2_u2_s2"))
    header, *lines = cells_table(state_after(BEGUN, cell_started(), SUSPECT, *failed))[:4]
    assert [line.split()[0] for line in lines] == ["m1_u2_s2", "m2_u2_s2", "m3_u2_s2"]
    column = header.index("verdict")
    assert [line[column:] for line in lines] == ["suspect", "failed", "pending"]


def test_the_cells_table_has_the_legend_of_its_first_cell() -> None:
    lines = cells_table(state_after(BEGUN, cell_started(), cell_finished()))
    assert lines[4:6] == [
        "m1_u2_s2: 1 model container, 2 users, spawn rate 2 users/s",
        f"Latency p50 to max in ms, successful requests only. {ESTIMATE_LEGEND}",
    ]


def test_the_legend_of_cells_uses_the_plural() -> None:
    (row,) = rows(state_after(run_started(make_profile(models=[4], users=[1], spawn_rates=[2.5]))))
    assert cell_legend(row) == "m4_u1_s2.5: 4 model containers, 1 user, spawn rate 2.5 users/s"


def test_the_cells_table_has_reasons_for_cells_that_are_not_valid() -> None:
    failed = (cell_started("m2_u2_s2"), cell_failed("m2_u2_s2"))
    lines = cells_table(state_after(BEGUN, cell_started(), SUSPECT, *failed))
    assert lines[-3:] == [
        "",
        "m1_u2_s2 suspect: not settled: few completions",
        "m2_u2_s2 failed: model-1 ended (137)",
    ]


def test_the_cells_table_has_a_list_of_bottlenecks_in_aligned_columns() -> None:
    stages = Stages(count=1, latency_ms=20, total_ms=19, queue_ms=1, decode_ms=2, infer_ms=15)
    profile = make_profile(users=[2, 16])
    state = swept(profile, 1, 1, stages=stages, circumstances=None)
    assert cells_table(state)[-4:] == [
        "",
        "Bottlenecks:",
        "m1_u2_s2   the model: decoding and inference take 17.0 of 20.0 ms",
        "m1_u16_s2  the model: decoding and inference take 17.0 of 20.0 ms",
    ]


REPEATED = make_profile(repeats=3)
"""Three repeats of m1_u2_s2."""


def swept(profile: Profile, *slower: float, **changes: Any) -> RunState:
    """A run in which every cell has finished, each slower by the given factor."""
    begun = run_started(profile)
    events: list[Event] = [begun]
    for cell, factor in zip(begun.cells, slower, strict=True):
        numbers: dict[str, Any] = {
            "completed": round(400 / factor),
            "requests": requests(((10 * factor, 400),)),
            **changes,
        }
        events += [cell_started(cell.key), cell_finished(cell.key, **numbers)]
    return state_after(*events)


def test_the_cells_table_has_the_medians_of_repeats_with_their_legend() -> None:
    lines = cells_table(swept(REPEATED, 1, 1.25, 2))

    assert lines[6] == ""
    assert [line.split() for line in lines[7:9]] == [
        ["cell", "repeats", "req/s", "p50", "p95", "p99"],
        ["m1_u2_s2", "3", "32.0", "[20.0,", "40.0]", *3 * ["12.5", "[10.0,", "20.0]"]],
    ]
    (legend,) = lines[9:]
    assert legend == (
        "[low, high]: range of all repeats, which contains the true median with a probability of "
        "75 % with 3 repeats; 95 % requires 6 repeats"
    )


def test_six_repeats_have_a_95_percent_interval() -> None:
    lines = cells_table(swept(make_profile(repeats=6), *6 * (1,)))

    assert lines[-1] == ("[low, high]: 95 % confidence interval of the median (order statistics)")


def test_groups_with_different_numbers_of_repeats_have_separate_legends() -> None:
    whole, part = (groups(rows(swept(make_profile(repeats=n), *n * (1,))))[0] for n in (7, 2))

    first, second = interval_legend([whole, part, whole])

    assert first.startswith("[low, high]: 95 %")
    assert second.startswith("[low, high] of fewer than 6 repeats: range of all repeats, ")


def test_a_single_repeat_has_no_interval_and_no_repeat_has_no_number() -> None:
    invalid = cell_finished("m1_u2_s2_r2", verdict=Verdict.INVALID)
    begun = run_started(make_profile(repeats=2))

    one = repeats_table(groups(rows(state_after(begun, cell_started(), SUSPECT, invalid))))
    none = repeats_table(groups(rows(state_after(begun, invalid))))

    assert " ".join(one[1].split()) == "m1_u2_s2 1 of 2, 1 suspect 40.0 10.0 10.0 10.0"
    assert " ".join(none[1].split()) == "m1_u2_s2 0 of 2 - - - -"
    assert len(one) == len(none) == 2


def test_a_run_without_repeats_has_one_table() -> None:
    assert not any("repeats" in line for line in cells_table(swept(make_profile(), 1)))


def test_the_cells_table_has_the_drift_of_the_first_cell() -> None:
    profile = make_profile(models=[1, 2], recheck_first=True)

    state = swept(profile, 1, 1, 1.25)
    drift = drift_of(state)

    assert drift is not None
    assert drift.reason is not None
    assert cells_table(state)[-2:] == ["", drift.sentence]


def test_the_legend_of_spawn_rates_fits_into_80_columns() -> None:
    assert len(RATE_LEGEND) <= 80


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ((), "Run demo/20261122-072100: 3 cells\nDriver local: asked for"),
        ((cell_started("m2_u2_s2"),), "Cell 2 of 3: m2_u2_s2 (2 models, 2 users, 2 users/s)"),
        (
            (cell_started(attempt=2),),
            "Cell 1 of 3: m1_u2_s2 (1 model, 2 users, 2 users/s, attempt 2)",
        ),
        ((cell_started("m9"),), "Cell m9: not in the plan"),
        (
            (CellPhase(cell="m1_u2_s2", phase=Phase.SCALING),),
            "  Scaling to 1 model container",
        ),
        ((CellPhase(cell="m2_u2_s2", phase=Phase.RAMPING),), "  Ramping up to 2 users"),
        (
            (CellPhase(cell="m1_u2_s2", phase=Phase.SETTLING),),
            "  Settling: waiting for steady numbers",
        ),
        ((CellPhase(cell="m1_u2_s2", phase=Phase.MEASURING),), "  Measuring for 30 s"),
        (
            (CellPhase(cell="m1_u2_s2", phase=Phase.DRAINING),),
            "  Draining: finishing outstanding requests",
        ),
        ((StackProgress(step="model-1", line="loading"),), "  model-1: loading"),
        (
            (cell_started(), cell_finished()),
            "  Valid: 40.0 req/s, p50 10.0, p90 10.0, p99 ~10.0 ms, 0 failures",
        ),
        (
            (cell_started(), SUSPECT),
            (
                "  Suspect: 40.0 req/s, p50 10.0, p90 10.0, p99 ~10.0 ms, 0 failures\n"
                "  Findings: not settled: few completions"
            ),
        ),
        ((cell_started(), cell_failed()), "  Failed: model-1 ended (137)"),
        ((cell_skipped("m2_u2_s2"),), "  Skipped m2_u2_s2: asked for"),
        ((answered("pause"),), "  pause it is"),
        ((Note(text="a remark"),), "  a remark"),
        (
            (
                cell_started(),
                cell_finished(),
                RunResumed(pid=1, retry=(), hardware={}, versions={}),
            ),
            "Run demo/20261122-072100 resumed: 2 of 3 cells left to measure",
        ),
        ((RunFinished(result=Result.STOPPED, reason="asked for"),), "Run stopped: asked for"),
        (
            (
                cell_started(),
                cell_finished(),
                cell_started("m2_u2_s2"),
                cell_failed("m2_u2_s2"),
                cell_skipped("m3_u2_s2"),
                RunFinished(result=Result.DONE, reason="every cell is over"),
            ),
            "Run done: 1 of 3 cells measured, 1 failed, 1 skipped",
        ),
        (
            (RunFinished(result=Result.ABORTED, reason="no space", left="model-1 is left"),),
            (
                "Run aborted: no space\n"
                "model-1 is left; remove them with `loadbench-tui stop demo/20261122-072100`"
            ),
        ),
        ((sample(),), None),
    ],
)
def test_events_have_a_text(events: tuple[Event, ...], line: str | None) -> None:
    assert line_of(*events) == line


def test_a_service_that_is_not_scaled_is_waited_for() -> None:
    scaling = CellPhase(cell="m1_u2_s2", phase=Phase.SCALING)
    begun = replace(BEGUN, driver="external")
    *before, last = entries([begun, scaling])

    assert event_line(last, fold([*before, last])) == "  Waiting until the service is ready"


def test_a_failed_cell_has_its_last_log_lines() -> None:
    text = line_of(cell_started(), replace(cell_failed(), log_lines=("a", "b")))
    assert text == "  Failed: model-1 ended (137)\n    | a\n    | b"


def test_the_reason_of_a_failed_cell_is_not_repeated() -> None:
    failed = replace(cell_failed(), log_lines=("a", "b"))
    again = replace(failed, cell="m2_u2_s2")
    events = (cell_started(), failed, cell_started("m2_u2_s2"))

    assert line_of(*events, again) == "  Failed: for the same reason as m1_u2_s2"
    other = replace(again, exit_code=1)
    assert line_of(*events, other) == "  Failed: model-1 ended (137)\n    | a\n    | b"


def test_a_failed_cell_that_was_not_started_is_named() -> None:
    events = (cell_started(), cell_failed(), replace(cell_failed("m2_u2_s2", 0), reason="no"))
    assert line_of(*events) == "  Failed m2_u2_s2: no"


def test_every_phase_has_its_own_text() -> None:
    texts = [line_of(CellPhase(cell="m1_u2_s2", phase=phase)) for phase in Phase]
    assert len(set(texts)) == len(Phase)


def test_the_outcome_counts_cells_by_status() -> None:
    ends = (cell_started(), cell_finished(), cell_skipped("m2_u2_s2"))
    assert outcome_line(state_after(BEGUN)) == "3 cells: 3 pending"
    assert outcome_line(state_after(BEGUN, *ends)) == "3 cells: 1 measured, 1 skipped, 1 pending"


def test_progress_has_the_cell_the_phase_and_the_newest_second() -> None:
    phase = CellPhase(cell="m1_u2_s2", phase=Phase.MEASURING)
    newest = sample(second=1, requests=requests(((10.0, 9), (50.0, 1))))
    state = state_after(BEGUN, cell_started(), phase, sample(), newest)
    assert progress_line(state, 125.0) == (
        "Cell 1 of 3: m1_u2_s2 · measuring 2 s · 10 req/s · p90 10.0 ms · 2 min 5 s left"
    )


def test_a_missed_goal_is_named_in_the_event_of_its_cell() -> None:
    begun = run_started(make_profile(goals={"p95_ms": 5, "p50_ms": 50, "min_rps": 100}))
    *before, last = entries([begun, cell_started(), cell_finished()])

    assert event_line(last, fold([*before, last])) == (
        "  m1_u2_s2: valid, p95 10.0 ms misses the goal of 5 ms; "
        "throughput 40.0 req/s misses the goal of ≥ 100 req/s\n"
        "  40.0 req/s, p50 10.0, p95 10.0, p99 ~10.0 ms, 0 failures"
    )


def test_p95_replaces_p90_if_it_has_a_goal() -> None:
    begun = run_started(make_profile(goals={"p95_ms": 500}))
    newest = sample(requests=requests(((10.0, 18), (50.0, 2))))
    *before, last = entries([begun, cell_started(), cell_finished()])

    assert event_line(last, fold([*before, last])) == (
        "  Valid: 40.0 req/s, p50 10.0, p95 10.0, p99 ~10.0 ms, 0 failures"
    )
    progress = progress_line(state_after(begun, cell_started(), newest), 5.0)
    assert " · 20 req/s · p95 50.0 ms · " in progress


def test_progress_shows_a_paused_run() -> None:
    assert progress_line(state_after(BEGUN, answered("pause")), 5.0) == (
        "0 of 3 cells done · paused · 5 s left"
    )


def test_long_lines_are_wrapped_between_words_and_short_ones_are_unchanged() -> None:
    row = "m1_u2_s2   40.0   10.0"
    bottleneck = "m1_u2_s2  the model: decoding takes 15.7 of 22.4 ms"

    assert wrapped([row, "", bottleneck], 30) == [
        row,
        "",
        "m1_u2_s2  the model: decoding",
        "  takes 15.7 of 22.4 ms",
    ]
