"""How long cells take: measured by earlier attempts, otherwise estimated from the settings.

An attempt consists of scaling, the ramp of its level, the run time, and a rest: settling, draining
and overhead. Ramp and run time are known; scaling and the rest are measured. With `run_time: auto`,
the run time is measured too, and until then it is the estimate of the plan. Lengths of phases come
from a monotonic clock, and those of an attempt from one runner, so changes of the wall clock and
the time between a stop and a resume do not count.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median
from types import MappingProxyType

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.model import SETTLE_WINDOWS, Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.profile.values.secrets import masked_data

SCALING_S = 6.0
"""Estimated seconds to scale the service to another number of models."""

OVERHEAD_S = 1.0
"""Estimated seconds to drain a cell and to save its results."""

MAX_RUNS = 3
"""Maximum number of comparable runs to use."""

_PHASES = {Phase.SCALING, Phase.RAMPING, Phase.MEASURING}
"""Phases of every attempt that finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Expected durations of the cells of a profile.

    Measured durations are medians. A cell or a number of models that was not measured has the
    median of all others. If nothing was measured, it has the estimate from the settings.
    """

    profile: Profile
    runs: tuple[str, ...] = ()
    """Ids of the runs with measured durations. Empty if all durations are estimates."""
    rest_of: Mapping[tuple[int, Level], float] = field(default_factory=dict)
    """Measured seconds of settling, draining and overhead, by models and level."""
    other_rest: float
    """Seconds of settling, draining and overhead of other cells."""
    scaling_to: Mapping[int, float] = field(default_factory=dict)
    """Measured seconds to scale the service, by number of models."""
    other_scaling: float
    """Seconds to scale the service to other numbers of models."""
    window_of: Mapping[tuple[int, Level], float] = field(default_factory=dict)
    """Measured length of the window in seconds, by models and level, with `run_time: auto`."""
    expected_of: Mapping[str, float] = field(default_factory=dict)
    """Expected length of the window in seconds, by cell, with `run_time: auto`."""

    def cell_s(self, cell: Cell) -> float:
        """Return the seconds for one cell, without scaling to another number of models."""
        rest_s = self.rest_of.get((cell.models, cell.level), self.other_rest)
        return cell.level.ramp_s + self.window_s(cell) + rest_s

    def window_s(self, cell: Cell) -> float:
        """Return the length of a cell's measurement window in seconds."""
        profile = self.profile
        if not profile.is_run_time_auto:
            return profile.max_window_s
        length_s = self.window_of.get((cell.models, cell.level)) or self.expected_of.get(cell.key)
        if length_s is None:
            # With twice the load, the same number of requests takes about half the time.
            work = [level.amount * each for (_, level), each in self.window_of.items()]
            length_s = median(work) / cell.level.amount if work else profile.max_window_s
        return min(profile.max_window_s, max(profile.min_run_time, length_s))

    def scaling_s(self, models: int) -> float:
        """Return the seconds to scale the service to a number of models."""
        return self.scaling_to.get(models, self.other_scaling)

    def total_s(self, cells: Iterable[Cell], models: int | None = None) -> float:
        """Return the seconds for all cells, with scaling.

        Args:
            cells: The cells, in order.
            models: Number of models at the start. None if the service is not running.
        """
        total = 0.0
        for number, group in groupby(cells, key=lambda cell: cell.models):
            total += sum(self.cell_s(cell) for cell in group)
            total += self.scaling_s(number) * (number != models)
        return total


def durations_of(
    profile: Profile,
    states: Iterable[RunState] = (),
    expected_of: Mapping[str, float] = MappingProxyType({}),
) -> Durations:
    """Return the durations that runs of a profile have measured.

    Only finished attempts count. Attempts whose phases are not recorded are ignored. Takes time
    linear in the number of cells.

    Args:
        profile: The profile.
        states: The states of the runs, which must be `comparable`.
        expected_of: As in `Durations`.
    """
    windows: defaultdict[tuple[int, Level], list[float]] = defaultdict(list)
    rests: defaultdict[tuple[int, Level], list[float]] = defaultdict(list)
    scalings: defaultdict[int, list[float]] = defaultdict(list)
    runs = []
    for state in states:
        measured = 0
        for models, group in _started_cells(state).items():
            first = _first_cell(group)
            if first:
                scalings[models].append(first.phase_s[Phase.SCALING])
            for cell_state in filter(_is_measured, group):
                # For the other cells, the driver only checked that the service is ready.
                has_scaled = first is None or cell_state is first or cell_state.cell.recheck
                window_s = _window_s(profile, cell_state)
                rest_s = _rest_s(cell_state, window_s, has_scaled=has_scaled)
                if rest_s >= 0:
                    rests[models, cell_state.cell.level].append(rest_s)
                    windows[models, cell_state.cell.level].append(window_s)
                    measured += 1
        if measured and state.started:
            runs.append(state.started.run)
    settle_s = min(profile.settle.max, SETTLE_WINDOWS * profile.settle.window)
    return Durations(
        profile=profile,
        runs=tuple(runs),
        rest_of={cell: median(values) for cell, values in rests.items()},
        other_rest=_median_of_all(rests.values(), settle_s + OVERHEAD_S),
        scaling_to={models: median(values) for models, values in scalings.items()},
        other_scaling=_median_of_all(scalings.values(), SCALING_S),
        window_of={cell: median(values) for cell, values in windows.items()},
        expected_of=expected_of,
    )


