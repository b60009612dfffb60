"""The panels of one cell."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import (
    CellPhase,
    EarlyFailures,
    ErrorCount,
    Event,
    EventNote,
    Phase,
    Requests,
    RunResumed,
    Stages,
    Verdict,
)
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.measure.bottleneck import Bottleneck, BottleneckKind
from loadbench.engine.profile.plan import Cell, plan_cells
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.rows import rows
from loadbench.engine.report.running_totals import Accumulator
from loadbench.engine.report.slices import Slice
from loadbench.engine.report.statistics import cell_statistics, live_statistics
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.cell.lines import errors_panel, verdict_lines
from loadbench.ui.lines.cell import (
    CellView,
    bottleneck_lines,
    goal_lines,
    load_phrase,
    outcome_lines,
    stage_bar,
)
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.lines.matrix import CellLayout, grid_of, matrix_lines
from loadbench.ui.lines.stages import stage_lines
from loadbench.ui.lines.stats import NO_REQUESTS, failure_lines, long_name_lines, stat_lines
from loadbench.ui.lines.text import Line, Tone, plain, width
from loadbench.ui.run.lines import failures_panel, figures_line, header_lines, statistics_panel
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_cell,
    make_profile,
    requests,
    run_started,
    sample,
    state_after,
    state_with,
    swept,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"


PROFILE = make_profile(models=[1, 2, 3], run_time="10s", settle={"max": "15s", "window": "5s"})


STARTED = run_started(PROFILE)


MEASURING = CellPhase(cell=FIRST, phase=Phase.MEASURING)


def texts(lines: Iterable[Line]) -> list[str]:
    """The text of the lines."""
    return [plain(one).rstrip() for one in lines]


LIVE = (cell_started(), CellPhase(cell=FIRST, phase=Phase.SCALING))


# Statistics


def named(*names: str) -> tuple[Requests, ...]:
    """Ten successes and a failure of each name."""
    return tuple(
        Requests(method="GET", name=name, successes=((10.0, 10),), failures=((1.0, 1),))
        for name in names
    )


def test_each_request_name_has_a_row() -> None:
    lines = texts(stat_lines(cell_statistics(cell_finished()), 80))

    assert [one.split() for one in lines] == [
        ["name", "requests", "fails", "req/s", "p50", "p90", "p95", "p99", "p99.9", "max"],
        ["POST", "/predict", "400", "0", "40.0", "10.0", "10.0", "10.0", "~10.0", "~10.0", "10.0"],
        ["~", "estimate:", "fewer", "than", "10", "samples", "beyond", "it"],
    ]


def test_failures_are_highlighted_and_count_as_requests() -> None:
    _, row, _ = stat_lines(cell_statistics(cell_finished(requests=named("/a"))), 80)

    assert plain(row).split()[2:4] == ["11", "1"]
    assert [piece.tone for piece in row if piece.text == "    1"] == [Tone.BAD]


def test_a_request_name_without_a_success_has_no_latency() -> None:
    failed = requests(successes=(), failures=((1.0, 5),))

    _, row = texts(stat_lines(cell_statistics(cell_finished(requests=failed, completed=0)), 80))

    assert row.split() == ["POST", "/predict", "5", "5", "0", *6 * ["-"]]


def test_statistics_without_requests_are_empty() -> None:
    assert texts(stat_lines(live_statistics(Accumulator().of(EMPTY)), 80)) == [NO_REQUESTS]


LONG_NAMES = ("/" + 298 * "a" + "/end", "/日本語" + 100 * "é😀", "/short")


@pytest.mark.parametrize("columns", [78, 118, 200])
def test_all_numbers_are_visible_beside_long_names(columns: int) -> None:
    statistics = cell_statistics(cell_finished(requests=named(*LONG_NAMES)))

    header, *rows = stat_lines(statistics, columns)[:5]

    assert {width(one) for one in (header, *rows)} == {columns}
    assert plain(header).split()[-1] == "max"
    assert [plain(row).split()[-9] for row in rows] == ["11", "11", "11", "33"]
    assert plain(rows[0]).startswith("GET /a")
    assert "…aa" in plain(rows[0])
    assert "a/end " in plain(rows[0])
    assert plain(rows[1]).startswith("GET /short ")


def test_the_complete_names_follow_if_some_are_cut() -> None:
    statistics = cell_statistics(cell_finished(requests=named(*LONG_NAMES)))

    heading, *lines = texts(long_name_lines(statistics, 80))

    assert heading == "Complete names:"
    names = "".join("".join(lines).split())
    assert names == "".join(f"GET{name}" for name in LONG_NAMES[:2])
    assert long_name_lines(cell_statistics(cell_finished(requests=named("/short"))), 80) == []


def test_names_that_are_counted_together_have_a_hint() -> None:
    others = Requests(method="", name="other requests", successes=((10.0, 400),))
    statistics = cell_statistics(cell_finished(requests=(*named("/a"), others)))

    lines = texts(stat_lines(statistics, 100))

    assert lines[1].split()[:3] == ["other", "requests", "400"]
    assert lines[1].startswith("other")
    assert lines[-1] == ("other requests: too many names. Group them with name= in the locustfile")


def test_a_row_without_latencies_has_dashes() -> None:
    pushes = (Requests(method="WS", name="push", untimed_successes=5, untimed_failures=1),)

    _, row = texts(stat_lines(cell_statistics(cell_finished(requests=pushes, completed=5)), 80))

    assert row.split() == ["WS", "push", "6", "1", "0.500", *6 * ["-"]]


EARLY = EarlyFailures(
    method="POST",
    name="/login" + 100 * "x",
    successes=1,
    failures=3,
    errors=(ErrorCount(error="401 Unauthorized", count=3),),
    is_in_window=False,
)


def test_failures_before_the_window_are_among_the_failures_of_a_cell() -> None:
    finished = cell_finished(early_failures=(EARLY,))
    of_cell = shown(cell_started(), finished)

    failed, brief = failures_panel(of_cell, 100)
    _, whole = errors_panel(of_cell, 200)

    assert failed == 0
    assert texts(brief) == [
        "Failed before the measurement window:",
        f"  3 of 4 requests POST /login{'x' * 48}… failed",
        "      3  401 Unauthorized",
    ]
    assert f"  3 of 4 requests POST {EARLY.name} failed" in texts(whole)


def test_observations_about_events_follow_the_verdict() -> None:
    note = EventNote(kind="start_time", method="X", name="old", count=12, example="81.5")
    of_cell = shown(cell_started(), cell_finished(notes=(note,)))

    lines = texts(verdict_lines(of_cell, (), (), UNICODE, 200))

    assert lines == [
        "Valid: all checks passed",
        (
            "Note: start_time of 12 requests of X old does not fit the response time, such as "
            "81.5: ignored"
        ),
    ]


def test_errors_are_sorted_by_frequency_and_wrapped() -> None:
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
SLICE = Slice(
    start_s=0, seconds=1, successes=1, p50_ms=1, p90_ms=1, p95_ms=1, p99_ms=1, failures=0, users=1
)
STAGES = Stages(
    count=10, latency_ms=1000.0, total_ms=900.0, queue_ms=500.0, decode_ms=100.0, infer_ms=200.0
)


def test_stages_are_a_bar_of_full_width_and_a_legend() -> None:
    bar, names = stage_lines(STAGES, UNICODE, 80)

    assert plain(bar) == 80 * "█"
    assert [len(piece.text) for piece in bar] == [40, 8, 16, 8, 8]
    assert plain(names) == (
        "■ queue 50.0   ■ decode 10.0   ■ infer 20.0   ■ api 10.0   ■ network 10.0"
    )


def test_a_narrow_panel_has_a_compact_legend() -> None:
    _, names = stage_lines(STAGES, UNICODE, 60)

    assert plain(names) == "queue 50.0 decode 10.0 infer 20.0 api 10.0 network 10.0"


def test_each_stage_has_its_own_ascii_character() -> None:
    bar, names = stage_lines(STAGES, ASCII, 80)

    assert plain(bar) == 40 * "#" + 8 * "=" + 16 * "+" + 8 * ":" + 8 * "."
    assert plain(names).startswith("# queue 50.0   = decode 10.0   ")


def test_missing_server_timing_is_stated() -> None:
    assert texts(stage_lines(Stages(), UNICODE, 80)) == [
        "Not available: responses have no Server-Timing header"
    ]


def test_stages_of_zero_length_have_an_empty_bar() -> None:
    bar, names = stage_lines(Stages(count=3), UNICODE, 80)

    assert plain(bar) == ""
    assert plain(names).startswith("■ queue 0 ")


@given(some_stages.filter(lambda stages: stages.count > 0), st.integers(20, 120))
def test_a_bar_is_never_wider_than_the_panel(stages: Stages, columns: int) -> None:
    # Clocks of two machines can differ, so that api or network comes out negative.
    bar = stage_lines(stages, UNICODE, columns)[0]

    assert width(bar) in (0, columns)


# A cell


def shown(*events: Event, totals: bool = True, attempt: bool = True) -> CellView:
    """The first cell, with the totals of its attempt if it has one."""
    state = state_after(STARTED, *events)
    return CellView(
        state.cells[FIRST],
        state if attempt else None,
        Accumulator().of(state) if totals and state.samples else None,
    )


def test_the_panels_of_a_pending_cell_are_empty() -> None:
    pending = shown(attempt=False)

    assert pending.why_empty == "Not measured yet"
    assert statistics_panel(pending, UNICODE, 80)[0] == ""
    assert texts(statistics_panel(pending, UNICODE, 80)[1]) == ["Not measured yet"]
    assert texts(stage_bar(pending, UNICODE, 80)) == ["Not measured yet"]
    assert texts(failures_panel(pending, 80)[1]) == ["No failed requests"]


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (shown(cell_skipped(attempt=0), attempt=False), "Skipped before it started"),
        (shown(cell_started(), cell_skipped(), attempt=False), "Loading…"),
        (shown(cell_started(), attempt=False), "Loading…"),
        (shown(cell_started()), "No samples yet"),
        (shown(cell_started(), cell_failed()), "Ended before the first sample"),
        (
            shown(cell_started(), RunResumed(pid=1, retry=(), hardware={}, versions={})),
            "Ended before the first sample",
        ),
    ],
)
def test_an_empty_panel_states_the_reason(view: CellView, reason: str) -> None:
    assert view.why_empty == reason


def test_a_live_cell_shows_its_statistics_so_far() -> None:
    live = shown(cell_started(), sample(second=0), sample(second=1))

    window, lines = statistics_panel(live, UNICODE, 80)

    assert window == "before the measurement window, 2 s"
    assert texts(lines)[1].split()[:5] == ["POST", "/predict", "80", "0", "40.0"]


def test_a_live_cell_lists_its_errors() -> None:
    errors = (ErrorCount(error="503", count=2), ErrorCount(error="late", count=5))
    live = shown(cell_started(), sample(errors=errors))

    failed, lines = failures_panel(live, 80)

    assert failed == 7
    assert [one.split() for one in texts(lines)] == [["5", "late"], ["2", "503"]]


def test_a_live_cell_without_a_success_has_no_stages() -> None:
    failed = requests(successes=(), failures=((1.0, 5),))

    live = shown(cell_started(), sample(requests=failed))

    assert texts(stage_bar(live, UNICODE, 80)) == [NO_REQUESTS]


def test_a_live_cell_without_server_timing_has_no_stages() -> None:
    live = shown(cell_started(), sample())

    assert "no Server-Timing header" in texts(stage_bar(live, UNICODE, 80))[0]


def test_a_measured_cell_shows_its_result_instead_of_its_samples() -> None:
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

    window, lines = statistics_panel(over, UNICODE, 80)
    failed, failures = failures_panel(over, 80)

    assert window == "measurement window, 5 s"
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
    assert (failed, texts(failures)) == (3, ["      3  at the end"])
    assert texts(stage_bar(over, UNICODE, 80)) == texts(stage_lines(STAGES, UNICODE, 80))


def test_a_suspect_cell_has_its_reasons_above_its_errors() -> None:
    end = cell_finished(
        verdict=Verdict.SUSPECT,
        reasons=("not settled: too few answers", "Locust was busy"),
        errors=(ErrorCount(error="503", count=2),),
    )

    failed, lines = failures_panel(shown(cell_started(), end), 24)

    assert failed == 2
    assert texts(lines) == [
        "Suspect: not settled:",
        "  too few answers",
        "Suspect: Locust was busy",
        "",
        "      2  503",
    ]


def test_a_failed_cell_shows_the_reason_and_its_last_log_lines() -> None:
    failed = replace(cell_failed(), log_lines=("loading the model", "Killed"))

    number, lines = failures_panel(shown(cell_started(), failed), 80)

    assert number == 0
    assert texts(lines) == ["Failed: model-1 ended (137)", "| loading the model", "| Killed"]


def test_the_statistics_of_a_failed_cell_start_with_the_reason() -> None:
    failed = replace(cell_failed(), log_lines=tuple("abcdef"))
    over = replace(
        shown(cell_started(), failed),
        totals=Accumulator().of(state_with([sample(), sample(second=1)])),
    )

    window, lines = statistics_panel(over, UNICODE, 80)

    assert window == "before the measurement window, 2 s"
    assert texts(lines)[:3] == ["Failed: model-1 ended (137)", "| a", "| b"]
    assert texts(lines)[3].startswith("name ")


def test_a_failed_cell_without_a_sample_shows_only_the_reason() -> None:
    window, lines = statistics_panel(shown(cell_started(), cell_failed()), UNICODE, 80)

    assert (window, texts(lines)) == ("", ["Failed: model-1 ended (137)"])


def test_a_skipped_cell_shows_the_reason() -> None:
    skipped = shown(cell_skipped(attempt=0))

    assert texts(failures_panel(skipped, 80)[1]) == ["Skipped: asked for"]


def test_a_cell_that_is_measured_again_shows_the_new_attempt() -> None:
    again = shown(cell_started(), cell_finished(), cell_started(attempt=2), sample(attempt=2))

    assert statistics_panel(again, UNICODE, 80)[0] == "before the measurement window, 1 s"


@given(st.text(max_size=80), st.lists(st.text(max_size=60), max_size=3), st.integers(20, 60))
def test_the_reason_of_a_failed_cell_fits_the_panel(
    reason: str, log: list[str], columns: int
) -> None:
    failed = replace(cell_failed(), reason=reason, log_lines=tuple(log))

    lines = failures_panel(shown(cell_started(), failed), columns)[1]

    assert all(width(one) <= columns for one in lines)


@pytest.mark.parametrize("p90", [0.04, 0.5, 9_999.0, 12_000.0, 100_000.0, 1_000_000.0])
def test_every_latency_fits_its_cell(p90: float) -> None:
    profile = make_profile(models=[1, 2])
    fast = cell_finished("m1_u2_s2", requests=requests(((p90, 10),)))
    started = cell_started("m2_u2_s2")
    now = sample("m2_u2_s2", requests=requests(((p90, 10),)))
    state = state_after(run_started(profile), cell_started(), fast, started, now)

    lines = matrix_lines(
        grid_of(plan_cells(profile)),
        state,
        rows(state),
        UNICODE,
        layout=CellLayout(metric=Metric.P90),
        live=True,
        cursor="m1_u2_s2",
    )

    assert {width(one) for one in lines} == {width(lines[0])}


@pytest.mark.parametrize("columns", [60, 80])
def test_a_header_fits_the_screen(columns: int) -> None:
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


def test_the_failures_of_an_unread_cell_are_loading() -> None:
    unread = shown(cell_started(), cell_skipped(), cell_started(), attempt=False)

    assert unread.is_loading
    assert texts(failures_panel(unread, 80)[1]) == ["Loading…"]


def test_recent_samples_alone_have_no_totals() -> None:
    partial = replace(shown(cell_started(), sample()), totals=None, slices=(SLICE,))

    assert partial.is_loading
    assert texts(statistics_panel(partial, UNICODE, 80)[1]) == ["Loading…"]


@pytest.mark.parametrize(
    ("cell", "phrase"),
    [
        (make_cell(1, 2, 8), "1 model, 2 users, 8 users/s"),
        (make_cell(2, 1, 0.5), "2 models, 1 user, 0.5 users/s"),
        (make_cell(repeat=2), "1 model, 2 users, 2 users/s, repeat 2"),
        (replace(make_cell(), recheck=True), "1 model, 2 users, 2 users/s, recheck"),
    ],
)
def test_a_load_is_spelled_out(cell: Cell, phrase: str) -> None:
    assert load_phrase(cell) == phrase


@pytest.mark.parametrize(
    ("verdict", "tone"), [(Verdict.SUSPECT, Tone.WARN), (Verdict.INVALID, Tone.BAD)]
)
def test_a_verdict_has_its_colour(verdict: Verdict, tone: Tone) -> None:
    end = cell_finished(verdict=verdict, reasons=("not settled",))

    (only,) = outcome_lines(shown(cell_started(), end).cell, 80)

    assert (plain(only), only[0].tone) == (f"{verdict.value.capitalize()}: not settled", tone)


def test_a_bottleneck_has_a_heading() -> None:
    found = Bottleneck(kind=BottleneckKind.QUEUE, text="the queue before the model")

    lines = bottleneck_lines(replace(shown(), bottleneck=found), 80)

    assert texts(lines) == ["Bottleneck: the queue before the model"]
    assert bottleneck_lines(shown(), 80) == []


def test_each_goal_has_a_line_with_its_state_value_and_limit() -> None:
    goals = {"p95_ms": 10.5, "p50_ms": 5, "failure_ratio": 0.1, "p99_ms": 10}
    (row,) = rows(swept(make_profile(goals=goals)))

    assert [(plain(one), one[0].tone) for one in goal_lines(row.checks, UNICODE, 80)] == [
        ("✗ missed: p50 10.0 ms (goal 5 ms)", Tone.BAD),
        ("≈ near: p95 10.0 ms (goal 10.5 ms)", Tone.NEAR),
        ("? undecided: p99 10.0 ms (goal 10 ms); p99 needs 1000 requests, 400 measured", Tone.DIM),
        ("✓ passed: 0 % failures (goal ≤ 10 %)", Tone.GOOD),
    ]


def test_the_figures_of_a_cell_are_one_line() -> None:
    live = shown(cell_started(), CellPhase(cell=FIRST, phase=Phase.MEASURING), sample())
    over = shown(cell_started(), cell_finished())

    assert plain(figures_line(live, Metric.P95, 80)) == (
        " m1_u2_s2 · 40.0 req/s · p95 ~10.0 ms · 0 failures · 1 s so far"
    )
    assert plain(figures_line(over, Metric.P99, 80)) == (
        " m1_u2_s2 · 40.0 req/s · p99 ~10.0 ms · 0 failures · valid · 10 s measured"
    )
    short = plain(figures_line(over, Metric.P99, 65))
    assert short == " m1_u2_s2 · 40.0 req/s · p99 ~10.0 ms · 0 failures · valid"


def test_the_figures_of_a_cell_without_results_are_the_reason() -> None:
    pending, silent = shown(), shown(cell_started(), sample(requests=()))

    assert plain(figures_line(pending, Metric.P95, 80)) == " m1_u2_s2 · Not measured yet"
    assert plain(figures_line(silent, Metric.P95, 80)) == " m1_u2_s2 · No requests completed yet"
