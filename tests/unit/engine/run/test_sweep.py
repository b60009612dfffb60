"""The order of side effects of a sweep: on success, on failures, on stop and resume."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from loadbench.engine.drivers.protocol import Replica
from loadbench.engine.journal.commands import FILE_NAME as COMMANDS
from loadbench.engine.journal.commands import MAX_LINES, send_command
from loadbench.engine.journal.events import (
    CellPhase,
    CommandAnswered,
    Container,
    Containers,
    Phase,
    ReplicaRequests,
    Result,
    Sample,
    StackProgress,
    Verdict,
)
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.measure.conditions import whole_seconds
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.repeats import groups
from loadbench.engine.report.rows import rows
from loadbench.engine.report.target.replicas import replica_rows
from loadbench.errors import (
    DiskFullError,
    EngineError,
    LoadError,
    LoadLostError,
    LoadStartError,
    StackError,
)
from tests.support.builders import make_cell
from tests.support.sweeps import Sweep, trap_raising

ONE_CELL = [
    "measure",
    "look",
    "look",
    "look",
    "stop users",
    "measured",
    "report",
]

CLEAN_UP = ["close load", "close stack", "close stack", "close load"]
"""Closed twice: a background task may start processes during the first close."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


@pytest.fixture
def sweep(folder: Path) -> Iterator[Sweep]:
    sweep = Sweep(folder, models=[1, 2])
    yield sweep
    sweep.journal.close()


def test_a_sweep_performs_all_steps_in_order_and_scales_for_each_cell(sweep: Sweep) -> None:
    assert sweep.run() is Result.DONE

    assert sweep.calls == [
        "start load",
        "prepare",
        *("scale 1", "swarm m1_u2_s2", *ONE_CELL),
        *("scale 2", "swarm m2_u2_s2", *ONE_CELL),
        *CLEAN_UP,
    ]


def test_the_recheck_runs_last_with_the_models_of_the_first_cell(
    folder: Path,
) -> None:
    sweep = Sweep(folder, models=[1, 2], recheck_first=True)

    assert sweep.run() is Result.DONE

    scaled = [call for call in sweep.calls if call.startswith(("scale", "swarm"))]
    assert scaled[-2:] == ["scale 1", "swarm m1_u2_s2_recheck"]
    assert (folder / "1_2_2_recheck.html").is_file()
    assert drift_of(sweep.state) is not None
    sweep.journal.close()


def test_the_journal_on_disk_folds_to_the_state_of_the_runner(sweep: Sweep) -> None:
    sweep.run()

    assert sweep.state == sweep.control.state
    assert sweep.state.count(CellStatus.FINISHED) == 2
    assert sweep.state.finished is not None
    assert sweep.state.finished.reason == "2 of 2 cells measured"


def test_phases_and_progress_are_recorded_in_order(sweep: Sweep) -> None:
    sweep.run()

    events = [entry.event for entry in JournalReader(sweep.folder).poll()]
    phases = [event.phase for event in events if isinstance(event, CellPhase)]
    assert phases == [phase for phase in Phase if phase is not Phase.SETTLING] * 2
    steps = [event.line for event in events if isinstance(event, StackProgress)]
    place = "Requests go to http://127.0.0.1:1"
    assert steps == ["done", "1 models", place, "2 models", place]


def test_requests_are_recorded_by_replica_with_their_names(sweep: Sweep) -> None:
    hosts = ("http://127.0.0.1:1", "http://127.0.0.1:2")
    sweep.stack.replicas = tuple(Replica(f"app-{n}", url) for n, url in enumerate(hosts, 1))
    other = ReplicaRequests(host="http://elsewhere", successes=((5.0, 1),))
    sweep.load.replicas = (other, ReplicaRequests(host=hosts[1], successes=((10.0, 3),)))

    sweep.run()

    assert sweep.load.hosts == hosts
    finished = sweep.state.cells["m1_u2_s2"].finished
    assert finished is not None
    assert [(one.name, one.host) for one in finished.replicas] == [
        ("app-1", hosts[0]),
        ("app-2", hosts[1]),
        ("", "http://elsewhere"),
    ]
    assert [one.requests for one in replica_rows(finished)] == [0, 3, 1]
    assert finished.host == hosts[0]


