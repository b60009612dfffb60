"""The order of side effects of a sweep: on success, on every failure, on stop and resume."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import (
    CellPhase,
    CommandAnswered,
    Container,
    Containers,
    Phase,
    Result,
    RunResumed,
    Sample,
    StackProgress,
    Verdict,
)
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import CellStatus, RunState, fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.measure.conditions import whole_seconds
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.repeats import groups
from loadbench.engine.run.attempt import Equipment
from loadbench.engine.run.control_loop import ControlLoop, StopFlag
from loadbench.engine.run.sweep import Runner
from loadbench.errors import DiskFullError, EngineError, LoadError, LoadLostError, StackError
from tests.support.builders import make_profile, run_started
from tests.support.fakes import Calls, FakeLoad, FakeStack

ONE_CELL = [
    "measure",
    "look",
    "look",
    "look",
    "stop users",
    "measured",
    "report",
]

DOWN = ["close load", "close stack", "close stack", "close load"]
"""Twice: the background may still start something while it is being closed."""


class Sweep:
    """A runner on fakes, and what came of it."""

    def __init__(self, folder: Path, **keys: Any) -> None:
        self.folder = folder
        self.calls: Calls = []
        self.stack = FakeStack(self.calls)
        self.load = FakeLoad(self.calls)
        self.profile: Profile = make_profile(**{"settle": {"max": 0}, "run_time": 1, **keys})
        self.journal = JournalWriter(folder)
        self.journal.append(run_started(self.profile))
        self.control = self.new_desk()

    def new_desk(self) -> ControlLoop:
        state = fold(JournalReader(self.folder).poll())
        self.stop = StopFlag()
        return ControlLoop(self.folder, self.journal, state, stop=self.stop, tick_s=0.001)

    def run(self) -> Result:
        equipment = Equipment(profile=self.profile, stack=self.stack, load=self.load)
        return Runner(equipment, self.control).run()

    def resume(self, *retry: str) -> Result:
        event = RunResumed(pid=1, retry=retry, hardware={}, versions={})
        self.journal.append(event)
        self.control = self.new_desk()
        self.control.reject_stale_commands()
        return self.run()

    @property
    def state(self) -> RunState:
        """The state that the journal on the disk folds to."""
        return fold(JournalReader(self.folder).poll())

    def status(self, key: str) -> CellStatus:
        return self.state.cells[key].status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir()
    return made


@pytest.fixture
def sweep(folder: Path) -> Iterator[Sweep]:
    made = Sweep(folder, models=[1, 2])
    yield made
    made.journal.close()


def test_a_sweep_does_everything_in_order_and_scales_by_cell(sweep: Sweep) -> None:
    assert sweep.run() is Result.DONE

    assert sweep.calls == [
        "start load",
        "prepare",
        *("scale 1", "swarm m1_u2_s2", *ONE_CELL),
        *("scale 2", "swarm m2_u2_s2", *ONE_CELL),
        *DOWN,
    ]


def test_the_first_cell_is_measured_again_at_the_end_on_its_own_number_of_models(
    folder: Path,
) -> None:
    sweep = Sweep(folder, models=[1, 2], recheck_first=True)

    assert sweep.run() is Result.DONE

    scaled = [it for it in sweep.calls if it.startswith(("scale", "swarm"))]
    assert scaled[-2:] == ["scale 1", "swarm m1_u2_s2_recheck"]
    assert (folder / "1_2_2_recheck.html").is_file()
    assert drift_of(sweep.state) is not None
    sweep.journal.close()


def test_the_journal_on_the_disk_folds_to_the_state_of_the_runner(sweep: Sweep) -> None:
    sweep.run()

    assert sweep.state == sweep.control.state
    assert sweep.state.count(CellStatus.FINISHED) == 2


def test_phases_follow_each_other_and_progress_is_told(sweep: Sweep) -> None:
    sweep.run()

    events = [entry.event for entry in JournalReader(sweep.folder).poll()]
    phases = [event.phase for event in events if isinstance(event, CellPhase)]
    assert phases == [phase for phase in Phase if phase is not Phase.SETTLING] * 2
    steps = [event.line for event in events if isinstance(event, StackProgress)]
    assert steps == ["done", "1 models", "2 models"]


def test_every_cell_leaves_its_report_and_the_summary_is_there(sweep: Sweep) -> None:
    sweep.run()

    names = {path.name for path in sweep.folder.iterdir()}
    assert {"1_2_2.html", "2_2_2.html", "summary.csv", "summary.json"} <= names
    assert not [name for name in names if name.endswith(".part")]


def test_results_are_saved_after_each_cell(sweep: Sweep) -> None:
    seen = []
    sweep.stack.traps["scale 2"] = lambda: seen.append(
        (sweep.folder / "summary.csv").read_text().splitlines()[1]
    )

    sweep.run()

    assert seen[0].startswith("m1_u2_s2,")
    assert ",valid," in seen[0]


def test_a_fault_of_the_stack_fails_its_cell_and_the_sweep_goes_on(sweep: Sweep) -> None:
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


def test_a_stack_that_cannot_be_scaled_fails_its_cell_alone(sweep: Sweep) -> None:
    sweep.stack.traps["scale 1"] = raising(StackError("no such image"))

    assert sweep.run() is Result.DONE

    assert sweep.status("m1_u2_s2") is CellStatus.FAILED
    assert sweep.status("m2_u2_s2") is CellStatus.FINISHED


def test_a_stack_that_is_never_ready_fails_its_cell_with_what_is_missing(folder: Path) -> None:
    sweep = Sweep(folder, stack={"startup_timeout": 0.01})
    sweep.stack.missing = lambda models: "0 of 1 models are ready"  # type: ignore[method-assign]

    sweep.run()
    sweep.journal.close()

    failed = sweep.state.cells["m1_u2_s2"].failed
    assert failed is not None
    assert "startup_timeout (0.01 s): 0 of 1 models are ready" in failed.reason


def test_a_stack_that_cannot_be_prepared_ends_the_run_before_any_cell(sweep: Sweep) -> None:
    sweep.stack.traps["prepare"] = raising(StackError("the build failed"))

    assert sweep.run() is Result.ABORTED

    assert sweep.calls == ["start load", "prepare", *DOWN]
    assert sweep.state.finished is not None
    assert sweep.state.finished.reason == "the build failed"


def test_an_engine_that_is_gone_ends_the_run_and_leaves_its_cell_outstanding(
    sweep: Sweep,
) -> None:
    sweep.stack.traps["scale 2"] = raising(EngineError("no engine answers"))

    assert sweep.run() is Result.ABORTED

    assert sweep.status("m1_u2_s2") is CellStatus.FINISHED
    assert [cell.cell.key for cell in sweep.state.outstanding] == ["m2_u2_s2"]
    assert sweep.state.finished is not None
    assert sweep.state.finished.reason == (
        "no engine answers; `run --resume` goes on once that is mended"
    )
    assert sweep.resume() is Result.DONE
    assert sweep.state.cells["m2_u2_s2"].attempt == 2


def test_images_are_written_down_and_a_change_of_one_is_told(sweep: Sweep) -> None:
    sweep.stack.images = {"model": "sha256:1", "api": "sha256:2"}
    sweep.stack.traps["scale 2"] = raising(EngineError("gone"))
    sweep.run()
    assert dict(sweep.state.images) == {"model": "sha256:1", "api": "sha256:2"}
    assert not [it for it in sweep.state.messages if "image" in it.text]

    sweep.stack.images = {"model": "sha256:3", "api": "sha256:2"}
    sweep.resume()

    assert dict(sweep.state.images)["model"] == "sha256:3"
    assert "warning: the image of model has changed since the run began" in [
        it.text for it in sweep.state.messages
    ]


def test_what_could_not_be_taken_down_is_told(sweep: Sweep) -> None:
    sweep.stack.left = "containers of x may still be up: no engine"

    assert sweep.run() is Result.DONE

    assert sweep.state.finished is not None
    assert sweep.state.finished.left == "containers of x may still be up: no engine"


def test_a_container_that_changes_is_written_down_even_while_the_run_is_paused(
    sweep: Sweep,
) -> None:
    changed = Container(name="model-1", service="model", state="exited", exit_code=1)
    looks = iter(range(3))

    def show() -> tuple[Container, ...]:
        if sweep.control.state.paused and next(looks, None) is None:
            send_command(sweep.folder, "resume")
            sweep.stack.show = None
        return (changed,) if sweep.control.state.paused else ()

    def change() -> None:
        send_command(sweep.folder, "pause")
        sweep.stack.show = show

    sweep.load.traps["report"] = change

    assert sweep.run() is Result.DONE

    states = [
        [it.state for it in entry.event.containers]
        for entry in JournalReader(sweep.folder).poll()
        if isinstance(entry.event, Containers)
    ]
    assert ["exited"] in states


def test_a_user_file_that_is_not_usable_ends_the_run_before_the_stack(sweep: Sweep) -> None:
    sweep.load.traps["start load"] = raising(LoadError("x.py:3: ZeroDivisionError"))

    assert sweep.run() is Result.ABORTED

    assert sweep.calls == ["start load", *DOWN]


@pytest.mark.parametrize("moment", ["swarm m1_u2_s2", "measure", "stop users", "measured"])
def test_a_lost_locust_is_replaced_and_its_cell_measured_again(sweep: Sweep, moment: str) -> None:
    sweep.load.traps[moment] = raising(LoadLostError("Locust ended with exit code -9"))

    assert sweep.run() is Result.DONE

    cell = sweep.state.cells["m1_u2_s2"]
    assert (cell.status, cell.attempt) == (CellStatus.FINISHED, 2)
    assert sweep.calls.count("start load") == 2
    assert "measured again" in sweep.state.messages[0].text


def test_a_locust_that_is_lost_again_and_again_fails_the_cell_and_not_the_sweep(
    sweep: Sweep,
) -> None:
    def lose() -> None:
        if sweep.load.tag.startswith("m1"):
            sweep.load.traps["measure"] = lose
            raise LoadLostError("Locust ended")

    sweep.load.traps["measure"] = lose

    assert sweep.run() is Result.DONE

    assert sweep.state.cells["m1_u2_s2"].attempt == 3
    assert sweep.status("m1_u2_s2") is CellStatus.FAILED
    assert sweep.status("m2_u2_s2") is CellStatus.FINISHED


def test_a_report_that_cannot_be_had_loses_no_numbers(sweep: Sweep) -> None:
    sweep.load.traps["report"] = raising(LoadLostError("Locust ended"))

    assert sweep.run() is Result.DONE

    finished = sweep.state.cells["m1_u2_s2"].finished
    assert finished is not None
    assert finished.verdict is Verdict.VALID
    assert "1_2_2.html is missing" in sweep.state.messages[0].text


def test_stop_takes_everything_down_and_leaves_the_rest_outstanding(sweep: Sweep) -> None:
    sweep.load.traps["measure"] = lambda: send_command(sweep.folder, "stop")

    assert sweep.run() is Result.STOPPED

    assert sweep.calls[-4:] == DOWN
    assert [cell.cell.key for cell in sweep.state.outstanding] == ["m1_u2_s2", "m2_u2_s2"]


def test_a_signal_stops_the_run_while_the_stack_is_being_prepared(sweep: Sweep) -> None:
    sweep.stack.traps["prepare"] = lambda: sweep.stop.ask("SIGTERM")

    assert sweep.run() is Result.STOPPED

    assert sweep.state.finished is not None
    assert sweep.state.finished.reason == "SIGTERM"
    assert not any(call.startswith("scale") for call in sweep.calls)


def test_a_signal_stops_the_run_while_locust_is_being_started(sweep: Sweep) -> None:
    sweep.load.traps["start load"] = lambda: sweep.stop.ask("SIGTERM")

    assert sweep.run() is Result.STOPPED

    assert sweep.calls == ["start load", *DOWN]


def test_a_stopped_run_goes_on_where_it_was(sweep: Sweep) -> None:
    sweep.stack.traps["scale 2"] = lambda: send_command(sweep.folder, "stop")
    sweep.run()
    sweep.calls.clear()

    assert sweep.resume() is Result.DONE

    assert sweep.calls == [
        *("start load", "prepare", "scale 2", "swarm m2_u2_s2", *ONE_CELL),
        *DOWN,
    ]
    assert [cell.attempt for cell in sweep.state.cells.values()] == [1, 2]


def test_a_resumed_run_measures_failed_cells_again_when_asked(sweep: Sweep) -> None:
    sweep.stack.traps["scale 1"] = raising(StackError("no"))
    sweep.run()

    assert sweep.resume("m1_u2_s2") is Result.DONE

    assert sweep.state.count(CellStatus.FINISHED) == 2


def test_a_command_that_nobody_answered_is_rejected_on_resume(sweep: Sweep) -> None:
    sweep.run()
    identity = send_command(sweep.folder, "stop")

    assert sweep.resume("m1_u2_s2") is Result.DONE

    assert answers(sweep.folder)[identity] == [(False, "stale: the run was not live")]


def test_a_command_that_comes_while_everything_is_taken_down_is_answered(sweep: Sweep) -> None:
    asked: list[str] = []
    take_down = "close stack"
    sweep.stack.traps[take_down] = lambda: asked.append(send_command(sweep.folder, "pause"))

    assert sweep.run() is Result.DONE

    assert answers(sweep.folder)[asked[0]] == [(False, "the run has ended")]


def test_a_cell_that_is_asked_for_as_the_last_one_ends_is_measured(sweep: Sweep) -> None:
    point = {"models": 1, "users": 3, "spawn_rate": 2}

    def ask_late() -> None:
        if sweep.control.state.count(CellStatus.FINISHED) == 1:
            send_command(sweep.folder, "add", args=point)
        else:
            sweep.load.traps["measured"] = ask_late

    sweep.load.traps["measured"] = ask_late

    assert sweep.run() is Result.DONE

    assert sweep.status("m1_u3_s2") is CellStatus.FINISHED


def test_skip_ends_the_current_cell_at_once(sweep: Sweep) -> None:
    sweep.load.traps["measure"] = lambda: send_command(sweep.folder, "skip")

    assert sweep.run() is Result.DONE

    assert sweep.status("m1_u2_s2") is CellStatus.SKIPPED
    assert sweep.status("m2_u2_s2") is CellStatus.FINISHED


def test_a_cell_to_come_can_be_skipped_without_disturbing_the_current_one(sweep: Sweep) -> None:
    sweep.load.traps["measure"] = lambda: send_command(sweep.folder, "skip", cell="m2_u2_s2")

    assert sweep.run() is Result.DONE

    assert sweep.status("m1_u2_s2") is CellStatus.FINISHED
    assert sweep.status("m2_u2_s2") is CellStatus.SKIPPED
    assert "scale 2" not in sweep.calls


def test_again_measures_a_cell_that_is_over_once_more(sweep: Sweep) -> None:
    sweep.stack.traps["scale 2"] = lambda: send_command(sweep.folder, "again", cell="m1_u2_s2")

    assert sweep.run() is Result.DONE

    assert [cell.attempt for cell in sweep.state.cells.values()] == [2, 1]


def test_a_cell_that_is_added_is_measured_with_those_of_as_many_models(sweep: Sweep) -> None:
    def ask() -> None:
        add(sweep.folder, models=1, users=7)
        add(sweep.folder, models=3)

    sweep.load.traps["swarm m1_u2_s2"] = ask

    assert sweep.run() is Result.DONE

    assert [it for it in sweep.calls if it.startswith(("scale", "swarm"))] == [
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


def test_a_cell_that_is_added_is_measured_before_the_first_one_again(folder: Path) -> None:
    sweep = Sweep(folder, models=[1], repeats=2, recheck_first=True)
    sweep.load.traps["swarm m1_u2_s2_r2"] = lambda: add(folder, models=2)

    assert sweep.run() is Result.DONE

    assert [it for it in sweep.calls if it.startswith("swarm")] == [
        *("swarm m1_u2_s2", "swarm m1_u2_s2_r2", "swarm m2_u2_s2", "swarm m2_u2_s2_r2"),
        "swarm m1_u2_s2_recheck",
    ]
    assert [group.used for group in groups(sweep.state)] == [2, 2]
    assert drift_of(sweep.state) is not None
    sweep.journal.close()


def test_a_resumed_run_measures_what_was_added_to_it(sweep: Sweep) -> None:
    def ask() -> None:
        add(sweep.folder, models=1, users=7)
        send_command(sweep.folder, "stop")

    sweep.stack.traps["scale 2"] = ask
    sweep.run()
    assert [cell.cell.key for cell in sweep.state.outstanding] == ["m2_u2_s2", "m1_u7_s2"]
    sweep.calls.clear()

    assert sweep.resume() is Result.DONE

    assert [it for it in sweep.calls if it.startswith("swarm")] == [
        *("swarm m2_u2_s2", "swarm m1_u7_s2")
    ]
    assert sweep.state.count(CellStatus.FINISHED) == 3


def test_a_cell_that_cannot_be_added_is_refused_and_nothing_changes(sweep: Sweep) -> None:
    sent: list[str] = []

    def ask() -> None:
        sent.append(add(sweep.folder, models=0))
        sent.append(add(sweep.folder, models=2))
        sent.append(send_command(sweep.folder, "add"))

    sweep.load.traps["measure"] = ask

    assert sweep.run() is Result.DONE

    given = answers(sweep.folder)
    assert [given[identity] for identity in sent] == [
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


def test_pause_at_the_last_cell_does_not_keep_a_run_that_is_over(sweep: Sweep) -> None:
    sweep.stack.traps["scale 2"] = lambda: send_command(sweep.folder, "pause")

    assert sweep.run() is Result.DONE


def test_what_was_asked_together_with_a_skip_is_answered_too(sweep: Sweep) -> None:
    def ask() -> None:
        send_command(sweep.folder, "skip")
        send_command(sweep.folder, "skip", cell="m2_u2_s2")

    sweep.load.traps["measure"] = ask

    assert sweep.run() is Result.DONE

    assert len(answers(sweep.folder)) == 2
    assert sweep.state.count(CellStatus.SKIPPED) == 2


def test_a_locust_that_is_lost_at_its_first_start_is_started_again(sweep: Sweep) -> None:
    sweep.load.traps["start load"] = raising(LoadLostError("Locust ended with exit code -9"))

    assert sweep.run() is Result.DONE

    assert sweep.calls[:3] == ["start load", "start load", "prepare"]


def test_a_full_disk_at_the_report_loses_no_numbers(sweep: Sweep) -> None:
    sweep.load.traps["report"] = raising(DiskFullError("/x: no space left on the disk"))

    sweep.run()

    assert sweep.status("m1_u2_s2") is CellStatus.FINISHED


def test_a_summary_that_cannot_be_written_is_a_note_and_not_the_end(sweep: Sweep) -> None:
    (sweep.folder / "summary.csv").mkdir()

    assert sweep.run() is Result.DONE

    assert any("summary.csv" in message.text for message in sweep.state.messages)


def test_containers_are_told_when_one_comes_or_ends(sweep: Sweep) -> None:
    sweep.run()

    events = [entry.event for entry in JournalReader(sweep.folder).poll()]
    told = [[it.name for it in e.containers] for e in events if isinstance(e, Containers)]
    assert told == [["model-1"], ["model-1", "model-2"]]
    assert [it.name for it in sweep.state.containers] == ["model-1", "model-2"]


def test_every_command_is_answered_exactly_once(sweep: Sweep) -> None:
    sent: list[str] = []

    def ask() -> None:
        commands = ("pause", "resume", "dance", "again")
        sent.extend(send_command(sweep.folder, command) for command in commands)
        with (sweep.folder / "commands.jsonl").open("ab") as file:
            file.write(b'{"id": "torn"\nnot json\n[]\n')

    sweep.load.traps["measure"] = ask
    sweep.run()

    answered = answers(sweep.folder)
    assert set(answered) == set(sent)
    assert all(len(given) == 1 for given in answered.values())
    assert [given[0][0] for given in answered.values()] == [True, True, False, False]


def test_a_full_disk_ends_the_run_in_order(sweep: Sweep) -> None:
    sweep.load.traps["report"] = raising(DiskFullError("/x: no space left on the disk"))

    assert sweep.run() is Result.ABORTED

    assert sweep.calls[-4:] == DOWN
    assert sweep.state.finished is not None
    assert "run --resume" in sweep.state.finished.reason


def test_a_fault_of_ours_still_ends_the_run_in_order(
    sweep: Sweep, capfd: pytest.CaptureFixture[str]
) -> None:
    sweep.load.traps["measured"] = raising(KeyError("oops"))

    assert sweep.run() is Result.ABORTED

    assert sweep.calls[-4:] == DOWN
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


def test_a_cell_that_never_settles_is_measured_all_the_same_and_says_why(folder: Path) -> None:
    # Windows of an hour: the time to settle is over long before the third one.
    sweep = Sweep(folder)
    sweep.profile = sweep.profile.model_copy(
        update={"settle": sweep.profile.settle.model_copy(update={"max": 0.001, "window": 3600.0})}
    )

    sweep.run()
    sweep.journal.close()

    finished = sweep.state.cells["m1_u2_s2"].finished
    assert finished is not None
    assert finished.verdict is Verdict.SUSPECT
    assert finished.reasons == ("not settled: fewer than 3 windows of 3600 s",)


def add(folder: Path, **point: Any) -> str:
    """Ask for a point of the grid, m1_u2_s2 but for what is said of it."""
    return send_command(folder, "add", args={"models": 1, "users": 2, "spawn_rate": 2, **point})


def raising(error: Exception) -> Any:
    """Return a trap that raises."""

    def trap() -> None:
        raise error

    return trap


def answers(folder: Path) -> dict[str, list[tuple[bool, str]]]:
    """Return the answers in a journal, by the id of their command."""
    found: dict[str, list[tuple[bool, str]]] = {}
    for entry in JournalReader(folder).poll():
        if isinstance(entry.event, CommandAnswered):
            found.setdefault(entry.event.id, []).append((entry.event.accepted, entry.event.message))
    return found


def test_the_conditions_of_a_cell_are_those_of_the_samples_in_its_journal(sweep: Sweep) -> None:
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
    looks = [it.containers[0].cpu_cores or 0.0 for it in samples if it.second in window]
    assert looks
    [use] = finished.circumstances.containers
    assert use.cpu_cores == round(fmean(looks), 3)
