"""From a profile to the cells that are measured, and an estimate of the time they take."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from loadbench.engine.profile.levels import Closed, Level
from loadbench.engine.profile.model import SETTLE_WINDOWS, Point, Profile

SCALING_S = 6.0
"""What scaling takes per change of the number of models: an estimate, for the plan alone."""

REPORT_BYTES = 1_000_000
"""About what a cell leaves on the disk; nearly all of it is Locust's HTML report."""

_RECHECK = "_recheck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One point of the grid."""

    models: int
    level: Level
    repeat: int = 1
    recheck: bool = False
    """It is the first cell of the run, measured once more at the very end."""

    @property
    def key(self) -> str:
        """The cell's name in journals and commands: `m2_u50_s10`, repeat 2: `m2_u50_s10_r2`."""
        return f"m{self.models}_{self.level.key}{self._suffix}"

    @property
    def report_name(self) -> str:
        """The file name of Locust's report of the cell."""
        return f"{self.models}_{self.level.report_name}{self._suffix}.html"

    @property
    def _suffix(self) -> str:
        repeat = f"_r{self.repeat}" if self.repeat > 1 else ""
        return repeat + (_RECHECK if self.recheck else "")


def plan_cells(profile: Profile) -> tuple[Cell, ...]:
    """Return the cells of a profile in the order they are measured."""
    levels = [
        Closed(users=users, spawn_rate=spawn_rate)
        for users in profile.users
        for spawn_rate in profile.spawn_rates
    ]
    return sweep_cells(profile.models, levels, profile.repeats, recheck_first=profile.recheck_first)


def sweep_cells(
    models: Iterable[int], levels: Sequence[Level], repeats: int = 1, *, recheck_first: bool = False
) -> tuple[Cell, ...]:
    """Return the cells of a grid in the order they are measured.

    Models are outermost, so that the stack is rescaled least. Repeats are interleaved within
    one number of models, so that drift hits every cell alike. With `recheck_first` the first cell
    comes once more at the end.
    """
    cells = tuple(
        Cell(models=number, level=level, repeat=repeat)
        for number in models
        for repeat in range(1, repeats + 1)
        for level in levels
    )
    return (*cells, replace(cells[0], recheck=True)) if recheck_first else cells


def cells_at(profile: Profile, point: Point) -> tuple[Cell, ...]:
    """Return the cells of one point of the grid: all its repeats."""
    level = Closed(users=point.users, spawn_rate=point.spawn_rate)
    return tuple(
        Cell(models=point.models, level=level, repeat=repeat)
        for repeat in range(1, profile.repeats + 1)
    )


def with_added(
    cells: Sequence[Cell], added: Iterable[Cell], outstanding: Collection[Cell]
) -> tuple[Cell, ...]:
    """Return the cells of a plan with more of them, so that the stack is rescaled least.

    A cell goes to the outstanding ones with as many models, its repeat behind theirs. Where there
    are none it goes to the end, before the first cell's second measurement.

    Args:
        cells: Those of the plan, in order.
        added: Those that are not in it yet.
        outstanding: Those of the plan that are still to be measured.
    """
    order, waiting = list(cells), set(outstanding)
    for cell in added:
        order.insert(_place(cell, order, waiting), cell)
        waiting.add(cell)
    return tuple(order)


def _place(cell: Cell, order: Sequence[Cell], outstanding: Collection[Cell]) -> int:
    near = [
        at
        for at, it in enumerate(order)
        if it.models == cell.models and it in outstanding and not it.recheck
    ]
    if not near:
        return len(order) - sum(it.recheck for it in order)
    return max((at for at in near if order[at].repeat <= cell.repeat), default=near[0]) + 1


def estimate_cell_s(profile: Profile, cell: Cell) -> float:
    """Return the seconds that a cell takes at its number of models, scaling not counted."""
    settle = min(profile.settle.max, SETTLE_WINDOWS * profile.settle.window)
    return cell.level.ramp_s + settle + profile.run_time + 1.0


def estimate_s(profile: Profile, cells: tuple[Cell, ...]) -> float:
    """Return the seconds that a sweep over the cells takes."""
    changes = 1 + sum(a.models != b.models for a, b in pairwise(cells))
    return sum(estimate_cell_s(profile, cell) for cell in cells) + SCALING_S * changes


def warnings(profile: Profile, cores: int | None) -> list[str]:
    """Return what is allowed but may not be meant, in sentences.

    Args:
        profile: The profile.
        cores: How many the models have; None: they are not ours, so nobody can tell.
    """
    found = []
    most = max(profile.models) * profile.stack.model_threads
    if cores is not None and profile.device == "cpu" and most > cores:
        found.append(
            f"{max(profile.models)} models × {profile.stack.model_threads} threads are more than "
            f"the {cores} cores here: the models will slow each other down"
        )
    if not profile.settle.max:
        found.append("settle.max is 0s: cells are measured without waiting for steady numbers")
    return found
