"""What a run would be, and what can be done with it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Event, Result, RunFinished
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.requests.launch import RunPlan
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.dialogs.lines import help_lines
from loadbench.ui.lines.actions import DEPEND_ON_STATE, allows, leaving, skipping
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.lines.text import Line, Tone, plain, width
from loadbench.ui.preview.lines import Intention, preview_lines
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

FIRST, SECOND = "m1_u2_s2", "m2_u2_s2"


PROFILE = make_profile(models=[1, 2], run_time="10s", settle={"max": "15s", "window": "5s"})


BEGUN = run_started(PROFILE)


STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


DONE = RunFinished(result=Result.DONE, reason="every cell is over")


def texts(lines: Iterable[Line]) -> list[str]:
    """What stands on the lines."""
    return [plain(one).rstrip() for one in lines]


def tone_of(lines: Iterable[Line], text: str) -> Tone:
    """The tone of the first piece with this text in it."""
    return next(piece.tone for one in lines for piece in one if text in piece.text)


def run(*events: Event, status: RunStatus = RunStatus.DONE, name: str = "20261122-072100") -> Run:
    """A run of two cells."""
    folder = Path("/nowhere/reports/demo") / name
    return Run(folder, state_after(BEGUN, *events), status)


MEASURED = (cell_started(), cell_finished(), cell_started(SECOND), cell_finished(SECOND))


# A preview

INTENTION = Intention(name="demo", profile=PROFILE, cells=plan_cells(PROFILE))
FOUND = RunPlan(
    preflight=Preflight(
        driver="local",
        reason="no containers: the Docker engine does not answer",
        lock="local",
        warnings=("2 models × 1 threads are more than the 1 cores here", "another one"),
    ),
    needed_bytes=24_400_000,
    free_bytes=77_700_000_000,
)


def test_until_the_process_answers_only_the_plan_is_told() -> None:
    lines = texts(preview_lines(INTENTION, None, 80, busy="asking Docker…"))

    assert lines == [
        "cells     2 cells: models 1, 2; users 2; users started per second (in batches",
        "          once a second) 2",
        "time      about 1 min 4 s",
        "",
        "asking Docker…",
    ]


def test_what_was_found_is_told_with_its_warnings() -> None:
    lines = preview_lines(INTENTION, FOUND, 80)

    assert texts(lines)[3:] == [
        "driver    local: no containers: the Docker engine does not answer",
        "disk      up to 24 MB, 77.7 GB are free",
        "warning   2 models × 1 threads are more than the 1 cores here",
        "warning   another one",
        "",
        "enter starts it, escape does not",
    ]
    assert tone_of(lines, "warning") is Tone.WARN


def test_a_refusal_is_told_line_by_line_and_offers_no_start() -> None:
    lines = preview_lines(INTENTION, None, 40, refusal="no driver\n  local: missing onnxruntime")

    assert texts(lines)[-5:] == [
        "",
        "no driver",
        "  local: missing onnxruntime",
        "",
        "escape goes back; nothing was started",
    ]
    assert tone_of(lines, "driver") is Tone.BAD


def test_while_something_is_awaited_nothing_is_offered() -> None:
    lines = texts(preview_lines(INTENTION, FOUND, 80, busy="starting…"))

    assert lines[-1] == "starting…"
    assert not any("enter starts" in one for one in lines)


def test_why_a_run_is_no_new_one_stands_above() -> None:
    again = replace(INTENTION, again="goes on with demo/20261122-072100", cells=INTENTION.cells[:1])

    lines = texts(preview_lines(again, None, 80))

    assert lines[:3] == [
        "goes on with demo/20261122-072100",
        "cells     1 cell: models 1; users 2; users started per second (in batches once a",
        "          second) 2",
    ]


def test_repeats_are_told_where_there_are_several() -> None:
    cells = plan_cells(make_profile(repeats=3, spawn_rates=[0.5]))

    lines = texts(preview_lines(replace(INTENTION, cells=cells), None, 80))

    assert lines[1].endswith("second) 0.5; repeat 1, 2, 3")


def test_that_the_first_cell_is_measured_again_is_told() -> None:
    cells = plan_cells(make_profile(models=[1, 2], recheck_first=True))

    lines = texts(preview_lines(replace(INTENTION, cells=cells), None, 200))

    assert lines[0].startswith("cells     3 cells: models 1, 2;")
    assert lines[0].endswith("; the first once more at the end")


@given(st.text(max_size=100), st.integers(20, 80))
def test_a_preview_is_never_wider_than_its_dialog(said: str, columns: int) -> None:
    preflight = replace(FOUND.preflight, reason=said, warnings=(said,))
    found = replace(FOUND, preflight=preflight)

    lines = preview_lines(INTENTION, found, columns, refusal=said)

    # The last line says which keys there are; a dialog has room for that.
    assert all(width(one) <= columns for one in lines[:-1])


# What can be done


def allowed(of: Run, *, cell: str | None = FIRST, chosen: bool = False) -> set[str]:
    """Every action that depends on the state and that the run allows."""
    return {it for it in DEPEND_ON_STATE if allows(of, it, cell=cell, chosen=chosen)}


def live(*events: Event) -> Run:
    """A run whose runner is at it."""
    return run(*events, status=RunStatus.LIVE)


AT_FIRST = (cell_started(),)
LIVE_ALWAYS = {"stop", "detach", "add"}


def test_a_live_run_can_be_paused_stopped_and_left() -> None:
    assert allowed(live(*AT_FIRST)) == {*LIVE_ALWAYS, "pause", "skip"}


def test_a_paused_run_can_go_on() -> None:
    assert allowed(live(*AT_FIRST, answered("pause"))) == {*LIVE_ALWAYS, "continue", "skip"}


def test_a_run_that_is_being_stopped_can_be_killed() -> None:
    assert allowed(live(*AT_FIRST, answered("stop"))) == {"kill", "detach"}
    assert allowed(live(answered("pause"), answered("stop"))) == {"kill", "detach"}


@pytest.mark.parametrize("end", [cell_finished(), cell_failed(), cell_skipped()])
def test_a_cell_that_is_over_can_be_measured_again_and_not_skipped(end: Event) -> None:
    assert allowed(live(*AT_FIRST, end)) == {*LIVE_ALWAYS, "pause", "again"}


def test_a_cell_to_come_can_be_skipped() -> None:
    assert "skip" in allowed(live(*AT_FIRST), cell=SECOND)
    assert "again" not in allowed(live(*AT_FIRST), cell=SECOND)


def test_without_a_cell_nothing_can_be_done_with_it() -> None:
    assert allowed(live(), cell=None) == {*LIVE_ALWAYS, "pause"}


def test_the_current_cell_can_be_followed_once_another_was_chosen() -> None:
    assert "follow" not in allowed(live(*AT_FIRST))
    assert "follow" in allowed(live(*AT_FIRST), chosen=True)
    assert "follow" not in allowed(live(), chosen=True)


def test_an_interrupted_run_can_be_gone_on_with_and_no_more() -> None:
    assert allowed(run(*AT_FIRST, status=RunStatus.INTERRUPTED)) == {"resume"}


def test_a_stopped_run_can_be_gone_on_with() -> None:
    assert allowed(run(*AT_FIRST, STOPPED, status=RunStatus.STOPPED)) == {"resume"}


def test_a_run_whose_cells_are_all_measured_leaves_nothing_to_do() -> None:
    assert allowed(run(*MEASURED, DONE)) == set()


def test_a_run_with_failed_cells_can_measure_them_again() -> None:
    failed = (*MEASURED[:3], cell_failed(SECOND), DONE)

    assert allowed(run(*failed)) == {"resume"}


def test_a_report_can_be_opened_where_there_is_one() -> None:
    reports = frozenset({"1_2_2.html", "2_2_2.html"})
    over = replace(run(*MEASURED[:2], STOPPED, status=RunStatus.STOPPED), reports=reports)

    assert allowed(over) == {"open", "copy", "resume"}
    assert allowed(over, cell=SECOND) == {"resume"}  # of an attempt before
    assert allowed(over, cell=None) == {"resume"}


def test_actions_that_depend_on_nothing_are_always_allowed() -> None:
    assert allows(run(), "help", cell=None, chosen=False)


def test_skipping_and_leaving_name_what_they_are_about() -> None:
    assert texts(skipping(FIRST))[0] == (
        "m1_u2_s2 is being measured. Its samples so far are discarded."
    )
    assert texts(leaving(run()))[0].startswith("demo/20261122-072100 is live and ")


# Help


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_help_lists_the_keys_by_place_and_then_every_sign_that_is_used(glyphs: Glyphs) -> None:
    keys = [("here", [("space", "pause"), ("s", "skip")]), ("there", [])]

    lines = texts(help_lines(keys, glyphs))

    assert lines[:5] == ["here", "  space         pause", "  s             skip", "", "signs"]
    assert "there" not in lines
    explained = [one.split()[0] for one in lines[5:]]
    used = (glyphs.running, glyphs.failed, glyphs.skipped, glyphs.pending)
    assert {*used, "!", "!!", "~41", "@2/s", "#2", "again"} == set(explained)
