"""The preview of a run, the actions on a run, and the help."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Event, Result, RunFinished, Verdict
from loadbench.engine.journal.state import fold
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.profile.target import Target
from loadbench.engine.requests.holder import Holder
from loadbench.engine.requests.launch import RunPlan
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.dialogs.lines import help_lines
from loadbench.ui.lines.actions import (
    DEPEND_ON_STATE,
    ResumeKind,
    allows,
    leaving,
    resume_kind,
    retrying,
    skipping,
)
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.lines.text import Line, Tone, plain, width
from loadbench.ui.preview.lines import PreviewedRun, preview_lines
from loadbench.wording import IN_BATCHES
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    run_started,
    state_after,
    timed_attempt,
    timed_entries,
)

FIRST, SECOND = "m1_u2_s2", "m2_u2_s2"


PROFILE = make_profile(models=[1, 2], run_time="10s", settle={"max": "15s", "window": "5s"})


BEGUN = run_started(PROFILE)


STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


DONE = RunFinished(result=Result.DONE, reason="every cell is over")


def texts(lines: Iterable[Line]) -> list[str]:
    """The text of the lines, without trailing spaces."""
    return [plain(line).rstrip() for line in lines]


def tone_of(lines: Iterable[Line], text: str) -> Tone:
    """The tone of the first piece that contains this text."""
    return next(piece.tone for line in lines for piece in line if text in piece.text)


def run(*events: Event, status: RunStatus = RunStatus.DONE, name: str = "20261122-072100") -> Run:
    """A run with two cells."""
    folder = Path("/nowhere/reports/demo") / name
    return Run(folder, state_after(BEGUN, *events), status)


MEASURED = (cell_started(), cell_finished(), cell_started(SECOND), cell_finished(SECOND))


# A preview

INTENTION = PreviewedRun(name="demo", profile=PROFILE, cells=plan_cells(PROFILE))
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


def test_before_the_runner_answers_only_the_plan_is_shown() -> None:
    lines = texts(preview_lines(INTENTION, None, 80, busy="Checking…"))

    assert lines == [
        "Cells       2",
        "Models      1, 2",
        "Users       2",
        f"Spawn rate  2 users/s, {IN_BATCHES}",
        "Duration    about 1 min 4 s, estimated from the settings",
        "Checking…",
    ]


def test_the_answer_of_the_runner_is_shown_with_its_warnings() -> None:
    lines = preview_lines(INTENTION, FOUND, 80)

    assert texts(lines)[5:] == [
        "Driver      local: no containers: the Docker engine does not answer",
        "Warning     2 models × 1 threads are more than the 1 cores here",
        "Warning     another one",
        "Disk        up to 24 MB, 77.7 GB free",
    ]
    assert tone_of(lines, "Warning") is Tone.WARN


def test_the_time_that_cells_need_is_shown_or_what_to_set_if_they_are_too_short() -> None:
    plan = replace(FOUND, sampling="up to 4 min per cell for p95")
    short = replace(plan, too_short="run_time: 30s is too short")

    assert texts(preview_lines(INTENTION, plan, 80))[5] == (
        "Needed      up to 4 min per cell for p95"
    )
    lines = preview_lines(INTENTION, short, 80)
    assert texts(lines)[5] == "Warning     run_time: 30s is too short"
    assert texts(lines)[6].startswith("Driver")
    assert tone_of(lines, "Warning") is Tone.WARN


def test_the_duration_has_the_expected_length_of_automatic_windows() -> None:
    profile = PROFILE.model_copy(update={"run_time": "auto"})
    cells = plan_cells(profile)
    previewed = PreviewedRun(name="demo", profile=profile, cells=cells)
    plan = replace(FOUND, window_s={cell.key: 20.0 for cell in cells})

    assert "Duration    about 1 min 24 s" in texts(preview_lines(previewed, plan, 80))[4]


def test_what_the_run_measures_follows_the_warnings() -> None:
    target = Target(address="port 8000 of api", scaled="api", locustfile="locustfile.py")
    plan = replace(FOUND, preflight=replace(FOUND.preflight, target=target))

    assert texts(preview_lines(INTENTION, plan, 80))[7:] == [
        "Warning     another one",
        "Requests to port 8000 of api",
        "Scaled      api",
        "Locustfile  locustfile.py",
        "Disk        up to 24 MB, 77.7 GB free",
    ]


def test_a_lack_of_space_is_shown_as_a_warning() -> None:
    lack = "/r: the file system at / can hold only 3 more files (free inodes), about 52 needed"
    lines = preview_lines(INTENTION, replace(FOUND, lack_of_space=lack), 80)

    shown = " ".join(texts(lines)[-2:])
    assert " ".join(shown.split()) == f"Warning {lack}"


def earlier(name: str = "20261122-072100", *, scaling_s: float = 30, driver: str = "local") -> Run:
    """An earlier run that measured the first cell."""
    started = replace(run_started(PROFILE, run=name), driver=driver)
    steps = timed_attempt(INTENTION.cells[0], scaling_s=scaling_s, settling_s=19)
    state = fold(timed_entries(started, *steps))
    return Run(Path("/nowhere/reports/demo") / name, state, RunStatus.STOPPED)


def duration(*runs: Run, plan: RunPlan | None = None) -> str:
    """The estimated duration with these earlier runs."""
    lines = texts(preview_lines(replace(INTENTION, earlier=runs), plan, 80))
    (found,) = (text for text in lines if text.startswith("Duration"))
    return found.removeprefix("Duration").strip()


def test_the_duration_names_the_run_that_it_is_estimated_from() -> None:
    assert duration(earlier()) == "about 2 min, from the run of 22 Nov 07:21"


def test_the_duration_names_the_number_of_runs_that_it_is_estimated_from() -> None:
    runs = [earlier("20261123-072100", scaling_s=10), earlier()]

    assert duration(*runs) == "about 1 min 40 s, from 2 earlier runs"


def test_live_runs_do_not_change_the_duration() -> None:
    current = replace(earlier("20261123-072100", scaling_s=90), status=RunStatus.LIVE)

    assert duration(current, earlier()) == duration(earlier())
    assert duration(current) == duration()


def test_only_ten_earlier_runs_are_searched() -> None:
    unmeasured = [run(status=RunStatus.ABORTED)] * 9

    assert duration(*unmeasured, earlier()) == duration(earlier())
    assert duration(*unmeasured, *unmeasured, earlier()) == duration()


def test_the_duration_follows_the_driver_of_the_runner() -> None:
    local, compose = earlier(), earlier("20261123-072100", scaling_s=90, driver="compose")

    assert duration(compose, local) == duration(compose)
    assert duration(compose, local, plan=FOUND) == duration(local)
    assert duration(compose, plan=FOUND) == duration()


def test_a_refusal_is_shown_with_what_to_do() -> None:
    lines = preview_lines(INTENTION, None, 40, refusal="no driver\n  local: missing onnxruntime")

    assert texts(lines)[:5] == [
        "no driver",
        "  local: missing onnxruntime",
        "Nothing was started. Fix the problem,",
        "then press Enter again.",
        "",
    ]
    assert tone_of(lines, "onnxruntime") is Tone.BAD


def test_a_refusal_to_resume_says_to_resume_again() -> None:
    lines = texts(
        preview_lines(replace(INTENTION, resume_summary="x"), None, 80, refusal="no driver")
    )

    assert "Nothing was started. Fix the problem, then resume the run again." in lines


def test_the_run_that_uses_the_service_comes_first() -> None:
    holder = Holder(
        folder="/reports/with_cpu/1", is_local=True, cells=6, ended=2, current="m1", remaining_s=60
    )
    lines = preview_lines(INTENTION, replace(FOUND, holder=holder), 100, is_brief=True)

    assert texts(lines)[:3] == [
        "In use      with_cpu/1 uses the service: 2 of 6 cells done, now m1, about 1 min left",
        "            Enter: attach to it, start after it, or stop it",
        "Cells       2",
    ]
    assert tone_of(lines, "In ") is Tone.WARN


def test_a_run_that_is_just_starting_has_no_name() -> None:
    lines = texts(preview_lines(INTENTION, replace(FOUND, holder=Holder()), 100))

    assert lines[0] == "In use      A run that is just starting uses the service"


def test_progress_is_shown_below_the_facts() -> None:
    lines = texts(preview_lines(INTENTION, FOUND, 80, busy="Starting…"))

    assert lines[-1] == "Starting…"


def test_the_preview_of_a_resumed_run_starts_with_what_remains() -> None:
    resumed = replace(INTENTION, resume_summary="1 of 2 cells remains.", cells=INTENTION.cells[:1])

    lines = texts(preview_lines(resumed, None, 80))

    assert lines[:4] == ["1 of 2 cells remains.", "", "Cells       1", "Models      1"]


def test_repeats_are_shown_if_there_are_several() -> None:
    cells = plan_cells(make_profile(repeats=3, spawn_rates=[0.5]))

    lines = texts(preview_lines(replace(INTENTION, cells=cells), None, 80))

    assert "Repeats     1, 2, 3" in lines
    assert f"Spawn rate  0.5 users/s, {IN_BATCHES}" in lines
    assert not any(text.startswith("Repeats") for text in texts(preview_lines(INTENTION, None, 80)))


def test_the_recheck_counts_as_a_cell_and_is_named() -> None:
    cells = plan_cells(make_profile(models=[1, 2], recheck_first=True))

    lines = texts(preview_lines(replace(INTENTION, cells=cells), None, 200))

    assert lines[0] == "Cells       3, including a recheck of the first cell at the end"


@given(st.text(max_size=100), st.integers(20, 80))
def test_a_preview_is_never_wider_than_its_dialog(text: str, columns: int) -> None:
    preflight = replace(FOUND.preflight, reason=text, warnings=(text,))
    found = replace(FOUND, preflight=preflight)

    lines = preview_lines(INTENTION, found, columns, refusal=text)

    assert all(width(line) <= columns for line in lines)


# Actions


def allowed(run: Run, *, cell: str | None = FIRST, chosen: bool = False) -> set[str]:
    """The state-dependent actions that the run allows."""
    return {action for action in DEPEND_ON_STATE if allows(run, action, cell=cell, chosen=chosen)}


def live(*events: Event) -> Run:
    """A live run."""
    return run(*events, status=RunStatus.LIVE)


AT_FIRST = (cell_started(),)
LIVE_ALWAYS = {"stop", "detach", "add"}


def test_a_live_run_can_be_paused_stopped_and_detached_from() -> None:
    assert allowed(live(*AT_FIRST)) == {*LIVE_ALWAYS, "pause", "skip"}


def test_a_paused_run_can_be_continued() -> None:
    assert allowed(live(*AT_FIRST, answered("pause"))) == {*LIVE_ALWAYS, "continue", "skip"}


def test_the_runner_of_a_stopping_run_can_be_killed() -> None:
    assert allowed(live(*AT_FIRST, answered("stop"))) == {"kill", "detach"}
    assert allowed(live(answered("pause"), answered("stop"))) == {"kill", "detach"}


@pytest.mark.parametrize("end", [cell_finished(), cell_failed(), cell_skipped()])
def test_a_completed_cell_can_be_measured_again_but_not_skipped(end: Event) -> None:
    assert allowed(live(*AT_FIRST, end)) == {*LIVE_ALWAYS, "pause", "again"}


def test_a_pending_cell_can_be_skipped() -> None:
    assert "skip" in allowed(live(*AT_FIRST), cell=SECOND)
    assert "again" not in allowed(live(*AT_FIRST), cell=SECOND)


def test_without_a_cell_no_cell_action_is_allowed() -> None:
    assert allowed(live(), cell=None) == {*LIVE_ALWAYS, "pause"}


def test_the_current_cell_can_be_followed_after_another_was_selected() -> None:
    assert "follow" not in allowed(live(*AT_FIRST))
    assert "follow" in allowed(live(*AT_FIRST), chosen=True)
    assert "follow" not in allowed(live(), chosen=True)


def test_a_run_that_is_not_live_can_be_resumed_with_another_cell() -> None:
    assert allowed(run(*AT_FIRST, status=RunStatus.INTERRUPTED)) == {"resume", "add"}
    assert allowed(run(*AT_FIRST, STOPPED, status=RunStatus.STOPPED)) == {"resume", "add"}


def test_a_cell_of_a_complete_run_can_be_measured_again() -> None:
    assert allowed(run(*MEASURED, DONE)) == {"again", "add"}
    assert allowed(run(*MEASURED, DONE), cell=None) == {"add"}


def test_a_run_with_an_unreadable_profile_cannot_change() -> None:
    over = run(*MEASURED, DONE)

    assert allowed(replace(over, state=replace(over.state, profile=None))) == set()


def test_the_key_that_resumes_names_the_cells_that_it_measures() -> None:
    suspect = cell_finished(SECOND, verdict=Verdict.SUSPECT)
    kinds = {
        ResumeKind.REMAINING: run(*AT_FIRST, STOPPED, status=RunStatus.STOPPED),
        ResumeKind.FAILED: run(*MEASURED[:3], cell_failed(SECOND), DONE),
        ResumeKind.SUSPECT: run(*MEASURED[:3], suspect, DONE),
        ResumeKind.EITHER: run(cell_failed(), suspect, DONE),
        None: run(*MEASURED, DONE),
    }

    assert [resume_kind(one) for one in kinds.values()] == list(kinds)
    assert resume_kind(live()) is None
    assert texts(retrying(kinds[ResumeKind.EITHER]))[0] == (
        "1 cell failed; 1 cell is suspect or invalid."
    )


def test_an_existing_report_can_be_opened() -> None:
    reports = frozenset({"1_2_2.html", "2_2_2.html"})
    over = replace(run(*MEASURED[:2], STOPPED, status=RunStatus.STOPPED), reports=reports)

    assert allowed(over) == {"open", "copy", "resume", "again", "add"}
    assert allowed(over, cell=SECOND) == {"resume", "add"}  # its report is of an earlier attempt
    assert allowed(over, cell=None) == {"resume", "add"}


def test_state_independent_actions_are_always_allowed() -> None:
    assert allows(run(), "help", cell=None, chosen=False)


def test_skipping_and_leaving_name_the_cell_and_the_run() -> None:
    assert texts(skipping(FIRST))[0] == (
        "m1_u2_s2 is being measured. Its samples so far are discarded."
    )
    assert texts(leaving(run()))[0].startswith("demo/20261122-072100 is live and ")


# Help


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_help_lists_keys_by_place_and_then_every_sign(glyphs: Glyphs) -> None:
    keys = [("On this screen", [("Space", "pause"), ("s", "skip")]), ("In this panel", [])]

    lines = texts(help_lines(keys, glyphs))

    expected = ["On this screen", "  Space         pause", "  s             skip", "", "Symbols"]
    assert lines[:5] == expected
    assert "In this panel" not in lines
    explained = [text.split()[0] for text in lines[5:]]
    used = (glyphs.running, glyphs.failed, glyphs.skipped, glyphs.pending)
    assert {*used, "!", "!!", "~41", "@2/s", "#2", "recheck,"} == set(explained)
    assert not any("batch" in text for text in lines)
