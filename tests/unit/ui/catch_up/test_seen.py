"""The record of how far a run was seen."""

import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loadbench.engine.files import write_atomically
from loadbench.ui.catch_up.seen import Seen, recall, remember, remember_in_background

SLOW = """
import sys, time
from datetime import datetime
from pathlib import Path
from loadbench.ui.catch_up import seen

def write_late(path, data, write=seen.write_atomically):
    time.sleep(0.5)
    write(path, data)

seen.write_atomically = write_late
moment = datetime.fromisoformat(sys.argv[2])
seen.remember_in_background(Path(sys.argv[1]), seen.Seen(seq=4, live=True, at=moment))
"""
"""A program whose save takes half a second."""
MOMENT = datetime(2026, 11, 22, 11, 12, 7, 250_000, tzinfo=UTC)


def seen(seq: int, *, live: bool = True, after_s: float = 0) -> Seen:
    return Seen(seq=seq, live=live, at=MOMENT + timedelta(seconds=after_s))


@contextmanager
def disk_full() -> Iterator[None]:
    """No file can grow."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def files(state_home: Path) -> list[Path]:
    return sorted(state_home.rglob("*"))


def test_a_run_that_was_never_seen_has_no_record(tmp_path: Path) -> None:
    assert recall(tmp_path) is None


def test_each_run_has_its_own_record(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "20261122-111101", tmp_path / "b" / "20261122-111101"
    remember(first, seen(4))
    remember(second, seen(7, live=False))
    assert recall(first) == seen(4)
    assert recall(second) == seen(7, live=False)


def test_a_symlink_to_the_folder_is_the_same_run(tmp_path: Path) -> None:
    folder = tmp_path / "20261122-111101"
    folder.mkdir()
    (tmp_path / "latest").symlink_to(folder)
    remember(tmp_path / "latest", seen(4))
    assert recall(folder) == seen(4)


@pytest.mark.parametrize(
    ("more", "less"),
    [
        (seen(7), seen(4, after_s=60)),
        (seen(7, live=False), seen(7, after_s=60)),
        (seen(7, after_s=60), seen(7)),
    ],
)
def test_the_viewer_that_saw_most_counts(tmp_path: Path, more: Seen, less: Seen) -> None:
    for order in ((more, less), (less, more)):
        folder = tmp_path / str(order.index(more))
        for one in order:
            remember(folder, one)
        assert recall(folder) == more


@pytest.mark.parametrize("torn", [b"", b'{"seq":4,"live":tr', b"\xff\xfe", b'{"seq":4}', b"[]"])
def test_a_damaged_file_is_ignored(tmp_path: Path, state_home: Path, torn: bytes) -> None:
    remember(tmp_path, seen(9))
    files(state_home)[-1].write_bytes(torn)
    assert recall(tmp_path) is None
    remember(tmp_path, seen(4))
    assert recall(tmp_path) == seen(4)


def test_a_full_disk_is_ignored(tmp_path: Path, state_home: Path) -> None:
    remember(tmp_path, seen(4))
    before = files(state_home)
    with disk_full():
        remember(tmp_path, seen(7))
        remember(tmp_path / "other", seen(7))
    assert recall(tmp_path) == seen(4)
    assert files(state_home) == before


def test_an_unwritable_state_folder_is_ignored(tmp_path: Path, state_home: Path) -> None:
    state_home.write_text("no folder")
    remember(tmp_path, seen(4))
    assert recall(tmp_path) is None


def test_the_oldest_records_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadbench.ui.catch_up.seen.MAX_RUNS", 2)
    for name in "abc":
        remember(tmp_path / name, seen(4))
    assert [recall(tmp_path / name) is not None for name in "abc"] == [False, True, True]


# In the background


@pytest.mark.parametrize(
    ("end", "status"),
    [("", 0), ("sys.exit(3)", 3), ("raise ValueError", 1)],
    ids=["return", "exit", "exception"],
)
def test_a_program_exits_after_its_save(tmp_path: Path, end: str, status: int) -> None:
    command = [sys.executable, "-c", SLOW + end, str(tmp_path), MOMENT.isoformat()]
    assert subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == status
    assert recall(tmp_path) == seen(4)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that writes nothing until the event is set."""
    is_writable = threading.Event()

    def write_late(path: Path, data: bytes) -> None:
        is_writable.wait(10)
        write_atomically(path, data)

    monkeypatch.setattr("loadbench.ui.catch_up.seen.write_atomically", write_late)
    yield is_writable
    is_writable.set()


def test_a_record_is_read_after_the_saves_before_it(
    tmp_path: Path, slow_disk: threading.Event
) -> None:
    remember_in_background(tmp_path, seen(4))
    remember_in_background(tmp_path, seen(7))
    assert not list(tmp_path.rglob("*.json"))
    threading.Timer(0.1, slow_disk.set).start()
    assert recall(tmp_path) == seen(7)


def test_a_save_uses_the_state_folder_of_its_start(
    tmp_path: Path, slow_disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_in_background(tmp_path, seen(4))
    with monkeypatch.context() as changed:
        changed.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
        slow_disk.set()
        assert recall(tmp_path) is None
    assert recall(tmp_path) == seen(4)
