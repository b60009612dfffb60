"""The estimate of a run's disk space, and the watch that ends a run before the disk is full."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loadbench.engine.disk import Space
from loadbench.engine.journal.events import Event
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.run.space import (
    LOOKAHEAD_S,
    RESERVE,
    SPARE,
    SpaceWatch,
    check_space,
    needed_space,
)
from loadbench.errors import DiskFullError, RefusedError
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    sample,
    state_after,
    timed_entries,
)

PROFILE = make_profile(users=[2, 4, 6], run_time=100, settle={"max": "20s"})
CELL_BYTES = 1_500_000 + 120 * 3_000
MB = 1_000_000


@dataclass
class Disk:
    """A disk and a clock that tests set."""

    free: Space = field(default_factory=lambda: Space(10**12, None))
    now_s: float = 0.0
    reads: int = 0

    def watch(self) -> SpaceWatch:
        return SpaceWatch(Path("/run"), free=self.read, clock=lambda: self.now_s)

    def read(self, _folder: Path) -> Space:
        self.reads += 1
        return self.free

    def set(self, num_bytes: float, inodes: int | None = None, *, later_s: float = 1.0) -> None:
        self.free, self.now_s = Space(round(num_bytes), inodes), self.now_s + later_s


@pytest.fixture
def disk() -> Disk:
    return Disk()


def after(*events: Event) -> RunState:
    return state_after(run_started(PROFILE), *events)


def error_of(watch: SpaceWatch, state: RunState) -> str:
    with pytest.raises(DiskFullError) as raised:
        watch.check(state)
    return str(raised.value)


def test_the_estimate_grows_with_cells() -> None:
    one, two = needed_space(PROFILE, 1), needed_space(PROFILE, 2)

    assert one == Space(SPARE.num_bytes + CELL_BYTES, 51)
    assert two == Space(SPARE.num_bytes + 2 * CELL_BYTES, 52)


def test_a_run_without_enough_space_is_refused(tmp_path: Path) -> None:
    check_space(tmp_path, Space(1, 1))
    for needed in (Space(10**18, 1), Space(1, 10**18)):
        with pytest.raises(RefusedError, match="Free some disk space, or measure fewer cells"):
            check_space(tmp_path, needed)


def test_a_cell_ends_before_the_disk_is_full(disk: Disk) -> None:
    watch, state = disk.watch(), after(cell_started("m1_u4_s2"))
    disk.set(RESERVE.num_bytes + CELL_BYTES)
    watch.check(state)

    disk.set(RESERVE.num_bytes + CELL_BYTES - 100_000)

    assert error_of(watch, state) == "/run: 7 MB free, about 7 MB needed to finish m1_u4_s2"


@pytest.mark.parametrize(("elapsed_s", "seconds_left"), [(0.0, 120), (50.0, 70), (500.0, 0)])
def test_the_rest_of_a_cell_needs_less_than_all_of_it(
    disk: Disk, elapsed_s: float, seconds_left: int
) -> None:
    steps = (run_started(PROFILE), 30.0, cell_started(), elapsed_s, sample())
    state = fold(timed_entries(*steps))
    needed = RESERVE.num_bytes + 1_500_000 + seconds_left * 3_000

    disk.set(needed)
    disk.watch().check(state)
    disk.set(needed - 1)
    with pytest.raises(DiskFullError):
        disk.watch().check(state)


@pytest.mark.parametrize("inodes", [0, 5, 10])
def test_a_cell_ends_before_the_inodes_are_used_up(disk: Disk, inodes: int) -> None:
    disk.set(10**12, inodes)

    assert error_of(disk.watch(), after(cell_started("m1_u4_s2"))) == (
        f"/run: the file system at / can hold only {inodes} more files (free inodes), about 11 "
        "needed to finish m1_u4_s2"
    )


def test_a_log_that_fills_the_disk_is_noticed_before_it_is_full(disk: Disk) -> None:
    watch, state = disk.watch(), after(cell_started())
    free, error = 1000 * MB, ""
    while not error and free > 0:
        disk.set(free)
        try:
            watch.check(state)
        except DiskFullError as raised:
            error = str(raised)
        else:
            free -= 50 * MB

    assert 50 * MB * LOOKAHEAD_S <= free <= 50 * MB * (LOOKAHEAD_S + 1)
    assert error.endswith("needed to finish m1_u2_s2 while it shrinks by 50 MB/s")


def test_a_disk_that_shrinks_has_no_effect_while_enough_is_free(disk: Disk) -> None:
    watch = disk.watch()
    for free in (10**12, 10**11, 10**12, 10**11):
        disk.set(free, later_s=60.0)
        watch.check(after(cell_started()))


def test_between_cells_only_the_reserve_must_be_free(disk: Disk) -> None:
    disk.set(RESERVE.num_bytes)
    disk.watch().check(after())

    disk.set(RESERVE.num_bytes - MB)

    assert error_of(disk.watch(), after()) == "/run: 4 MB free, about 5 MB needed to continue"


def test_the_disk_is_read_once_a_second(disk: Disk) -> None:
    watch = disk.watch()
    for _ in range(20):
        disk.now_s += 0.25
        watch.check(after())

    assert disk.reads == 5


def test_a_cell_does_not_start_without_space_for_it(disk: Disk) -> None:
    disk.set(RESERVE.num_bytes + CELL_BYTES - 1)

    with pytest.raises(DiskFullError, match=re.escape("needed to measure another cell")):
        disk.watch().check_before_cell(after())


def test_too_little_space_for_all_cells_is_warned_about_once(disk: Disk) -> None:
    watch = disk.watch()
    disk.set(RESERVE.num_bytes + 3 * CELL_BYTES)
    assert watch.check_before_cell(after()) == ""

    disk.set(RESERVE.num_bytes + 2 * CELL_BYTES)
    one_left = after(cell_started(), cell_finished(), cell_started("m1_u4_s2"))

    assert watch.check_before_cell(after()) == (
        "warning: /run: 9 MB free, about 11 MB needed for the 3 remaining cells. The run ends "
        "before the disk is full"
    )
    assert watch.check_before_cell(after()) == ""
    assert watch.check_before_cell(one_left) == ""


def test_a_file_system_that_cannot_be_read_does_not_end_the_run() -> None:
    def fail(_folder: Path) -> Space:
        raise OSError("stale file handle")

    watch = SpaceWatch(Path("/run"), free=fail)

    watch.check(after(cell_started()))
    assert watch.check_before_cell(after()) == ""


def test_one_large_file_is_no_trend(disk: Disk) -> None:
    watch, state = disk.watch(), after(cell_started())
    for free in (900 * MB, 400 * MB, 400 * MB, 390 * MB, 380 * MB):
        disk.set(free)
        watch.check(state)
