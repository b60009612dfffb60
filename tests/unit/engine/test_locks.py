"""The lock of a stack: one run at a time, and its name."""

from pathlib import Path

import pytest

from loadbench.engine.locks import StackLock, state_folder
from loadbench.errors import RefusedError


def test_a_second_run_is_refused_with_the_name_of_the_first() -> None:
    lock = StackLock("local")
    lock.name_holder(Path("/reports/demo/a-much-longer-name"))
    lock.name_holder(Path("/reports/demo/1"))
    with pytest.raises(RefusedError, match="in use by the run /reports/demo/1; two runs"):
        StackLock("local")
    lock.release()


def test_a_run_that_has_no_name_yet_is_not_taken_for_the_one_before() -> None:
    former = StackLock("local")
    former.name_holder(Path("/reports/demo/1"))
    former.release()
    lock = StackLock("local")
    with pytest.raises(RefusedError, match="just starting"):
        StackLock("local")
    lock.release()


def test_a_lock_that_was_released_can_be_had() -> None:
    StackLock("local").release()
    StackLock("local").release()


def test_stacks_of_other_names_do_not_exclude_each_other() -> None:
    one, other = StackLock("local"), StackLock("loadbench-12345678")
    one.release()
    other.release()


def test_locks_are_kept_in_the_state_folder(state_home: Path) -> None:
    StackLock("local").release()
    assert [path.name for path in (state_home / "loadbench").iterdir()] == ["local.lock"]


def test_a_state_folder_that_cannot_be_made_is_told_with_its_path(state_home: Path) -> None:
    state_home.touch()
    with pytest.raises(RefusedError, match=r"local\.lock: .*the lock of the stack is kept there"):
        StackLock("local")


def test_the_state_folder_is_the_one_of_the_desktop_s_standard() -> None:
    assert state_folder({"XDG_STATE_HOME": "/somewhere"}) == Path("/somewhere/loadbench")
    for useless in ("", "not/absolute"):
        home = Path.home() / ".local" / "state" / "loadbench"
        assert state_folder({"XDG_STATE_HOME": useless}) == home
