"""The cells of a profile in order."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.levels import Closed, Level
from loadbench.engine.profile.model import Point, Profile
from loadbench.engine.profile.sections.measurements import measurement_warnings

REPORT_BYTES = 1_500_000
"""Maximum disk space per cell, approximately. Locust's HTML report has about 950 kB without any
name of requests. `in_locust.names` limits what all names need."""

_RECHECK = "_recheck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One measurement of a run: a grid point and the number of its repeat."""

    models: int
    level: Level
    repeat: int = 1
    recheck: bool = False
    """Whether this is the second measurement of the first cell, at the end of the run."""

    @property
    def key(self) -> str:
        """Name in journals and commands, such as `m2_u50_s10`, or `m2_u50_s10_r2` for repeat 2."""
        return f"m{self.models}_{self.level.key}{self._suffix}"

    @property
    def report_name(self) -> str:
        """File name of Locust's report for this cell."""
        return f"{self.models}_{self.level.report_name}{self._suffix}.html"

    @property
    def _suffix(self) -> str:
        repeat = f"_r{self.repeat}" if self.repeat > 1 else ""
        return repeat + (_RECHECK if self.recheck else "")


def plan_cells(profile: Profile) -> tuple[Cell, ...]:
    """Return all cells of a profile in the order of measurement. A search measures some of them."""
    levels = [
        Closed(users=users, spawn_rate=spawn_rate)
        for users in profile.users
        for spawn_rate in profile.spawn_rates
    ]
    return sweep_cells(profile.models, levels, profile.repeats, recheck_first=profile.recheck_first)


def first_cells(profile: Profile) -> tuple[Cell, ...]:
    """Return the cells that are planned when a run starts. A search plans its cells later."""
    return () if profile.is_search else plan_cells(profile)


def sweep_cells(
    models: Iterable[int], levels: Sequence[Level], repeats: int = 1, *, recheck_first: bool = False
) -> tuple[Cell, ...]:
    """Return the cells of a grid in the order of measurement.

    The number of models changes least often, to avoid rescaling. For each number of models, repeats
    are interleaved, so that drift affects all cells alike. With `recheck_first`, the first cell is
    added again at the end.
    """
    cells = tuple(
        Cell(models=number, level=level, repeat=repeat)
        for number in models
        for repeat in range(1, repeats + 1)
        for level in levels
    )
    return (*cells, replace(cells[0], recheck=True)) if recheck_first else cells


def cells_at(profile: Profile, point: Point) -> tuple[Cell, ...]:
    """Return the cells of one grid point, one per repeat."""
    level = Closed(users=point.users, spawn_rate=point.spawn_rate)
    return tuple(
        Cell(models=point.models, level=level, repeat=repeat)
        for repeat in range(1, profile.repeats + 1)
    )


def insert_cells(
    cells: Sequence[Cell], added: Iterable[Cell], outstanding: Collection[Cell]
) -> tuple[Cell, ...]:
    """Return the plan with added cells, placed to minimise rescaling.

    A cell is placed after the remaining cells with the same number of models and the same or a
    lower repeat. If there are none, it is placed at the end, before the recheck of the first cell.

    Args:
        cells: The cells of the plan, in order.
        added: The new cells.
        outstanding: The remaining cells of the plan.
    """
    waiting = set(outstanding)
    order, is_open = list(cells), [cell in waiting and not cell.recheck for cell in cells]
    for cell in added:
        place = _place(cell, order, is_open)
        order.insert(place, cell)
        is_open.insert(place, True)
    return tuple(order)


def insert_by_load(cells: Sequence[Cell], added: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return the plan with the cells of a search: by models, then by load, then by repeat.

    New numbers of models follow the others, and rechecks come last.

    Args:
        cells: The cells of the plan, in order.
        added: The new cells.
    """
    every = [*cells, *added]
    places = {models: place for place, models in enumerate(dict.fromkeys(c.models for c in every))}

    def order(cell: Cell) -> tuple[object, ...]:
        return cell.recheck, places[cell.models], cell.level.order, cell.repeat

    return tuple(sorted(every, key=order))


def _place(cell: Cell, order: Sequence[Cell], is_open: Sequence[bool]) -> int:
    """Return the index of an added cell; see `insert_cells`.

    Args:
        cell: The added cell.
        order: The plan.
        is_open: For each cell of the plan, whether others may be added after it.
    """
    first = None
    for index in range(len(order) - 1, -1, -1):
        other = order[index]
        if other.models == cell.models and is_open[index]:
            if other.repeat <= cell.repeat:
                return index + 1
            first = index
    if first is not None:
        return first + 1
    return len(order) - sum(other.recheck for other in order)


def run_time_text(profile: Profile) -> str:
    """Return the length of a measurement window for display: `30 s`, or `10 s to 10 min`."""
    longest = readable_duration(profile.max_window_s)
    if not profile.is_run_time_auto:
        return longest
    return f"{readable_duration(profile.min_run_time)} to {longest}"


def warnings(profile: Profile, cores: int | None) -> list[str]:
    """Return warnings about valid but probably unintended settings.

    Args:
        profile: The profile.
        cores: Number of CPU cores available to the models. None if unknown.
    """
    messages = []
    threads = max(profile.models) * profile.stack.model_threads
    if cores is not None and profile.device == "cpu" and threads > cores:
        messages.append(
            f"{max(profile.models)} models × {profile.stack.model_threads} threads exceed the "
            f"{cores} available cores, so the models will slow each other down"
        )
    if not profile.settle.max:
        messages.append("settle.max is 0s: cells are measured without waiting for steady numbers")
    if not profile.is_run_time_auto and _has_run_time_limits(profile):
        messages.append("min_run_time and max_run_time have no effect without run_time: auto")
    if profile.search.budget is not None and not profile.is_search:
        messages.append("search.budget has no effect without search.strategy: bisection")
    messages += measurement_warnings(profile.load, profile.goals)
    return messages


def _has_run_time_limits(profile: Profile) -> bool:
    """Return whether the limits of an automatic run time differ from their defaults."""
    return any(
        getattr(profile, name) != Profile.model_fields[name].default
        for name in ("min_run_time", "max_run_time")
    )