def test_reports_of_all_cells_and_the_summary_are_written(sweep: Sweep) -> None:
    sweep.run()

    names = {path.name for path in sweep.folder.iterdir()}
    assert {"1_2_2.html", "2_2_2.html", "summary.csv", "summary.json"} <= names
    assert not [name for name in names if name.endswith(".part")]


def test_results_are_saved_after_each_cell(sweep: Sweep) -> None:
    rows = []
    sweep.stack.traps["scale 2"] = lambda: rows.append(
        (sweep.folder / "summary.csv").read_text().splitlines()[1]
    )

    sweep.run()

    assert rows[0].startswith("m1_u2_s2,")
    assert ",valid," in rows[0]


def test_a_stack_failure_fails_its_cell_and_the_sweep_continues(sweep: Sweep) -> None:
    def break_model() -> None:
        sweep.stack.broken = StackError(
            "model-1 was killed", container="model-1", exit_code=-9, log_lines=("bye",)
        )

    sweep.load.traps["measure"] = break_model

    assert sweep.run() is Result.DONE

    failed = sweep.state.cells["m1_u2_s2"].failed
    assert failed is not None
    assert (failed.container, failed.exit_code, failed.log_lines) == ("model-1", -9, ("bye",))
    assert sweep.status("m2_u2_s2") is CellStatus.FINISHED
    after = sweep.calls[sweep.calls.index("measure") :]
    assert after[: after.index("scale 2") + 1] == [
        "measure",
        "look",
        "close load",
        "start load",
        "scale 2",
    ]


def test_a_stack_that_cannot_be_scaled_fails_only_its_cell(sweep: Sweep) -> None:
    sweep.stack.traps["scale 1"] = trap_raising(StackError("no such image"))

    assert sweep.run() is Result.DONE

    assert sweep.status("m1_u2_s2") is CellStatus.FAILED
    assert sweep.status("m2_u2_s2") is CellStatus.FINISHED


def test_a_stack_that_is_never_ready_fails_its_cell_with_the_reason(folder: Path) -> None:
    sweep = Sweep(folder, stack={"startup_timeout": 0.01})
    sweep.stack.missing = lambda models: "0 of 1 models are ready"  # type: ignore[method-assign]

    sweep.run()
    sweep.journal.close()

    failed = sweep.state.cells["m1_u2_s2"].failed
    assert failed is not None
    assert "startup_timeout (0.01 s): 0 of 1 models are ready" in failed.reason


def test_a_stack_that_cannot_be_prepared_aborts_the_run_before_any_cell(sweep: Sweep) -> None:
    sweep.stack.traps["prepare"] = trap_raising(StackError("the build failed"))

    assert sweep.run() is Result.ABORTED

    assert sweep.calls == ["start load", "prepare", *CLEAN_UP]
    assert sweep.state.finished is not None
    assert sweep.state.finished.reason == "the build failed"


@pytest.mark.parametrize("call", ["scale 2", "measure"])
def test_an_unreachable_engine_fails_the_cell_and_ends_the_run(sweep: Sweep, call: str) -> None:
    """The cell is failed, even if the engine is lost during its window."""
    gone = EngineError("engine is unreachable")

    def lose_engine() -> None:
        sweep.stack.broken = gone

    def lose_engine_in_the_window() -> None:
        sweep.load.traps["look"] = lose_engine

    sweep.stack.traps["scale 2"] = (
        trap_raising(gone)
        if call == "scale 2"
        else lambda: sweep.load.traps.update(measure=lose_engine_in_the_window)
    )

    assert sweep.run() is Result.ABORTED

    assert sweep.status("m1_u2_s2") is CellStatus.FINISHED
    failed = sweep.state.cells["m2_u2_s2"].failed
    assert failed is not None
    assert failed.reason == "engine is unreachable"
    assert sweep.state.finished is not None
    assert sweep.state.finished.reason == (
        "engine is unreachable; fix this, then resume with "
        f"`run --resume {sweep.folder.parent.name}/{sweep.folder.name} --retry-failed`"
    )
    assert sweep.calls[-4:] == CLEAN_UP
    assert sweep.resume("m2_u2_s2") is Result.DONE
    assert sweep.state.cells["m2_u2_s2"].attempt == 2


