"""The lock of a stack: one run at a time, with the name of its holder."""

from pathlib import Path

import pytest

from loadbench.engine.locks import StackLock, state_folder
from loadbench.errors import RefusedError


def test_a_second_run_is_refused_with_the_name_of_the_first() -> None:
    lock = StackLock("local")
    lock.record_holder(Path("/reports/demo/a-much-longer-name"))
    lock.record_holder(Path("/reports/demo/1"))
    with pytest.raises(RefusedError, match="in use by the run /reports/demo/1; concurrent"):
        StackLock("local")
    lock.release()


def test_the_name_of_the_previous_run_is_removed() -> None:
    former = StackLock("local")
    former.record_holder(Path("/reports/demo/1"))
    former.release()
    lock = StackLock("local")
    with pytest.raises(RefusedError, match="just starting"):
        StackLock("local")
    lock.release()


def test_a_released_lock_can_be_acquired_again() -> None:
    StackLock("local").release()
    StackLock("local").release()


def test_locks_of_different_stacks_are_independent() -> None:
    one, other = StackLock("local"), StackLock("loadbench-12345678")
    one.release()
    other.release()


def test_locks_are_stored_in_the_state_folder(state_home: Path) -> None:
    StackLock("local").release()
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
