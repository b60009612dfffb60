"""What one cell of a run has come to."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import (
    CellPhase,
    ErrorCount,
    Event,
    Phase,
    Requests,
    RunResumed,
    Stages,
    Verdict,
)
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.report.running_totals import Accumulator
from loadbench.engine.report.slices import Slice
from loadbench.engine.report.statistics import cell_statistics, live_statistics
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.cell import CellView, stage_bar
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.lines.matrix import grid_of, matrix_lines
from loadbench.ui.lines.stages import stage_lines
from loadbench.ui.lines.stats import failure_lines, stat_lines
from loadbench.ui.lines.text import Line, Tone, plain, width
from loadbench.ui.run.lines import failures_panel, header_lines, statistics_panel
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    requests,
    run_started,
    sample,
    state_after,
    state_with,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"


PROFILE = make_profile(models=[1, 2, 3], run_time="10s", settle={"max": "15s", "window": "5s"})


BEGUN = run_started(PROFILE)


MEASURING = CellPhase(cell=FIRST, phase=Phase.MEASURING)


def texts(lines: Iterable[Line]) -> list[str]:
    """What stands on the lines."""
    return [plain(one).rstrip() for one in lines]


LIVE = (cell_started(), CellPhase(cell=FIRST, phase=Phase.SCALING))


# Statistics


def named(*names: str) -> tuple[Requests, ...]:
    """Ten successes of each name, and a failure."""
    return tuple(
        Requests(method="GET", name=name, successes=((10.0, 10),), failures=((1.0, 1),))
        for name in names
    )


def test_one_name_has_one_row() -> None:
    lines = texts(stat_lines(cell_statistics(cell_finished())))

    assert [one.split() for one in lines] == [
        ["name", "requests", "fails", "req/s", "p50", "p90", "p95", "p99", "p99.9", "max"],
        ["POST", "/predict", "400", "0", "40.0", "10.0", "10.0", "10.0", "~10.0", "~10.0", "10.0"],
        ["~", "estimate:", "fewer", "than", "10", "samples", "beyond", "it"],
    ]


def test_failures_stand_out_and_count_as_requests() -> None:
    _, row, _ = stat_lines(cell_statistics(cell_finished(requests=named("/a"))))

    assert plain(row).split()[2:4] == ["11", "1"]
    assert [piece.tone for piece in row if piece.text == "    1"] == [Tone.BAD]


def test_a_name_that_only_failed_has_no_latency() -> None:
    failed = requests(successes=(), failures=((1.0, 5),))

    _, row = texts(stat_lines(cell_statistics(cell_finished(requests=failed, completed=0))))

    assert row.split() == ["POST", "/predict", "5", "5", "0", *6 * ["-"]]


def test_without_a_request_there_is_a_sentence() -> None:
    assert texts(stat_lines(live_statistics(Accumulator().of(EMPTY)))) == [
        "no request has been answered yet"
    ]


def test_failures_are_listed_by_frequency_and_wrapped() -> None:
    errors = (
        ErrorCount(error="rare", count=1),
        ErrorCount(error="503 from /predict: no room", count=1200),
    )

    assert texts(failure_lines(errors, 24)) == [
        "   1200  503 from",
        "         /predict: no",
        "         room",
        "      1  rare",
    ]


# Stages

numbers = st.integers(0, 1000).map(float)
some_stages = st.builds(
    Stages,
    count=st.integers(0, 9),
    latency_ms=numbers,
    total_ms=numbers,
    queue_ms=numbers,
    decode_ms=numbers,
    infer_ms=numbers,
)
SLICE = Slice(start_s=0, seconds=1, successes=1, p50_ms=1, p90_ms=1, p99_ms=1, failures=0, users=1)
STAGES = Stages(
    count=10, latency_ms=1000.0, total_ms=900.0, queue_ms=500.0, decode_ms=100.0, infer_ms=200.0
)


def test_stages_are_a_bar_as_wide_as_the_panel_and_their_names() -> None:
    bar, names = stage_lines(STAGES, UNICODE, 80)

    assert plain(bar) == 80 * "█"
    assert [len(piece.text) for piece in bar] == [40, 8, 16, 8, 8]
    assert plain(names) == (
        "■ queue 50.0   ■ decode 10.0   ■ infer 20.0   ■ api 10.0   ■ network 10.0"
    )


def test_a_narrow_panel_has_the_names_close_together() -> None:
    _, names = stage_lines(STAGES, UNICODE, 60)

    assert plain(names) == "queue 50.0 decode 10.0 infer 20.0 api 10.0 network 10.0"


def test_stages_of_ascii_characters_each_have_their_own() -> None:
    bar, names = stage_lines(STAGES, ASCII, 80)

    assert plain(bar) == 40 * "#" + 8 * "=" + 16 * "+" + 8 * ":" + 8 * "."
    assert plain(names).startswith("# queue 50.0   = decode 10.0   ")


def test_answers_without_server_timing_are_told_as_such() -> None:
    assert texts(stage_lines(Stages(), UNICODE, 80)) == [
        "the answers do not say (no Server-Timing header)"
    ]


def test_stages_that_took_no_time_have_an_empty_bar() -> None:
    bar, names = stage_lines(Stages(count=3), UNICODE, 80)

    assert plain(bar) == ""
    assert plain(names).startswith("■ queue 0 ")


@given(some_stages.filter(lambda it: it.count > 0), st.integers(20, 120))
def test_a_bar_is_never_wider_than_the_panel(stages: Stages, columns: int) -> None:
    # Clocks of two machines differ: api or network may come out below nothing.
    bar = stage_lines(stages, UNICODE, columns)[0]

    assert width(bar) in (0, columns)


# A cell


def shown(*events: Event, totals: bool = True, attempt: bool = True) -> CellView:
    """The first cell, its attempt added up where it has one."""
    state = state_after(BEGUN, *events)
    return CellView(
        state.cells[FIRST],
        state if attempt else None,
        Accumulator().of(state) if totals and state.samples else None,
    )


def test_a_cell_that_was_never_begun_says_so() -> None:
    nothing = shown(attempt=False)

    assert nothing.why_empty == "not measured yet"
    assert statistics_panel(nothing, 80)[0] == ""
    assert texts(statistics_panel(nothing, 80)[1]) == ["not measured yet"]
    assert texts(stage_bar(nothing, UNICODE, 80)) == ["not measured yet"]
    assert texts(failures_panel(nothing, 80)[1]) == ["no failure"]


@pytest.mark.parametrize(
    ("it", "why"),
    [
        (shown(cell_skipped(attempt=0), attempt=False), "skipped before it began"),
        (shown(cell_started(), cell_skipped(), attempt=False), "loading…"),
        (shown(cell_started(), attempt=False), "loading…"),
        (shown(cell_started()), "waiting for the first answers"),
        (shown(cell_started(), cell_failed()), "it ended before its first second"),
        (
            shown(cell_started(), RunResumed(pid=1, retry=(), hardware={}, versions={})),
            "it ended before its first second",
        ),
    ],
)
def test_why_there_is_nothing_to_draw(it: CellView, why: str) -> None:
    assert it.why_empty == why


def test_a_live_cell_shows_what_it_came_to_so_far() -> None:
    live = shown(cell_started(), sample(second=0), sample(second=1))

    of, lines = statistics_panel(live, 80)

    assert of == "before measuring, 2 s"
    assert texts(lines)[1].split()[:5] == ["POST", "/predict", "80", "0", "40.0"]


def test_a_live_cell_lists_its_failures() -> None:
    errors = (ErrorCount(error="503", count=2), ErrorCount(error="late", count=5))
    live = shown(cell_started(), sample(errors=errors))

    number, lines = failures_panel(live, 80)

    assert number == 7
    assert [one.split() for one in texts(lines)] == [["5", "late"], ["2", "503"]]


def test_a_live_cell_whose_requests_all_failed_has_no_stages_yet() -> None:
    failed = requests(successes=(), failures=((1.0, 5),))

    live = shown(cell_started(), sample(requests=failed))

    assert texts(stage_bar(live, UNICODE, 80)) == ["no request has been answered yet"]


def test_a_live_cell_without_server_timing_says_so() -> None:
    live = shown(cell_started(), sample())

    assert "no Server-Timing header" in texts(stage_bar(live, UNICODE, 80))[0]


def test_a_measured_cell_shows_the_numbers_of_its_end_not_those_of_its_samples() -> None:
    errors = (ErrorCount(error="at the end", count=3),)
    end = cell_finished(
        requests=requests(((20.0, 50),), failures=((1.0, 3),)),
        completed=50,
        measured_s=5.0,
        errors=errors,
        stages=STAGES,
    )
    over = replace(
        shown(cell_started(), end),
        totals=Accumulator().of(state_with([sample(errors=(ErrorCount(error="early", count=1),))])),
    )

    of, lines = statistics_panel(over, 80)
    number, told = failures_panel(over, 80)

    assert of == "measured, 5 s"
    assert texts(lines)[1].split() == [
        "POST",
        "/predict",
        "53",
        "3",
        "10.0",
        "20.0",
        *4 * ["~20.0"],
        "20.0",
    ]
    assert (number, texts(told)) == (3, ["      3  at the end"])
    assert texts(stage_bar(over, UNICODE, 80)) == texts(stage_lines(STAGES, UNICODE, 80))


def test_a_cell_in_doubt_says_why_above_its_failures() -> None:
    end = cell_finished(
        verdict=Verdict.SUSPECT,
        reasons=("not settled: too few answers", "Locust was busy"),
        errors=(ErrorCount(error="503", count=2),),
    )

    number, lines = failures_panel(shown(cell_started(), end), 24)

    assert number == 2
    assert texts(lines) == [
        "suspect: not settled:",
        "  too few answers",
        "suspect: Locust was busy",
        "",
        "      2  503",
    ]


def test_a_failed_cell_says_why_with_its_last_log_lines() -> None:
    failed = replace(cell_failed(), log_lines=("loading the model", "Killed"))

    number, lines = failures_panel(shown(cell_started(), failed), 80)

    assert number == 0
    assert texts(lines) == ["failed: model-1 ended (137)", "| loading the model", "| Killed"]


def test_above_the_statistics_of_a_failed_cell_stands_the_beginning_of_why() -> None:
    failed = replace(cell_failed(), log_lines=tuple("abcdef"))
    over = replace(
        shown(cell_started(), failed),
        totals=Accumulator().of(state_with([sample(), sample(second=1)])),
    )

    of, lines = statistics_panel(over, 80)

    assert of == "before measuring, 2 s"
    assert texts(lines)[:3] == ["failed: model-1 ended (137)", "| a", "| b"]
    assert texts(lines)[3].startswith("name ")


def test_a_failed_cell_without_a_second_says_why_and_no_more() -> None:
    of, lines = statistics_panel(shown(cell_started(), cell_failed()), 80)

    assert (of, texts(lines)) == ("", ["failed: model-1 ended (137)"])


def test_a_skipped_cell_says_why() -> None:
    skipped = shown(cell_skipped(attempt=0))

    assert texts(failures_panel(skipped, 80)[1]) == ["skipped: asked for"]


def test_a_measured_cell_that_runs_again_shows_the_new_attempt() -> None:
    again = shown(cell_started(), cell_finished(), cell_started(attempt=2), sample(attempt=2))

    assert statistics_panel(again, 80)[0] == "before measuring, 1 s"


@given(st.text(max_size=80), st.lists(st.text(max_size=60), max_size=3), st.integers(20, 60))
def test_whatever_a_failed_cell_said_fits_the_panel(
    reason: str, log: list[str], columns: int
) -> None:
    failed = replace(cell_failed(), reason=reason, log_lines=tuple(log))

    lines = failures_panel(shown(cell_started(), failed), columns)[1]

    assert all(width(one) <= columns for one in lines)


@pytest.mark.parametrize("p90", [0.04, 0.5, 9_999.0, 12_000.0, 100_000.0, 1_000_000.0])
def test_a_cell_is_as_wide_as_every_other_whatever_its_latency(p90: float) -> None:
    profile = make_profile(models=[1, 2])
    fast = cell_finished("m1_u2_s2", requests=requests(((p90, 10),)))
    begun = cell_started("m2_u2_s2")
    now = sample("m2_u2_s2", requests=requests(((p90, 10),)))
    state = state_after(run_started(profile), cell_started(), fast, begun, now)

    lines = matrix_lines(grid_of(plan_cells(profile)), state, UNICODE, live=True, cursor="m1_u2_s2")

    assert {width(it) for it in lines} == {width(lines[0])}


@pytest.mark.parametrize("columns", [60, 80])
def test_a_header_is_never_wider_than_the_screen(columns: int) -> None:
    profile = make_profile(models=[16], users=[100], spawn_rates=[2.5], repeats=2)
    key = "m16_u100_s2.5_r2"
    home = Path("/r") / ("a-profile-with-a-name-as-long-as-a-line" * 2) / "20261122-111101-12"
    started = (run_started(profile), answered("pause"), cell_started(key, 2))
    measuring = CellPhase(cell=key, phase=Phase.MEASURING)
    for events in (started, (*started, measuring)):
        for status in (RunStatus.LIVE, RunStatus.INTERRUPTED):
            run = Run(home, state_after(*events), status)
            for one in header_lines(run, profile, 5.0, UNICODE, columns):
                assert width(one) <= columns


def test_a_cell_that_is_not_read_yet_is_not_one_without_a_failure() -> None:
    unread = shown(cell_started(), cell_skipped(), cell_started(), attempt=False)

    assert unread.is_loading
    assert texts(failures_panel(unread, 80)[1]) == ["loading…"]


def test_recent_seconds_alone_are_no_totals() -> None:
    partial = replace(shown(cell_started(), sample()), totals=None, slices=(SLICE,))

    assert partial.is_loading
    assert texts(statistics_panel(partial, 80)[1]) == ["loading…"]