def comparable(
    profile: Profile, states: Iterable[RunState], driver: str | None = None
) -> Iterator[RunState]:
    """Yield the runs whose measured durations hold for a profile, at most `MAX_RUNS`.

    They have measured at least one cell with the same driver and with the same settings, except for
    models, users, spawn rates, repeats and goals.

    Args:
        profile: The profile.
        states: The states of its runs, newest first. Consumed only as far as needed.
        driver: The driver that would run the profile. None if it is not known yet; the driver of
            the newest comparable run is used instead.
    """
    settings, found = _settings(profile), 0
    for state in states:
        if state.started is None or state.profile is None or _settings(state.profile) != settings:
            continue
        if driver not in (None, state.started.driver):
            continue
        if any(map(_is_measured, state.cells.values())):
            yield state
            driver, found = state.started.driver, found + 1
            if found == MAX_RUNS:
                return


_SETTINGS = ("device", "batch_size", "run_time", "settle", "host", "stack", "load")
_AUTO_SETTINGS = ("min_run_time", "max_run_time", "goals")
"""Settings that the length of automatic windows depends on."""


def _settings(profile: Profile) -> list[object]:
    """Return the settings that the durations of scaling, settling and draining depend on.

    Secrets are masked, because the profiles of runs are recorded without them.
    """
    data = masked_data(profile.resolved())
    names = (*_SETTINGS, *_AUTO_SETTINGS) if profile.is_run_time_auto else _SETTINGS
    return [data[name] for name in names]


def _started_cells(state: RunState) -> Mapping[int, Sequence[CellState]]:
    """Return the cells with at least one attempt, by number of models."""
    groups: defaultdict[int, list[CellState]] = defaultdict(list)
    for cell_state in state.cells.values():
        if cell_state.attempt:
            groups[cell_state.cell.models].append(cell_state)
    return groups


def _first_cell(group: Sequence[CellState]) -> CellState | None:
    """Return the cell for which the service was scaled, or None if it is unknown.

    It is the cell with the longest scaling, because the service had the right number of models for
    the others. It is unknown if an attempt failed or was repeated: the state has the phases of only
    one attempt per cell, and another one may have done the scaling.

    Args:
        group: The started cells with the same number of models.
    """
    measured = [
        state
        for state in group
        if _is_measured(state) and state.finished and state.finished.attempt == 1
    ]
    running = [
        state for state in group if state.status is CellStatus.RUNNING and state.attempt == 1
    ]
    if not measured or len(measured) + len(running) < len(group):
        return None
    return max(measured, key=lambda state: state.phase_s[Phase.SCALING])


def _is_measured(cell_state: CellState) -> bool:
    """Return whether an attempt finished and its phases are recorded."""
    return cell_state.finished is not None and cell_state.phase_s.keys() >= _PHASES


def _window_s(profile: Profile, cell_state: CellState) -> float:
    """Return the length of the measurement window of a measured cell in seconds."""
    is_auto = profile.is_run_time_auto
    return cell_state.phase_s[Phase.MEASURING] if is_auto else profile.max_window_s


def _rest_s(cell_state: CellState, window_s: float, *, has_scaled: bool) -> float:
    """Return the seconds of an attempt beyond ramp, window, and scaling if it has scaled."""
    known_s = cell_state.cell.level.ramp_s + window_s
    scaling_s = cell_state.phase_s[Phase.SCALING] if has_scaled else 0.0
    return sum(cell_state.phase_s.values()) - known_s - scaling_s


def _median_of_all(groups: Iterable[Sequence[float]], default: float) -> float:
    """Return the median of all values, or the default if there are none."""
    values = [value for group in groups for value in group]
    return median(values) if values else default