def test_images_are_recorded_and_a_changed_image_is_reported(sweep: Sweep) -> None:
    sweep.stack.images = {"model": "sha256:1", "api": "sha256:2"}
    sweep.stack.traps["scale 2"] = trap_raising(EngineError("gone"))
    sweep.run()
    assert dict(sweep.state.images) == {"model": "sha256:1", "api": "sha256:2"}
    assert not [message for message in sweep.state.messages if "image" in message.text]

    sweep.stack.images = {"model": "sha256:3", "api": "sha256:2"}
    sweep.resume()

    assert dict(sweep.state.images)["model"] == "sha256:3"
    warning = (
        "warning: images changed since the run started, so earlier and later cells may not be "
        "comparable: model"
    )
    assert warning in [message.text for message in sweep.state.messages]


def test_an_incomplete_clean_up_is_reported(sweep: Sweep) -> None:
    sweep.stack.left = "containers of x may still be running: no engine"

    assert sweep.run() is Result.DONE

    assert sweep.state.finished is not None
    assert sweep.state.finished.left == "containers of x may still be running: no engine"


def test_container_changes_are_recorded_even_while_the_run_is_paused(
    sweep: Sweep,
) -> None:
    changed = Container(name="model-1", service="model", state="exited", exit_code=1)
    polls = iter(range(3))

    def show() -> tuple[Container, ...]:
        if sweep.control.state.paused and next(polls, None) is None:
            send_command(sweep.folder, "resume")
            sweep.stack.show = None
        return (changed,) if sweep.control.state.paused else ()

    def change() -> None:
        send_command(sweep.folder, "pause")
        sweep.stack.show = show

    sweep.load.traps["report"] = change

    assert sweep.run() is Result.DONE

    states = [
        [container.state for container in entry.event.containers]
        for entry in JournalReader(sweep.folder).poll()
        if isinstance(entry.event, Containers)
    ]
    assert ["exited"] in states


def test_an_invalid_locustfile_aborts_the_run_before_the_stack_starts(sweep: Sweep) -> None:
    sweep.load.traps["start load"] = trap_raising(LoadError("x.py:3: ZeroDivisionError"))

    assert sweep.run() is Result.ABORTED

    assert sweep.calls == ["start load", *CLEAN_UP]


def test_log_lines_before_a_mistake_are_reported(sweep: Sweep) -> None:
    error = LoadError("x.py:3: ZeroDivisionError", log_lines=("reading", "dividing"))
    sweep.load.traps["start load"] = trap_raising(error)

    assert sweep.run() is Result.ABORTED

    assert sweep.progress == ["reading", "dividing"]


def test_notes_of_the_load_are_recorded_even_if_it_does_not_start(sweep: Sweep) -> None:
    sweep.load.pending = [["ignored variable"]]
    sweep.load.traps["start load"] = trap_raising(LoadError("x.py:3: ZeroDivisionError"))

    assert sweep.run() is Result.ABORTED

    assert [note.text for note in sweep.state.messages] == ["ignored variable"]


def test_notes_of_the_load_are_recorded_at_each_step(sweep: Sweep) -> None:
    sweep.load.pending = [["at the start"], ["at the ramp"], ["after the cell"]]

    assert sweep.run() is Result.DONE

    assert [note.text for note in sweep.state.messages][:3] == [
        "at the start",
        "at the ramp",
        "after the cell",
    ]


def test_a_first_cell_whose_listeners_take_too_long_ends_the_run(sweep: Sweep) -> None:
    sweep.load.traps["swarm m1_u2_s2"] = trap_raising(LoadStartError("took longer"))

    assert sweep.run() is Result.ABORTED

    assert sweep.reason("m1_u2_s2") == "took longer"
    assert sweep.failed == ["m1_u2_s2"]


def test_a_later_cell_whose_listeners_take_too_long_fails_alone(sweep: Sweep) -> None:
    sweep.load.traps["swarm m2_u2_s2"] = trap_raising(LoadStartError("took longer"))

    assert sweep.run() is Result.DONE

    assert sweep.failed == ["m2_u2_s2"]


