"""Finding a run that is measuring now."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from loadbench.engine.journal.events import Event, Result, RunFinished, StackProgress
from loadbench.engine.requests.measuring import measuring_run
from tests.support.builders import cell_started, run_started, write_journal
from tests.support.ui_harness import held

WAITING = StackProgress(step="waiting", line="Waiting for demo/20261122-072100 to end")
DONE = RunFinished(result=Result.DONE, reason="every cell has ended")


def save(reports: Path, name: str, *events: Event) -> Path:
    return write_journal(reports / name, run_started(), *events)


@pytest.mark.parametrize(
    ("events", "is_live", "is_measuring"),
    [
        ((cell_started(),), True, True),
        ((cell_started(),), False, False),
        ((WAITING,), True, False),
        ((cell_started(), DONE), True, False),
    ],
)
def test_only_a_live_run_with_a_cell_in_progress_measures(
    tmp_path: Path, events: tuple[Event, ...], is_live: bool, is_measuring: bool
) -> None:
    folder = save(tmp_path, "demo/20261122-072100", *events)
    with ExitStack() as stack:
        if is_live:
            stack.enter_context(held(folder))
        assert measuring_run(tmp_path) == ("demo/20261122-072100" if is_measuring else None)


def test_one_run_can_be_ignored(tmp_path: Path) -> None:
    folder = save(tmp_path, "demo/20261122-072100", cell_started())
    link = tmp_path / "demo" / "latest"
    link.symlink_to(folder.name)
    with held(folder):
        assert measuring_run(tmp_path, link) is None
        other = save(tmp_path, "other/20261122-072200", cell_started())
        with held(other):
            assert measuring_run(tmp_path, folder) == "other/20261122-072200"


def test_a_workspace_without_runs_has_no_measuring_run(tmp_path: Path) -> None:
    assert measuring_run(tmp_path / "reports") is None


def test_a_run_with_an_unreadable_journal_is_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "20261122-072100"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("{}\n")
    with held(folder):
        assert measuring_run(tmp_path) is None
