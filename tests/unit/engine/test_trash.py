"""Deleting runs and restoring them."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loadbench.engine.catalog import CatalogReader
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Result, RunFinished
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.run_lookup import LATEST, TRASH, find_run, run_folders
from loadbench.engine.run_reader import read_run
from loadbench.engine.trash import KEPT_DAYS, delete_run, last_deleted, restore_last
from loadbench.errors import UsageError, WorkspaceError
from loadbench.workspace import Workspace
from tests.support.builders import run_started, write_journal

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
DONE = RunFinished(result=Result.DONE, reason="every cell has ended")
OLDER, NEWER, OTHER = "demo/20261122-072105", "demo/20261122-072105-2", "with_cpu/20261120-120000"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Save two runs of one profile and one of another."""
    reports = tmp_path / "reports"
    for name in (OLDER, NEWER, OTHER):
        write_journal(reports / name, run_started(run=Path(name).name), DONE)
    (reports / "demo" / LATEST).symlink_to(Path(NEWER).name)
    return reports


def names(reports: Path) -> list[str]:
    """Return the names of all runs that are not deleted."""
    return [f"{folder.parent.name}/{folder.name}" for folder in run_folders(reports)]


def content(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, by their relative paths."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_a_deleted_run_is_moved_to_the_trash_and_no_longer_listed(reports: Path) -> None:
    (reports / NEWER / "1_2_2.html").write_text("report", encoding="utf-8")
    before = content(reports / NEWER)

    delete_run(reports / NEWER, NOW)

    deleted = last_deleted(reports)
    assert deleted is not None
    assert (deleted.name, deleted.at) == (NEWER, NOW)
    assert deleted.folder.parent == reports / TRASH / "demo"
    assert content(deleted.folder) == before
    assert names(reports) == [OLDER, OTHER]
    with pytest.raises(UsageError, match="no run"):
        find_run(NEWER, reports)
    catalog = CatalogReader(Workspace(reports.parent, reports)).read()
    assert catalog is not None
    assert [run.name for run in catalog.runs] == [OLDER, OTHER]


def test_the_last_deletion_is_restored_first_also_after_a_restart(reports: Path) -> None:
    before = content(reports)
    for seconds, name in enumerate((OTHER, NEWER, OLDER)):
        delete_run(reports / name, NOW + timedelta(seconds=seconds))
    assert names(reports) == []

    assert [restore_last(reports) for _ in range(3)] == [OLDER, NEWER, OTHER]

    assert content(reports) == before
    assert names(reports) == [NEWER, OLDER, OTHER]
    assert last_deleted(reports) is None
    with pytest.raises(UsageError, match="no deleted run"):
        restore_last(reports)


def test_latest_points_to_the_newest_run_that_is_left(reports: Path) -> None:
    link = reports / "demo" / LATEST
    delete_run(reports / NEWER, NOW)
    assert link.readlink() == Path(Path(OLDER).name)
    delete_run(reports / OLDER, NOW + timedelta(seconds=1))
    assert not link.is_symlink()
    restore_last(reports)
    assert link.readlink() == Path(Path(OLDER).name)
    restore_last(reports)
    assert link.readlink() == Path(Path(NEWER).name)


def test_the_same_run_can_be_deleted_again(reports: Path) -> None:
    for seconds in range(2):
        delete_run(reports / NEWER, NOW + timedelta(seconds=seconds))
        assert restore_last(reports) == NEWER
    assert names(reports) == [NEWER, OLDER, OTHER]


def test_a_live_run_is_not_deleted(reports: Path) -> None:
    writer = JournalWriter(reports / NEWER)
    try:
        with pytest.raises(UsageError, match=f"{NEWER} is live.*loadbench-tui stop {NEWER}"):
            delete_run(reports / NEWER, NOW)
    finally:
        writer.close()
    assert names(reports) == [NEWER, OLDER, OTHER]
    assert last_deleted(reports) is None


def test_an_unreadable_run_can_be_deleted_and_restored(reports: Path) -> None:
    (reports / NEWER / FILE_NAME).write_bytes(b"no journal")
    delete_run(reports / NEWER, NOW)
    assert names(reports) == [OLDER, OTHER]
    restore_last(reports)
    assert (reports / NEWER / FILE_NAME).read_bytes() == b"no journal"


def test_a_run_that_is_gone_is_reported(reports: Path) -> None:
    shutil.rmtree(reports / NEWER)
    with pytest.raises(WorkspaceError, match=f"cannot delete {NEWER}: it no longer exists"):
        delete_run(reports / NEWER, NOW)


def test_a_run_is_not_restored_over_a_new_run_with_its_name(reports: Path) -> None:
    delete_run(reports / NEWER, NOW)
    write_journal(reports / NEWER, run_started(run="new"))

    with pytest.raises(WorkspaceError, match=r"already exists\. Rename or delete it first"):
        restore_last(reports)

    started = read_run(reports / NEWER).state.started
    assert started is not None
    assert started.run == "new"
    assert last_deleted(reports) is not None
    (reports / NEWER).rename(reports / "demo" / "20261122-072105-3")
    assert restore_last(reports) == NEWER


def test_an_empty_folder_with_the_name_of_the_run_is_not_replaced(reports: Path) -> None:
    delete_run(reports / NEWER, NOW)
    (reports / NEWER).mkdir()
    with pytest.raises(WorkspaceError, match="already exists"):
        restore_last(reports)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_changed_is_reported_and_nothing_is_lost(
    reports: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = content(reports)

    def refuse(_path: Path, _target: Path) -> Path:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(WorkspaceError, match=f"cannot delete {NEWER}: {os.strerror(number)}"):
            delete_run(reports / NEWER, NOW)
    assert content(reports) == before

    delete_run(reports / NEWER, NOW)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(WorkspaceError, match=f"{os.strerror(number)}.* is in .*{TRASH}"):
            restore_last(reports)
    restore_last(reports)
    assert content(reports) == before


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    """Create a folder on another file system."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    folder = Path(tempfile.mkdtemp(dir=shared))
    yield folder
    shutil.rmtree(folder)


def test_a_trash_on_another_file_system_is_reported(reports: Path, other_file_system: Path) -> None:
    (reports / TRASH).symlink_to(other_file_system)
    with pytest.raises(WorkspaceError, match="is on another file system"):
        delete_run(reports / NEWER, NOW)
    assert names(reports) == [NEWER, OLDER, OTHER]


def test_a_file_in_place_of_the_trash_is_reported(reports: Path) -> None:
    (reports / TRASH).touch()
    with pytest.raises(WorkspaceError, match=f"cannot delete {NEWER}"):
        delete_run(reports / NEWER, NOW)
    assert names(reports) == [NEWER, OLDER, OTHER]


def test_old_runs_are_removed_from_the_trash_at_the_next_deletion(reports: Path) -> None:
    foreign = reports / TRASH / "demo" / "notes"
    delete_run(reports / OTHER, NOW)
    foreign.mkdir(parents=True)
    delete_run(reports / OLDER, NOW + timedelta(days=1))

    delete_run(reports / NEWER, NOW + timedelta(days=KEPT_DAYS, seconds=1))

    assert not (reports / TRASH / "with_cpu").exists()
    assert foreign.exists()
    assert [restore_last(reports) for _ in range(2)] == [NEWER, OLDER]
    assert last_deleted(reports) is None