@pytest.mark.parametrize("moment", ["swarm m1_u2_s2", "measure", "stop users", "measured"])
def test_a_lost_locust_is_replaced_and_its_cell_measured_again(sweep: Sweep, moment: str) -> None:
    sweep.load.traps[moment] = trap_raising(LoadLostError("Locust exited with code -9"))

    assert sweep.run() is Result.DONE

    cell = sweep.state.cells["m1_u2_s2"]
    assert (cell.status, cell.attempt) == (CellStatus.FINISHED, 2)
    assert sweep.calls.count("start load") == 2
    assert "restarting Locust and measuring m1_u2_s2 again" in sweep.state.messages[0].text


def test_a_locust_that_is_lost_repeatedly_fails_only_its_cell(
    sweep: Sweep,
) -> None:
    def lose() -> None:
        if sweep.load.tag.startswith("m1"):
            sweep.load.traps["measure"] = lose
            raise LoadLostError("Locust exited")

    sweep.load.traps["measure"] = lose

    assert sweep.run() is Result.DONE

    assert sweep.state.cells["m1_u2_s2"].attempt == 3
    assert sweep.status("m1_u2_s2") is CellStatus.FAILED
    assert sweep.status("m2_u2_s2") is CellStatus.FINISHED


def test_results_are_kept_if_the_report_is_unavailable(sweep: Sweep) -> None:
    sweep.load.traps["report"] = trap_raising(LoadLostError("Locust exited"))

    assert sweep.run() is Result.DONE

    finished = sweep.state.cells["m1_u2_s2"].finished
    assert finished is not None
    assert finished.verdict is Verdict.VALID
    assert "1_2_2.html was not saved" in sweep.state.messages[0].text


def test_stop_cleans_up_and_leaves_the_other_cells_outstanding(sweep: Sweep) -> None:
    sweep.load.traps["measure"] = lambda: send_command(sweep.folder, "stop")

    assert sweep.run() is Result.STOPPED

    assert sweep.calls[-4:] == CLEAN_UP
    assert [cell.cell.key for cell in sweep.state.outstanding] == ["m1_u2_s2", "m2_u2_s2"]


def test_a_signal_stops_the_run_while_the_stack_is_prepared(sweep: Sweep) -> None:
    sweep.stack.traps["prepare"] = lambda: sweep.stop.set("SIGTERM")

    assert sweep.run() is Result.STOPPED

    assert sweep.state.finished is not None
    assert sweep.state.finished.reason == "SIGTERM"
    assert not any(call.startswith("scale") for call in sweep.calls)


def test_a_signal_stops_the_run_while_locust_starts(sweep: Sweep) -> None:
    sweep.load.traps["start load"] = lambda: sweep.stop.set("SIGTERM")

    assert sweep.run() is Result.STOPPED

    assert sweep.calls == ["start load", *CLEAN_UP]


def test_a_stopped_run_resumes_where_it_stopped(sweep: Sweep) -> None:
    sweep.stack.traps["scale 2"] = lambda: send_command(sweep.folder, "stop")
    sweep.run()
    sweep.calls.clear()

    assert sweep.resume() is Result.DONE

    assert sweep.calls == [
        *("start load", "prepare", "scale 2", "swarm m2_u2_s2", *ONE_CELL),
        *CLEAN_UP,
    ]
    assert [cell.attempt for cell in sweep.state.cells.values()] == [1, 2]


def test_a_resumed_run_retries_failed_cells_on_request(sweep: Sweep) -> None:
    sweep.stack.traps["scale 1"] = trap_raising(StackError("no"))
    sweep.run()

    assert sweep.resume("m1_u2_s2") is Result.DONE

    assert sweep.state.count(CellStatus.FINISHED) == 2


def test_a_complete_run_measures_a_cell_again_as_its_next_attempt(sweep: Sweep) -> None:
    sweep.run()
    summary = sweep.folder / "summary.json"
    before, report = summary.read_text(), sweep.folder / "2_2_2.html"
    report.unlink()
    sweep.calls.clear()

    assert sweep.resume("m2_u2_s2") is Result.DONE

    assert sweep.calls == [
        *("start load", "prepare", "scale 2", "swarm m2_u2_s2", *ONE_CELL),
        *CLEAN_UP,
    ]
    assert [cell.attempt for cell in sweep.state.cells.values()] == [1, 2]
    assert sweep.state.count(CellStatus.FINISHED) == 2
    assert report.is_file()
    assert summary.read_text() != before


