"""The disk space of a run: estimated before it starts, and watched while it is live."""

import time
from collections.abc import Callable
from pathlib import Path

from loadbench.engine.disk import Space, free_space, lack_of_space
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import REPORT_BYTES
from loadbench.errors import DiskFullError, RefusedError

SPARE = Space(num_bytes=20_000_000, inodes=50)
"""Space that must be free for logs and other files, in addition to reports and samples."""

SAMPLE_BYTES = 3_000
"""Approximate size in bytes of one sample in the journal, with a handful of containers."""

RESERVE = Space(num_bytes=5_000_000, inodes=10)
"""Space that must remain free during a run, for its summary, its clean-up and its last events."""

CHECK_S = 1.0
"""Seconds between two checks during a run."""

LOOKAHEAD_S = 2.0
"""Seconds for which space must remain if it continues to shrink, such as by a log."""


def needed_space(profile: Profile, cells: int) -> Space:
    """Estimate the space that a run with a number of cells needs."""
    return _plus_cells(SPARE, profile, cells)


def check_space(folder: Path, needed: Space) -> None:
    """Check that there is enough free space on the disk of a folder.

    Raises:
        RefusedError: There is too little.
    """
    if lack := lack_of_space(free_space(folder), needed, folder):
        raise RefusedError(f"{lack}. Free some disk space, or measure fewer cells")


class SpaceWatch:
    """Watches the free space during a run, which then ends in order before the disk is full.

    Args:
        folder: The run's folder.
        free: Returns the free space on the file system of a folder.
        clock: Monotonic clock in seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        free: Callable[[Path], Space] = free_space,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._free, self._clock = folder, free, clock
        self._last: tuple[float, int, float] | None = None
        """Time of the last check, free bytes, and by how many bytes per second they shrank."""
        self._is_warned = False

    def check(self, state: RunState) -> None:
        """Check that there is space to finish the current cell, at most once in `CHECK_S`.

        Raises:
            DiskFullError: There is too little, or will be soon.
        """
        now = self._clock()
        since, before, rate = self._last or (now - CHECK_S, 0, 0.0)
        if now < since + CHECK_S:
            return
        free = self._read_free()
        if free is None:
            return
        newest = max(0, before - free.num_bytes) / (now - since)
        self._last = now, free.num_bytes, newest
        # One large file, such as the layer of an image, is no trend.
        shrinking = min(rate, newest)
        lost = round(LOOKAHEAD_S * shrinking)
        needed = _needed_now(state)
        needed = Space(needed.num_bytes + lost, needed.inodes)
        purpose = f"to finish {state.current}" if state.current else "to continue"
        fast = (
            f" while it shrinks by {shrinking / 1e6:.0f} MB/s" if lost > RESERVE.num_bytes else ""
        )
        self._refuse(free, needed, f"{purpose}{fast}")

    def check_before_cell(self, state: RunState) -> str:
        """Check that there is space for another cell.

        Args:
            state: The state of the run, with remaining cells.

        Returns:
            A warning if there is too little space for all remaining cells. Empty if there is
            enough, and after the first warning.

        Raises:
            DiskFullError: There is too little for one cell.
        """
        profile, remaining = state.profile, len(state.outstanding)
        free = self._read_free()
        if free is None or profile is None:
            return ""
        self._refuse(free, _plus_cells(RESERVE, profile, 1), "to measure another cell")
        lack = lack_of_space(free, _plus_cells(RESERVE, profile, remaining), self._folder)
        if self._is_warned or not lack:
            return ""
        self._is_warned = True
        return (
            f"warning: {lack} for the {remaining} remaining cells. The run ends before the disk is "
            "full"
        )

    def _read_free(self) -> Space | None:
        try:
            return self._free(self._folder)
        except OSError:
            return None

    def _refuse(self, free: Space, needed: Space, purpose: str) -> None:
        if lack := lack_of_space(free, needed, self._folder):
            raise DiskFullError(f"{lack} {purpose}")


def _plus_cells(space: Space, profile: Profile, cells: int) -> Space:
    num_bytes = round(cells * (REPORT_BYTES + _measured_s(profile) * SAMPLE_BYTES))
    return Space(space.num_bytes + num_bytes, (space.inodes or 0) + cells)


def _needed_now(state: RunState) -> Space:
    """Return the space that must be free: the reserve, and the rest of the current cell."""
    if state.current is None or state.profile is None:
        return RESERVE
    whole_s, elapsed_s = _measured_s(state.profile), state.elapsed_s - state.cell_since_s
    used = round(min(whole_s, elapsed_s) * SAMPLE_BYTES)
    whole = _plus_cells(RESERVE, state.profile, 1)
    return Space(whole.num_bytes - used, whole.inodes)


def _measured_s(profile: Profile) -> float:
    """Return the seconds of a cell that are recorded at most, without its ramp.

    Settling may take longer if there are few responses, which is rare.
    """
    return profile.settle.max + profile.max_window_s
