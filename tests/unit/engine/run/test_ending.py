"""Finishing a run whose runner was killed after the last cell."""

import json
from pathlib import Path

import pytest

from loadbench.engine.drivers import registry
from loadbench.engine.journal.events import Event, Result, RunFinished
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.requests.resumption import is_unfinished
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run.ending import finish_run, prepare_ending
from loadbench.engine.run_reader import RunStatus, read_run
from loadbench.errors import EngineError, LoadbenchError, RefusedError, UsageError
from loadbench.workspace import Workspace
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    write_journal,
)
from tests.support.fake_driver import FakeDriver
from tests.support.ui_harness import held

FIRST, SECOND = "m1_u2_s2", "m2_u2_s2"
OVER = (cell_started(FIRST), cell_finished(FIRST), cell_started(SECOND), cell_finished(SECOND))
POINT = {"models": 1, "users": 3, "spawn_rate": 1}


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    fake = FakeDriver("local")
    monkeypatch.setattr(registry, "DRIVERS", {fake.name: fake})
    return fake


def save(root: Path, *events: Event, workspace: Path | None = None) -> Path:
    started = run_started(make_profile(models=[1, 2]), workspace=str(workspace or root))
    return write_journal(root / "reports" / "demo" / "20261122-072100", started, *events)


def request(root: Path, folder: Path, **changes: tuple[object, ...]) -> RunRequest:
    workspace = Workspace(root, root / "reports")
    return RunRequest.to_resume(workspace, folder, **changes)  # type: ignore[arg-type]


def finish(root: Path, folder: Path) -> None:
    ending = prepare_ending(request(root, folder), folder)
    assert ending is not None
    finish_run(ending, ControlLoop(folder, ending.journal, ending.state))
    ending.journal.close()


def test_a_killed_run_without_remaining_cells_is_finished(
    tmp_path: Path, driver: FakeDriver
) -> None:
    folder = save(tmp_path, *OVER)
    assert is_unfinished(read_run(folder))

    finish(tmp_path, folder)

    run = read_run(folder)
    assert run.state.finished == RunFinished(
        result=Result.DONE,
        reason="2 of 2 cells measured; the runner was killed before it recorded the end",
        left="local cannot",
    )
    assert (run.status, is_unfinished(run)) == (RunStatus.DONE, False)
    assert run.state.resumed_hardware == ({"cores": 2},), "nothing was measured elsewhere"
    assert driver.asked == [folder.name]
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["result"], len(summary["cells"])) == ("done", 2)


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (RefusedError("in use by the run x"), None),
        (EngineError("no engine"), "containers may still be running: no engine"),
    ],
)
def test_containers_that_cannot_be_removed_are_recorded(
    tmp_path: Path,
    driver: FakeDriver,
    monkeypatch: pytest.MonkeyPatch,
    error: LoadbenchError,
    left: str | None,
) -> None:
    def refuse(_run: object) -> None:
        raise error

    monkeypatch.setattr(driver, "clear_leftovers", refuse)
    folder = save(tmp_path, *OVER)

    finish(tmp_path, folder)

    end = read_run(folder).state.finished
    assert end is not None
    assert end.left == left


@pytest.mark.parametrize(
    "events",
    [OVER[:2], OVER[:3], (*OVER, RunFinished(result=Result.DONE, reason="")), ()],
    ids=["one cell", "one and a half", "finished", "no cell"],
)
def test_other_runs_are_resumed_as_usual(tmp_path: Path, events: tuple[Event, ...]) -> None:
    folder = save(tmp_path, *events)
    before = (folder / "journal.jsonl").read_bytes()
    assert prepare_ending(request(tmp_path, folder), folder) is None
    assert (folder / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("changes", [{"again": (FIRST,)}, {"added": (POINT,)}])
def test_a_request_for_more_cells_is_a_resume(
    tmp_path: Path, changes: dict[str, tuple[object, ...]]
) -> None:
    folder = save(tmp_path, *OVER)
    assert prepare_ending(request(tmp_path, folder, **changes), folder) is None


def test_failed_cells_do_not_keep_a_run_from_being_finished(
    tmp_path: Path, driver: FakeDriver
) -> None:
    folder = save(tmp_path, *OVER[:3], cell_failed(SECOND))
    finish(tmp_path, folder)
    end = read_run(folder).state.finished
    assert end is not None
    assert end.reason.startswith("1 of 2 cells measured")


def test_a_run_of_another_workspace_is_refused(tmp_path: Path) -> None:
    folder = save(tmp_path, *OVER, workspace=tmp_path / "other")
    with pytest.raises(UsageError, match="belongs to the workspace"):
        prepare_ending(request(tmp_path, folder), folder)


def test_a_run_that_is_locked_again_is_not_finished_twice(tmp_path: Path) -> None:
    folder = save(tmp_path, *OVER)
    with held(folder):
        assert prepare_ending(request(tmp_path, folder), folder) is None