def test_a_resumed_run_measures_the_cells_added_by_the_resume(sweep: Sweep) -> None:
    sweep.run()
    sweep.calls.clear()

    assert sweep.resume(added=(make_cell(1, 8),)) is Result.DONE

    assert [call for call in sweep.calls if call.startswith(("scale", "swarm"))] == [
        "scale 1",
        "swarm m1_u8_s2",
    ]
    assert sweep.state == sweep.control.state
    assert (sweep.folder / "1_8_2.html").is_file()
    assert "m1_u8_s2" in (sweep.folder / "summary.csv").read_text()


def test_an_unanswered_command_is_rejected_on_resume(sweep: Sweep) -> None:
    sweep.run()
    identity = send_command(sweep.folder, "stop")

    assert sweep.resume("m1_u2_s2") is Result.DONE

    assert answers_in(sweep.folder)[identity] == [(False, "stale: sent while the run was not live")]


def test_a_command_during_the_clean_up_is_answered(sweep: Sweep) -> None:
    sent: list[str] = []
    sweep.stack.traps["close stack"] = lambda: sent.append(send_command(sweep.folder, "pause"))

    assert sweep.run() is Result.DONE

    assert answers_in(sweep.folder)[sent[0]] == [(False, "the run has ended")]


def test_a_cell_added_as_the_last_one_ends_is_measured(sweep: Sweep) -> None:
    point = {"models": 1, "users": 3, "spawn_rate": 2}

    def add_late() -> None:
        if sweep.control.state.count(CellStatus.FINISHED) == 1:
            send_command(sweep.folder, "add", args=point)
        else:
            sweep.load.traps["measured"] = add_late

    sweep.load.traps["measured"] = add_late

    assert sweep.run() is Result.DONE

    assert sweep.status("m1_u3_s2") is CellStatus.FINISHED


def test_skip_ends_the_current_cell_at_once(sweep: Sweep) -> None:
    sweep.load.traps["measure"] = lambda: send_command(sweep.folder, "skip")

    assert sweep.run() is Result.DONE

    assert sweep.status("m1_u2_s2") is CellStatus.SKIPPED
    assert sweep.status("m2_u2_s2") is CellStatus.FINISHED


def test_a_pending_cell_can_be_skipped_without_affecting_the_current_one(sweep: Sweep) -> None:
    sweep.load.traps["measure"] = lambda: send_command(sweep.folder, "skip", cell="m2_u2_s2")

    assert sweep.run() is Result.DONE

    assert sweep.status("m1_u2_s2") is CellStatus.FINISHED
    assert sweep.status("m2_u2_s2") is CellStatus.SKIPPED
    assert "scale 2" not in sweep.calls


def test_again_measures_an_ended_cell_again(sweep: Sweep) -> None:
    sweep.stack.traps["scale 2"] = lambda: send_command(sweep.folder, "again", cell="m1_u2_s2")

    assert sweep.run() is Result.DONE

    assert [cell.attempt for cell in sweep.state.cells.values()] == [2, 1]


