"""The lock of a stack: one run at a time, with the name of its holder."""

import fcntl
import os
import tempfile
import threading
from pathlib import Path

import pytest

from loadbench.engine.locks import LockUse, StackLock, state_folder, use_of
from loadbench.errors import RefusedError


def acquired(name: str) -> StackLock:
    """Return a lock that is held."""
    lock = StackLock(name)
    assert lock.acquire()
    assert lock.is_held
    return lock


def test_a_second_run_does_not_get_the_lock_but_the_folder_of_the_first() -> None:
    lock = acquired("local")
    lock.record_holder(Path("/reports/demo/a-much-longer-name"))
    lock.record_holder(Path("/reports/demo/1"))
    second = StackLock("local")

    assert not second.acquire()
    assert not second.is_held
    assert second.holder == Path("/reports/demo/1")
    assert use_of("local") == LockUse(Path("/reports/demo/1"))
    lock.release()
    assert second.acquire()
    second.release()


def test_the_name_of_the_previous_run_is_removed() -> None:
    former = acquired("local")
    former.record_holder(Path("/reports/demo/1"))
    former.release()
    lock = acquired("local")

    assert use_of("local") == LockUse(None)
    lock.release()


def test_a_free_lock_is_not_in_use_and_asking_creates_no_file(state_home: Path) -> None:
    assert use_of("local") is None
    assert not state_home.exists()

    acquired("local").release()

    assert use_of("local") is None


def test_a_lock_is_acquired_while_others_ask_who_holds_it() -> None:
    lock = StackLock("local")
    fd = os.open(state_folder() / "local.lock", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    assert not lock.acquire()
    threading.Timer(0.05, os.close, (fd,)).start()

    assert lock.acquire(retry_s=10.0)
    lock.release()


def test_locks_of_different_stacks_are_independent() -> None:
    one, other = acquired("local"), acquired("loadbench-12345678")
    one.release()
    other.release()


def test_locks_are_stored_in_the_state_folder(state_home: Path) -> None:
    acquired("local").release()
    assert [path.name for path in (state_home / "loadbench").iterdir()] == ["local.lock"]


def test_a_state_folder_that_cannot_be_created_is_reported_with_its_path(state_home: Path) -> None:
    state_home.touch()
    with pytest.raises(
        RefusedError, match=r"cannot open the lock file .*local\.lock: .*Check its permissions"
    ):
        StackLock("local")


def test_the_state_folder_follows_the_xdg_standard() -> None:
    assert state_folder({"XDG_STATE_HOME": "/somewhere"}) == Path("/somewhere/loadbench")
    for ignored in ("", "not/absolute"):
        home = Path.home() / ".local" / "state" / "loadbench"
        assert state_folder({"XDG_STATE_HOME": ignored}) == home


def test_a_user_without_a_home_folder_has_a_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    assert state_folder({}) == tmp_path / f"loadbench-{os.getuid()}"


def test_a_lock_names_a_folder_whose_path_is_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    lock = StackLock("local")
    assert lock.acquire()

    lock.record_holder(folder)

    assert lock.holder == folder
    lock.release()
