"""The header of a run."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.journal.events import (
    CellPhase,
    Event,
    Phase,
    Result,
    RunFinished,
    RunLabelled,
    RunStarted,
    StackProgress,
    Verdict,
)
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.target import Target
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.lines.run import activity_line, traits_line
from loadbench.ui.lines.text import Line, Tone, plain, width
from loadbench.ui.run.lines import header_lines
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"


PROFILE = make_profile(models=[1, 2, 3], run_time="10s", settle={"max": "15s", "window": "5s"})


STARTED = run_started(PROFILE)


MEASURING = CellPhase(cell=FIRST, phase=Phase.MEASURING)


def texts(lines: Iterable[Line]) -> list[str]:
    """The text of the lines."""
    return [plain(one).rstrip() for one in lines]


def tone_of(one: Line, text: str) -> Tone:
    """The tone of the first piece that contains a text."""
    return next(piece.tone for piece in one if text in piece.text)


def header(
    *events: Event,
    started: RunStarted = STARTED,
    status: RunStatus = RunStatus.LIVE,
    columns: int = 120,
    later_s: float = 0.0,
    glyphs: Glyphs = UNICODE,
) -> list[Line]:
    """The header of a run, some seconds after its last event."""
    state = state_after(started, *events)
    run = Run(Path("/nowhere/reports/demo/20261122-072100"), state, status)
    return header_lines(run, PROFILE, state.elapsed_s + later_s, glyphs, columns)


def finish(result: Result = Result.DONE, **fields: Any) -> RunFinished:
    """The run has ended."""
    return RunFinished(result=result, **{"reason": "every cell is over", **fields})


ALL_OVER = tuple(
    event for key in (FIRST, SECOND, THIRD) for event in (cell_started(key), cell_finished(key))
)
LIVE = (cell_started(), CellPhase(cell=FIRST, phase=Phase.SCALING))


def test_a_live_run_shows_its_name_progress_and_remaining_time() -> None:
    title, _, answer = texts(header(*LIVE))

    assert answer == " No results yet."
    assert title.startswith(" demo ▸ 20261122-072100   ▶ live  ")
    assert "0 of 3 cells done  " in title
    assert title.endswith(" left")
    assert width(header(*LIVE)[0]) == 120


@pytest.mark.parametrize("status", [RunStatus.LIVE, RunStatus.DONE])
def test_the_last_line_states_what_the_run_measures(status: RunStatus) -> None:
    events = (*ALL_OVER, finish()) if status is RunStatus.DONE else LIVE
    started = replace(STARTED, target=Target(address="port 8000 of api", scaled="api"))

    lines = texts(header(*events, started=started, status=status))

    assert lines[3:] == [" Requests to port 8000 of api · Scaled: api"]
    assert lines[:3] == texts(header(*events, status=status))


def test_the_remaining_time_decreases_between_entries() -> None:
    at_first, later = (texts(header(*LIVE, later_s=later_s))[0] for later_s in (0.0, 4.0))

    assert "1 min 35 s left" in at_first
    assert "1 min 31 s left" in later


def test_the_bar_is_full_at_the_end() -> None:
    started, over = (texts(header(*events))[0] for events in ((), ALL_OVER))

    assert started.count("░") == 16 - started.count("█")
    assert started.count("█") < 2
    assert (over.count("█"), over.count("░")) == (16, 0)
    assert "3 of 3 cells done" in over


def test_the_current_phase_has_a_clock_with_its_length() -> None:
    wide, narrow = (
        texts(header(cell_started(), MEASURING, later_s=4.0, columns=columns))[1]
        for columns in (120, 80)
    )

    phases = "scaling ▸ ramping ▸ settling ▸ measuring 00:04/00:10 ▸ draining"
    assert wide == f" 1 model, 2 users, 2 users/s  {phases}"
    assert narrow == f" m1_u2_s2  {phases}"


@pytest.mark.parametrize(
    ("phase", "later_s", "clock"),
    [
        (Phase.SCALING, 7.0, "scaling 00:07 "),
        (Phase.SCALING, 3725.0, "scaling 1:02:05 "),
        (Phase.SETTLING, 7.0, "settling 00:07/≤00:15 "),
        (Phase.MEASURING, 99.0, "measuring 00:10/00:10 "),
        (Phase.RAMPING, 3.0, "ramping 00:03 "),  # all users start at once
        (Phase.DRAINING, 1.0, "draining 00:01"),
    ],
)
def test_a_clock_stops_at_the_length_of_its_phase(phase: Phase, later_s: float, clock: str) -> None:
    activity = header(cell_started(), CellPhase(cell=FIRST, phase=phase), later_s=later_s)[1]

    assert clock in plain(activity)
    assert tone_of(activity, phase.value) is Tone.ACCENT


def test_a_later_attempt_is_numbered() -> None:
    again = (cell_started(attempt=2), CellPhase(cell=FIRST, phase=Phase.SCALING))

    assert texts(header(*again))[1].startswith(" 1 model, 2 users, 2 users/s (attempt 2)  scaling")


def test_a_cell_without_a_phase_has_no_clock() -> None:
    assert texts(header(cell_started()))[1].split(" ▸ ")[0] == (
        " 1 model, 2 users, 2 users/s  scaling"
    )


def test_a_pause_after_the_current_cell_is_announced() -> None:
    activity = header(cell_started(), MEASURING, answered("pause"), columns=140)[1]

    assert plain(activity).endswith(" ▸ draining  pausing after this cell")
    assert tone_of(activity, "pausing") is Tone.WARN


def test_a_paused_run_names_the_key_to_resume() -> None:
    over = (cell_started(), cell_finished(), answered("pause"))

    assert texts(header(*over))[1] == " Paused · Space resume"


@pytest.mark.parametrize(
    ("events", "text"), [((), " Starting"), ((*LIVE[:1], cell_finished()), " Between cells")]
)
def test_a_run_without_a_current_cell_shows_its_activity(
    events: tuple[Event, ...], text: str
) -> None:
    assert texts(header(*events))[1] == text


@pytest.mark.parametrize("events", [(), LIVE, (*LIVE, answered("pause"))])
def test_a_stopping_run_shows_only_that(events: tuple[Event, ...]) -> None:
    activity = texts(header(*events, answered("stop")))[1]

    assert activity == " Stopping: removing containers and processes"


def test_a_narrow_header_keeps_the_current_phase_and_its_clock() -> None:
    events = (cell_started(), MEASURING, answered("pause"))

    title, activity, _ = texts(header(*events, columns=60, later_s=1.0))

    assert activity == " m1_u2_s2  measuring 00:02/00:10  pausing after this cell"
    assert title.endswith("1 min 28 s left")
    assert "█" not in title


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize(
    "events",
    [
        (),
        LIVE,
        (cell_started(), MEASURING, answered("pause")),
        (*LIVE, answered("stop")),
        ALL_OVER,
    ],
    ids=["starting", "scaling", "pausing", "stopping", "over"],
)
def test_a_live_header_fits_the_screen(events: tuple[Event, ...], glyphs: Glyphs) -> None:
    # The screen has at least 60 columns.
    for columns in range(60, 140):
        lines = header(*events, columns=columns, glyphs=glyphs)
        assert all(width(one) <= columns for one in lines)


@pytest.mark.parametrize("columns", [60, 61, 70, 80, 100, 120])
@pytest.mark.parametrize("left", [None, "3 containers of bench-1 could not be removed: no answer"])
@pytest.mark.parametrize("result", list(Result))
def test_the_header_of_a_finished_run_fits_the_screen(
    result: Result, left: str | None, columns: int
) -> None:
    end = finish(result, reason="model-1 " * 20, left=left)

    lines = header(*LIVE, end, status=RunStatus(result.value), columns=columns)

    assert all(width(one) <= columns for one in lines)


def test_a_done_run_counts_its_cells_by_verdict() -> None:
    lines = header(*ALL_OVER, finish(), status=RunStatus.DONE)
    title, answer, ending = texts(lines)

    assert "● done" in title
    assert answer.startswith(" 1 CPU model process at batch 1 reaches at least 40.0 req/s")
    assert title.endswith("3 cells: 3 valid")
    assert ending == " Done: 3 of 3 cells measured"
    assert tone_of(lines[0], "3 valid") is Tone.GOOD
    assert tone_of(lines[2], "Done") is Tone.DIM
    assert tone_of(lines[1], "reaches") is Tone.STRONG


def test_verdicts_and_failures_have_their_colour_in_the_header() -> None:
    events = (
        *(cell_started(FIRST), cell_finished(FIRST, verdict=Verdict.SUSPECT, reasons=("x",))),
        *(cell_started(SECOND), cell_failed(SECOND), cell_skipped(THIRD)),
    )

    title, *_ = header(*events, finish(), status=RunStatus.DONE)
    short, *_ = header(*events, finish(), status=RunStatus.DONE, columns=70)

    assert plain(title).rstrip().endswith("3 cells: 1 suspect, 1 failed, 1 skipped")
    assert plain(short).rstrip().endswith("1 of 3, 1 failed, 1 skipped")
    tones = [tone_of(title, word) for word in ("suspect", "failed", "skipped")]
    assert tones == [Tone.WARN, Tone.BAD, Tone.WARN]
    assert [tone_of(short, word) for word in ("failed", "skipped")] == [Tone.BAD, Tone.WARN]


def test_a_stopped_run_names_the_key_to_resume() -> None:
    stopped = finish(Result.STOPPED, reason="asked for")

    lines = header(*LIVE, stopped, status=RunStatus.STOPPED)

    assert texts(lines)[1] == " Stopped: asked for. Press r to resume."
    assert tone_of(lines[1], "Stopped") is Tone.WARN


def test_leftovers_of_a_run_are_a_warning() -> None:
    lines = header(*ALL_OVER, finish(left="model-1 is left"), status=RunStatus.DONE)

    assert texts(lines)[1] == " Done: 3 of 3 cells measured; model-1 is left"
    assert tone_of(lines[1], "left") is Tone.WARN


def test_an_interrupted_run_names_the_cell_of_the_kill() -> None:
    title, ending, answer = texts(header(*LIVE, status=RunStatus.INTERRUPTED))

    assert "! interrupted" in title
    assert title.endswith("3 cells: 3 pending")
    assert ending == " The runner was killed during m1_u2_s2. Press r to resume."
    assert answer == " No results yet."


def test_a_run_that_was_killed_between_cells_names_no_cell() -> None:
    over = (cell_started(), cell_finished())

    ending = texts(header(*over, status=RunStatus.INTERRUPTED))[1]

    assert ending == " The runner was killed. Press r to resume."


def test_the_ending_of_a_done_run_counts_its_failed_cells() -> None:
    events = (cell_started(), cell_failed(), *ALL_OVER[2:])

    ending = texts(header(*events, finish(), status=RunStatus.DONE))[2]

    assert ending == " Done: 2 of 3 cells measured, 1 failed"


ANSWER = (
    " 1 CPU model process at batch 1 carries at least 2 users: p95 10.0 ms (goal 500 ms), "
    "40.0 req/s."
)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (
            140,
            f"{ANSWER} No load above 2 users was measured.",
        ),
        (110, ANSWER),
        (
            85,
            " 1 CPU model process at batch 1 carries at least 2 users: p95 10.0 ms, 40.0 req/s.",
        ),
        (70, " 1 model process carries ≥ 2 users, p95 10.0 ms"),
    ],
)
def test_the_recommendation_is_as_long_as_the_line(columns: int, text: str) -> None:
    profile = make_profile(goals={"p95_ms": 500})
    state = state_after(run_started(profile), cell_started(), cell_finished(), finish())
    run = Run(Path("/nowhere/reports/demo/20261122-072100"), state, RunStatus.DONE)

    assert plain(header_lines(run, profile, 0.0, UNICODE, columns)[1]) == text


def test_a_goal_that_no_configuration_meets_is_a_warning() -> None:
    profile = make_profile(goals={"p95_ms": 5})
    state = state_after(run_started(profile), cell_started(), cell_finished(), finish())
    run = Run(Path("/nowhere/reports/demo/20261122-072100"), state, RunStatus.DONE)

    lines = header_lines(run, profile, 0.0, UNICODE, 120)

    assert tone_of(lines[1], "No configuration met the goals") is Tone.WARN


# What distinguishes runs


def labelled(label: str, *overrides: str, batch_size: int = 1) -> RunState:
    """The state of a run with a label and overrides."""
    started = replace(run_started(make_profile(batch_size=batch_size)), overrides=overrides)
    return state_after(started, RunLabelled(label=label))


def test_the_label_and_the_settings_of_a_run_are_shown() -> None:
    state = labelled("GPU test", "batch_size=10", "users=5,10", "stack.driver=local", batch_size=10)
    shown = traits_line(state, UNICODE, None)
    assert plain(shown) == "GPU test · cpu · batch 10 · local · users=5,10"
    assert tone_of(shown, "GPU test") is Tone.STRONG
    assert plain(traits_line(labelled(""), ASCII, None)).isascii()


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (56, "new images · cpu · batch 1 · local · users=5 · repeats=3"),
        (55, "new images · cpu · batch 1 · users=5 · repeats=3"),
        (47, "new images · batch 1 · users=5 · repeats=3"),
        (41, "new images · batch 1 · users=5 · +1"),
        (35, "new images · batch 1 · users=5 · +1"),
        (34, "new images · batch 1 · +2"),
        (5, "new images · batch 1 · +2"),
    ],
)
def test_the_least_important_settings_are_omitted_first(columns: int, text: str) -> None:
    state = labelled("new images", "users=5", "repeats=3")
    assert plain(traits_line(state, UNICODE, columns)) == text


def test_a_run_with_an_unreadable_profile_shows_its_label_and_driver() -> None:
    started = replace(run_started(), profile={"models": "none"}, label="old")
    assert plain(traits_line(state_after(started), UNICODE, None)) == "old · local"


@pytest.mark.parametrize("columns", [25, 36, 60, 120])
def test_batch_sizes_are_distinguished_at_any_width(columns: int) -> None:
    lines = {
        plain(traits_line(labelled("x" * 60, batch_size=size), UNICODE, columns))
        for size in (1, 10)
    }
    assert len(lines) == 2


def test_the_header_shows_the_label_if_it_fits() -> None:
    events = (*ALL_OVER, finish(), RunLabelled(label="new images"))
    wide, narrow = (
        texts(header(*events, status=RunStatus.DONE, columns=columns))[0] for columns in (120, 50)
    )
    assert "● done   new images  " in wide
    assert "new images" not in narrow
    assert narrow.endswith("3 of 3")


# Progress within a phase


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (
            150,
            (
                " 1 model, 2 users, 2 users/s  scaling ▸ ramping ▸ settling ▸ measuring "
                "00:00/≤10:00 ▸ draining  140 of 200 requests for p95"
            ),
        ),
        (
            120,
            " 1 model, 2 users, 2 users/s  measuring 00:00/≤10:00  140 of 200 requests for p95",
        ),
        (70, " m1_u2_s2  measuring 00:00/≤10:00  140 of 200 requests for p95"),
        (30, " measuring 00:00/≤10:00"),
    ],
)
def test_what_is_missing_in_an_automatic_window_is_shown(columns: int, line: str) -> None:
    profile = make_profile(run_time="auto")
    progress = StackProgress(step="measure", line="Measuring: 140 of 200 requests for p95")
    state = state_after(run_started(profile), cell_started(FIRST), MEASURING, progress)
    state = replace(state, elapsed_s=state.phase_since_s)

    assert plain(activity_line(state, profile, UNICODE, columns)).rstrip() == line