def test_an_added_cell_is_measured_with_cells_of_the_same_number_of_models(sweep: Sweep) -> None:
    def add_cells() -> None:
        add(sweep.folder, models=1, users=7)
        add(sweep.folder, models=3)

    sweep.load.traps["swarm m1_u2_s2"] = add_cells

    assert sweep.run() is Result.DONE

    assert [call for call in sweep.calls if call.startswith(("scale", "swarm"))] == [
        *("scale 1", "swarm m1_u2_s2"),
        *("scale 1", "swarm m1_u7_s2"),
        *("scale 2", "swarm m2_u2_s2"),
        *("scale 3", "swarm m3_u2_s2"),
    ]
    keys = ["m1_u2_s2", "m1_u7_s2", "m2_u2_s2", "m3_u2_s2"]
    assert list(sweep.state.cells) == keys
    assert sweep.state.count(CellStatus.FINISHED) == 4
    assert sweep.state == sweep.control.state
    assert {"1_7_2.html", "3_2_2.html"} <= {path.name for path in sweep.folder.iterdir()}
    rows = (sweep.folder / "summary.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == keys


def test_an_added_cell_is_measured_before_the_recheck(folder: Path) -> None:
    sweep = Sweep(folder, models=[1], repeats=2, recheck_first=True)
    sweep.load.traps["swarm m1_u2_s2_r2"] = lambda: add(folder, models=2)

    assert sweep.run() is Result.DONE

    assert [call for call in sweep.calls if call.startswith("swarm")] == [
        *("swarm m1_u2_s2", "swarm m1_u2_s2_r2", "swarm m2_u2_s2", "swarm m2_u2_s2_r2"),
        "swarm m1_u2_s2_recheck",
    ]
    assert [group.used for group in groups(rows(sweep.state))] == [2, 2]
    assert drift_of(sweep.state) is not None
    sweep.journal.close()


def test_a_resumed_run_measures_added_cells(sweep: Sweep) -> None:
    def add_and_stop() -> None:
        add(sweep.folder, models=1, users=7)
        send_command(sweep.folder, "stop")

    sweep.stack.traps["scale 2"] = add_and_stop
    sweep.run()
    assert [cell.cell.key for cell in sweep.state.outstanding] == ["m2_u2_s2", "m1_u7_s2"]
    sweep.calls.clear()

    assert sweep.resume() is Result.DONE

    assert [call for call in sweep.calls if call.startswith("swarm")] == [
        *("swarm m2_u2_s2", "swarm m1_u7_s2")
    ]
    assert sweep.state.count(CellStatus.FINISHED) == 3


def test_an_invalid_addition_is_rejected_and_changes_nothing(sweep: Sweep) -> None:
    sent: list[str] = []

    def add_invalid_cells() -> None:
        sent.append(add(sweep.folder, models=0))
        sent.append(add(sweep.folder, models=2))
        sent.append(send_command(sweep.folder, "add"))

    sweep.load.traps["measure"] = add_invalid_cells

    assert sweep.run() is Result.DONE

    answers = answers_in(sweep.folder)
    assert [answers[identity] for identity in sent] == [
        [(False, "models: expected a value ≥ 1, got 0")],
        [(False, "m2_u2_s2 is already in the plan")],
        [(False, "expected one number for each of models, users, spawn_rate")],
    ]
    assert list(sweep.state.cells) == ["m1_u2_s2", "m2_u2_s2"]


def test_pause_takes_effect_after_the_current_cell(sweep: Sweep) -> None:
    def pause_then_resume() -> None:
        send_command(sweep.folder, "pause")
        sweep.load.traps["report"] = lambda: send_command(sweep.folder, "resume")

    sweep.load.traps["measure"] = pause_then_resume

    assert sweep.run() is Result.DONE

    texts = [message.text for message in sweep.state.messages]
    assert texts == ["Pausing the run after m1_u2_s2", "Resuming the run"]


def test_pause_during_the_last_cell_does_not_delay_the_end(sweep: Sweep) -> None:
    sweep.stack.traps["scale 2"] = lambda: send_command(sweep.folder, "pause")

    assert sweep.run() is Result.DONE


def test_commands_sent_together_with_a_skip_are_answered(sweep: Sweep) -> None:
    def skip_both() -> None:
        send_command(sweep.folder, "skip")
        send_command(sweep.folder, "skip", cell="m2_u2_s2")

    sweep.load.traps["measure"] = skip_both

    assert sweep.run() is Result.DONE

    assert len(answers_in(sweep.folder)) == 2
    assert sweep.state.count(CellStatus.SKIPPED) == 2


def test_a_locust_lost_at_its_first_start_is_restarted(sweep: Sweep) -> None:
    sweep.load.traps["start load"] = trap_raising(LoadLostError("Locust exited with code -9"))

    assert sweep.run() is Result.DONE

    assert sweep.calls[:3] == ["start load", "start load", "prepare"]


def test_results_are_kept_if_the_disk_is_full_at_the_report(sweep: Sweep) -> None:
    sweep.load.traps["report"] = trap_raising(DiskFullError("/x: no space left on the disk"))

    sweep.run()

    assert sweep.status("m1_u2_s2") is CellStatus.FINISHED


def test_a_summary_that_cannot_be_written_only_adds_a_note(sweep: Sweep) -> None:
    (sweep.folder / "summary.csv").mkdir()

    assert sweep.run() is Result.DONE

    assert any("summary.csv" in message.text for message in sweep.state.messages)


def test_containers_are_recorded_when_one_appears(sweep: Sweep) -> None:
    sweep.run()

    events = [entry.event for entry in JournalReader(sweep.folder).poll()]
    names = [
        [container.name for container in event.containers]
        for event in events
        if isinstance(event, Containers)
    ]
    assert names == [["model-1"], ["model-1", "model-2"]]
    assert [container.name for container in sweep.state.containers] == ["model-1", "model-2"]


def test_every_command_is_answered_exactly_once(sweep: Sweep) -> None:
    sent: list[str] = []

    def send_commands() -> None:
        commands = ("pause", "resume", "dance", "again")
        sent.extend(send_command(sweep.folder, command) for command in commands)
        with (sweep.folder / "commands.jsonl").open("ab") as file:
            file.write(b'{"id": "torn"\nnot json\n[]\n')

    sweep.load.traps["measure"] = send_commands
    sweep.run()

    answers = answers_in(sweep.folder)
    assert set(answers) == set(sent)
    assert all(len(given) == 1 for given in answers.values())
    assert [given[0][0] for given in answers.values()] == [True, True, False, False]


def test_a_full_disk_aborts_the_run_and_cleans_up(sweep: Sweep) -> None:
    sweep.load.traps["report"] = trap_raising(DiskFullError("/x: no space left on the disk"))

    assert sweep.run() is Result.ABORTED

    assert sweep.calls[-4:] == CLEAN_UP
    assert sweep.state.finished is not None
    assert "run --resume" in sweep.state.finished.reason


def test_an_internal_error_aborts_the_run_and_cleans_up(
    sweep: Sweep, capfd: pytest.CaptureFixture[str]
) -> None:
    sweep.load.traps["measured"] = trap_raising(KeyError("oops"))

    assert sweep.run() is Result.ABORTED

    assert sweep.calls[-4:] == CLEAN_UP
    assert "runner.log" in (sweep.state.finished.reason if sweep.state.finished else "")
    assert "KeyError" in capfd.readouterr().err


def test_a_cell_settles_before_it_is_measured(folder: Path) -> None:
    sweep = Sweep(folder, settle={"max": 60, "window": 2})

    sweep.run()
    sweep.journal.close()

    finished = sweep.state.cells["m1_u2_s2"].finished
    assert finished is not None
    assert finished.settled
    assert sweep.load.second >= 6 + sweep.load.window


def test_a_cell_that_never_settles_is_measured_and_suspect(folder: Path) -> None:
    # With windows of an hour, settling times out long before the third window.
    sweep = Sweep(folder)
    sweep.profile = sweep.profile.model_copy(
        update={"settle": sweep.profile.settle.model_copy(update={"max": 0.001, "window": 3600.0})}
    )

    sweep.run()
    sweep.journal.close()

    finished = sweep.state.cells["m1_u2_s2"].finished
    assert finished is not None
    assert finished.verdict is Verdict.SUSPECT
    # On a busy machine there are findings about that besides.
    assert finished.reasons[0] == "not settled: fewer than 3 windows of 3600 s"


def add(folder: Path, **point: Any) -> str:
    """Send a command to add the point m1_u2_s2, with the given values changed."""
    return send_command(folder, "add", args={"models": 1, "users": 2, "spawn_rate": 2, **point})


def answers_in(folder: Path) -> dict[str, list[tuple[bool, str]]]:
    """Return the answers in a journal by command id."""
    found: dict[str, list[tuple[bool, str]]] = {}
    for entry in JournalReader(folder).poll():
        if isinstance(entry.event, CommandAnswered):
            found.setdefault(entry.event.id, []).append((entry.event.accepted, entry.event.message))
    return found


def test_the_conditions_of_a_cell_match_its_samples_in_the_journal(sweep: Sweep) -> None:
    cores = count(1)
    sweep.stack.show = lambda: (
        Container(name="model-1", service="model", state="running", cpu_cores=next(cores) / 7),
    )

    sweep.run()

    samples = [
        entry.event
        for entry in JournalReader(sweep.folder).decode_all(JournalReader(sweep.folder).lines())
        if isinstance(entry.event, Sample) and entry.event.cell == "m1_u2_s2"
    ]
    finished = sweep.state.cells["m1_u2_s2"].finished
    assert finished is not None
    assert finished.circumstances is not None
    window = whole_seconds(finished.circumstances.begin_s, finished.measured_s)
    cores_used = [
        sample.containers[0].cpu_cores or 0.0 for sample in samples if sample.second in window
    ]
    assert cores_used
    [use] = finished.circumstances.containers
    assert use.cpu_cores == round(fmean(cores_used), 3)
    before = use.unloaded_cpu_cores
    assert before is not None
    assert before < (samples[0].containers[0].cpu_cores or 0.0)


# Bad files of commands


def answers(sweep: Sweep) -> list[CommandAnswered]:
    events = [entry.event for entry in JournalReader(sweep.folder).poll()]
    return [event for event in events if isinstance(event, CommandAnswered)]


def messages_about_commands(sweep: Sweep) -> list[str]:
    texts = [message.text for message in sweep.state.messages]
    return [text for text in texts if COMMANDS in text]


def test_bad_lines_among_the_commands_end_neither_a_run_nor_its_resume(sweep: Sweep) -> None:
    bad = b"[" * 100_000 + b"\n" + b"\xff\n" + b'{"id":[]}\n'
    (sweep.folder / COMMANDS).write_bytes(bad)
    sweep.stack.traps["scale 2"] = lambda: send_command(sweep.folder, "stop")

    assert sweep.run() is Result.STOPPED

    first, last = messages_about_commands(sweep)
    assert first == f"warning: {COMMANDS}: a line is not a valid command and was skipped"
    assert last == f"{COMMANDS}: skipped 3 invalid lines"
    assert sweep.resume() is Result.DONE
    assert sweep.resume("m1_u2_s2") is Result.DONE


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "FIFO"])
def test_a_run_without_a_readable_file_of_commands_goes_on_and_says_so_once(
    sweep: Sweep, make: Callable[[Path], object]
) -> None:
    make(sweep.folder / COMMANDS)

    assert sweep.run() is Result.DONE

    [text] = messages_about_commands(sweep)
    assert "The run continues" in text
    assert "loadbench-tui stop" in text
    assert sweep.resume("m1_u2_s2") is Result.DONE


