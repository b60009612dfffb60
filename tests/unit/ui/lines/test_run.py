"""The two lines at the top of a run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.journal.events import CellPhase, Event, Phase, Result, RunFinished
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.lines.text import Line, Tone, plain, width
from loadbench.ui.run.lines import header_lines
from tests.support.builders import (
    answered,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"


PROFILE = make_profile(models=[1, 2, 3], run_time="10s", settle={"max": "15s", "window": "5s"})


BEGUN = run_started(PROFILE)


MEASURING = CellPhase(cell=FIRST, phase=Phase.MEASURING)


def texts(lines: Iterable[Line]) -> list[str]:
    """What stands on the lines."""
    return [plain(one).rstrip() for one in lines]


def tone_of(one: Line, text: str) -> Tone:
    """The tone of the first piece with this text in it."""
    return next(piece.tone for piece in one if text in piece.text)


def header(
    *events: Event,
    status: RunStatus = RunStatus.LIVE,
    columns: int = 120,
    later_s: float = 0.0,
    glyphs: Glyphs = UNICODE,
) -> list[Line]:
    """The two lines at the top of a run, some seconds after its last event."""
    state = state_after(BEGUN, *events)
    run = Run(Path("/nowhere/reports/demo/20261122-072100"), state, status)
    return header_lines(run, PROFILE, state.elapsed_s + later_s, glyphs, columns)


def finish(result: Result = Result.DONE, **fields: Any) -> RunFinished:
    """The run has ended."""
    return RunFinished(result=result, **{"reason": "every cell is over", **fields})


ALL_OVER = tuple(
    event for key in (FIRST, SECOND, THIRD) for event in (cell_started(key), cell_finished(key))
)
LIVE = (cell_started(), CellPhase(cell=FIRST, phase=Phase.SCALING))


def test_a_live_run_says_its_name_the_cell_and_what_is_left() -> None:
    title, _ = texts(header(*LIVE))

    assert title.startswith(" demo ▸ 20261122-072100   ▶ live  ")
    assert "0 of 3 cells over  " in title
    assert title.endswith(" left")
    assert width(header(*LIVE)[0]) == 120


def test_what_is_left_becomes_less_while_nothing_is_said() -> None:
    at_first, later = (texts(header(*LIVE, later_s=it))[0] for it in (0.0, 4.0))

    assert "1 min 29 s left" in at_first
    assert "1 min 25 s left" in later


def test_the_bar_is_full_at_the_end() -> None:
    begun, over = (texts(header(*events))[0] for events in ((), ALL_OVER))

    assert begun.count("░") == 16 - begun.count("█")
    assert begun.count("█") < 2
    assert (over.count("█"), over.count("░")) == (16, 0)
    assert "3 of 3 cells over" in over


def test_the_phase_has_a_clock_with_its_length() -> None:
    doing = texts(header(cell_started(), MEASURING, later_s=4.0))[1]

    assert doing == (" m1_u2_s2  scaling ▸ ramping ▸ settling ▸ measuring 00:04/00:10 ▸ draining")


@pytest.mark.parametrize(
    ("phase", "later_s", "clock"),
    [
        (Phase.SCALING, 7.0, "scaling 00:07 "),
        (Phase.SCALING, 3725.0, "scaling 1:02:05 "),
        (Phase.SETTLING, 7.0, "settling 00:07/≤00:15 "),
        (Phase.MEASURING, 99.0, "measuring 00:10/00:10 "),
        (Phase.RAMPING, 3.0, "ramping 00:03 "),  # all users come at once
        (Phase.DRAINING, 1.0, "draining 00:01"),
    ],
)
def test_a_clock_goes_no_further_than_its_phase(phase: Phase, later_s: float, clock: str) -> None:
    doing = header(cell_started(), CellPhase(cell=FIRST, phase=phase), later_s=later_s)[1]

    assert clock in plain(doing)
    assert tone_of(doing, phase.value) is Tone.ACCENT


def test_a_cell_that_is_measured_again_says_so() -> None:
    again = (cell_started(attempt=2), CellPhase(cell=FIRST, phase=Phase.SCALING))

    assert texts(header(*again))[1].startswith(" m1_u2_s2 (attempt 2)  scaling")


def test_a_cell_without_a_phase_has_no_clock() -> None:
    assert texts(header(cell_started()))[1].split(" ▸ ")[0] == " m1_u2_s2  scaling"


def test_a_pause_that_waits_for_the_cell_says_so() -> None:
    doing = header(cell_started(), MEASURING, answered("pause"))[1]

    assert plain(doing).endswith("   pauses after it")
    assert tone_of(doing, "pauses") is Tone.WARN


def test_a_paused_run_says_how_it_goes_on() -> None:
    over = (cell_started(), cell_finished(), answered("pause"))

    assert texts(header(*over))[1] == " paused: space goes on"


@pytest.mark.parametrize(
    ("events", "told"), [((), " starting"), ((*LIVE[:1], cell_finished()), " between two cells")]
)
def test_a_run_without_a_current_cell_says_where_it_is(
    events: tuple[Event, ...], told: str
) -> None:
    assert texts(header(*events))[1] == told


@pytest.mark.parametrize("events", [(), LIVE, (*LIVE, answered("pause"))])
def test_a_run_that_is_being_stopped_says_so_above_all(events: tuple[Event, ...]) -> None:
    doing = texts(header(*events, answered("stop")))[1]

    assert doing == " stopping: everything is being taken down"


def test_a_narrow_header_keeps_the_current_phase_and_its_clock() -> None:
    events = (cell_started(), MEASURING, answered("pause"))

    title, doing = texts(header(*events, columns=60, later_s=1.0))

    assert doing == " m1_u2_s2  measuring 00:02/00:10  pauses after it"
    assert title.endswith("1 min 27 s left")
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
def test_a_live_header_is_never_wider_than_the_screen(
    events: tuple[Event, ...], glyphs: Glyphs
) -> None:
    # 60 columns are the fewest that a screen has.
    for columns in range(60, 140):
        lines = header(*events, columns=columns, glyphs=glyphs)
        assert all(width(one) <= columns for one in lines)


@pytest.mark.parametrize("columns", [60, 61, 70, 80, 100, 120])
@pytest.mark.parametrize("left", [None, "3 containers of bench-1 could not be removed: no answer"])
@pytest.mark.parametrize("result", list(Result))
def test_the_header_of_a_run_that_is_over_is_never_wider_than_the_screen(
    result: Result, left: str | None, columns: int
) -> None:
    end = finish(result, reason="model-1 " * 20, left=left)

    lines = header(*LIVE, end, status=RunStatus(result.value), columns=columns)

    assert all(width(one) <= columns for one in lines)


def test_a_run_that_is_done_counts_its_cells() -> None:
    lines = header(*ALL_OVER, finish(), status=RunStatus.DONE)
    title, ending = texts(lines)

    assert "● done" in title
    assert title.endswith("3 cells: 3 measured")
    assert ending == " done: every cell is over"
    assert tone_of(lines[1], "done") is Tone.DIM


def test_a_run_that_was_stopped_says_how_the_rest_is_measured() -> None:
    stopped = finish(Result.STOPPED, reason="asked for")

    lines = header(*LIVE, stopped, status=RunStatus.STOPPED)

    assert texts(lines)[1] == " stopped: asked for; r measures the rest"
    assert tone_of(lines[1], "stopped") is Tone.WARN


def test_what_could_not_be_taken_down_is_told_in_a_warning() -> None:
    lines = header(*ALL_OVER, finish(left="model-1 is left"), status=RunStatus.DONE)

    assert texts(lines)[1] == " done: every cell is over; model-1 is left"
    assert tone_of(lines[1], "left") is Tone.WARN


def test_an_interrupted_run_says_where_it_was_killed() -> None:
    title, ending = texts(header(*LIVE, status=RunStatus.INTERRUPTED))

    assert "! interrupted" in title
    assert title.endswith("3 cells: 3 pending")
    assert ending == " the runner was killed at m1_u2_s2; r measures the rest"


def test_an_interrupted_run_between_cells_was_killed_at_none() -> None:
    over = (cell_started(), cell_finished())

    ending = texts(header(*over, status=RunStatus.INTERRUPTED))[1]

    assert ending == " the runner was killed; r measures the rest"