HUGE_ARGS: tuple[Any, ...] = (
    {"models": [[1]], "users": {"a": 1}, "spawn_rate": None},
    {"models": 10**400, "users": 1, "spawn_rate": 1},
    {"models": "9" * 100_000, "users": 1, "spawn_rate": 1},
    {"models": 1, "users": 1, "spawn_rate": 1e-300},
    {str(number): "x" * 100 for number in range(1000)},
    [[[]]],
    "x" * 100_000,
    10**400,
    True,
)


def test_commands_with_nested_or_huge_arguments_are_rejected(sweep: Sweep) -> None:
    def send() -> None:
        lines = [
            json.dumps({"id": f"{command}{number}", "command": command, "args": args})
            for number, args in enumerate(HUGE_ARGS)
            for command in ("add", "label")
        ]
        (sweep.folder / COMMANDS).write_text("\n".join(lines) + "\n")

    sweep.load.traps["measure"] = send

    assert sweep.run() is Result.DONE

    given = answers(sweep)
    assert len(given) == 2 * len(HUGE_ARGS)
    assert not any(answer.accepted for answer in given)
    assert all(len(answer.message) <= 500 for answer in given)


def test_thousands_of_commands_do_not_stall_a_cell(sweep: Sweep) -> None:
    """Only a part of them is answered per poll, so that the measurement goes on."""
    seen: list[int] = []

    def look() -> None:
        seen.append(len(sweep.control.state.answered))
        sweep.load.traps["look"] = look

    def send() -> None:
        lines = [f'{{"id":"{number}","command":"dance"}}' for number in range(3000)]
        (sweep.folder / COMMANDS).write_text("\n".join(lines) + "\n")
        sweep.load.traps["look"] = look

    sweep.load.traps["measure"] = send

    assert sweep.run() is Result.DONE

    assert seen[:3] == [0, MAX_LINES, 2 * MAX_LINES]
    assert [answer.id for answer in answers(sweep)] == [str(number) for number in range(3000)]


def test_stale_commands_after_many_bad_lines_are_rejected(sweep: Sweep) -> None:
    bad = b"?\n" * (2 * MAX_LINES)
    (sweep.folder / COMMANDS).write_bytes(bad + b'{"id":"old","command":"stop"}\n')

    sweep.control.reject_stale_commands()

    assert [(answer.id, answer.accepted) for answer in answers(sweep)] == [("old", False)]
    assert sweep.run() is Result.DONE
