"""How many further cells a search needs, and how long they take, as ranges.

The lower end assumes that each number of models that was not begun starts at its capacity, and that
no edge needs a confirmation. The upper end assumes plain bisection there, and that a third
measurement decides at each edge. A search with close edges, or in which cells fail, may need more.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.state import RunState
from loadbench.engine.journal.timing.durations import Durations, durations_of
from loadbench.engine.journal.timing.progress import remaining_s, waiting_text
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.search.choice import OpenRange, next_amount
from loadbench.engine.search.continuation import is_searching
from loadbench.engine.search.knowledge import MIN_REPEATS, Knowledge, SearchRow, knowledge_of
from loadbench.engine.search.model import Probe
from loadbench.engine.search.strategy import is_over, next_step, start_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRange:
    """A number of cells."""

    fewest: int
    most: int


def further_cells(state: RunState) -> dict[int, CellRange]:
    """Return the number of cells that a search needs beyond the outstanding ones.

    Returns:
        The range for each number of models that is not finished, in the order of the profile.

    Raises:
        ValueError: The profile of the run is unknown.
    """
    known = knowledge_of(state)
    step = next_step(state)
    found = dict(_ranges(known))
    has_recheck = any(one.cell.recheck for one in state.cells.values())
    if known.profile.recheck_first and not has_recheck:
        models = known.rows[0].models
        one = found.get(models, CellRange(fewest=0, most=0))
        found[models] = CellRange(fewest=one.fewest + 1, most=one.most + 1)
    if isinstance(step, Probe) and step.cell in {one.cell for one in state.outstanding}:
        models = step.cell.models
        if models in found:
            one = found[models]
            found[models] = CellRange(fewest=max(0, one.fewest - 1), most=max(0, one.most - 1))
    return found


def remaining_range_s(profile: Profile, state: RunState) -> tuple[float, float]:
    """Estimate the shortest and the longest remaining time of a run in seconds.

    It includes outstanding cells and the scaling to each further number of models. The budget of a
    search limits both. Without a search, or after its end, both are equal.

    Args:
        profile: The profile of the run.
        state: The state of the run.
    """
    outstanding_s = remaining_s(profile, state)
    if not is_searching(state):
        return outstanding_s, outstanding_s
    durations = durations_of(profile, [state], state.started.window_s if state.started else {})
    fewest_s, most_s = _further_s(state, durations)
    spent_s = 0.0 if waiting_text(state) else state.elapsed_s - state.waited_s
    left_s = max(0.0, (profile.search.budget or math.inf) - spent_s)
    return min(outstanding_s + fewest_s, left_s), min(outstanding_s + most_s, left_s)


def new_cells(profile: Profile) -> CellRange:
    """Return the number of cells of a new run of a profile with a search."""
    counts = further_cells(RunState(profile=profile)).values()
    return CellRange(fewest=sum(n.fewest for n in counts), most=sum(n.most for n in counts))


def most_cells(profile: Profile) -> int:
    """Return the number of cells of a new run, or the largest number with a search."""
    return new_cells(profile).most if profile.is_search else len(plan_cells(profile))


def new_range_s(profile: Profile, durations: Durations) -> tuple[float, float]:
    """Estimate the shortest and the longest time of a new run with a search, in seconds.

    Args:
        profile: The profile.
        durations: How long its cells take.
    """
    fewest_s, most_s = _further_s(RunState(profile=profile), durations)
    budget_s = profile.search.budget or math.inf
    return min(fewest_s, budget_s), min(most_s, budget_s)


def _further_s(state: RunState, durations: Durations) -> tuple[float, float]:
    """Return the shortest and the longest time of all cells that are not planned yet."""
    known = {row.models: row for row in knowledge_of(state).rows}
    fewest_s = most_s = 0.0
    for models, cells in further_cells(state).items():
        each_s = _mean_s(durations, known[models])
        is_new = not any(known[models].is_begun(amount) for amount in known[models].amounts)
        scaling_s = durations.scaling_s(models) * is_new
        fewest_s += cells.fewest * each_s + scaling_s
        most_s += cells.most * each_s + scaling_s
    return fewest_s, most_s


def _mean_s(durations: Durations, row: SearchRow) -> float:
    """Return the mean time of the cells that the search may measure next, in seconds."""
    amounts = row.candidates or row.amounts
    cells = [row.cell(level) for amount in amounts for level in row.levels[amount]]
    return sum(map(durations.cell_s, cells)) / len(cells)


def _ranges(known: Knowledge) -> dict[int, CellRange]:
    """Return the range for each number of models that is not finished, with outstanding cells."""
    if _newest and _newest[0][0] is known:
        return _newest[0][1]
    found, can_predict = {}, True
    for row in known.rows:
        if not is_over(known, row):
            found[row.models] = _range(known, row, can_predict=can_predict)
            # The start of further numbers of models depends on this one.
            can_predict = False
    _newest[:] = [(known, found)]
    return found


_newest: list[tuple[Knowledge, dict[int, CellRange]]] = []
"""Argument and result of the last call, as of `knowledge_of`."""


def _range(known: Knowledge, row: SearchRow, *, can_predict: bool) -> CellRange:
    """Return the number of cells of a row that is not finished, with outstanding ones.

    Args:
        known: What is known.
        row: The row.
        can_predict: Whether its start is known, because all rows before it are finished.
    """
    profile = known.profile
    rates = len(profile.spawn_rates)
    loads = _load_counts(row, start_of(known, row) if can_predict else None)
    if loads.most and not can_predict:
        loads = CellRange(fewest=1, most=loads.most)
    begun = int(row.unfinished(profile.repeats) is not None)
    edges = row.edges()
    missing = [max(0, MIN_REPEATS + 1 - level.usable) for level in edges]
    if loads.most:
        # The edges are not known yet: one level that misses, and all spawn rates of the other.
        confirmations = (MIN_REPEATS + 1 - min(profile.repeats, MIN_REPEATS)) * (1 + rates)
    else:
        confirmations = sum(missing)
    return CellRange(
        fewest=max(1, loads.fewest * profile.repeats + begun),
        most=max(1, (loads.most + begun) * profile.repeats * rates + confirmations),
    )


def _load_counts(row: SearchRow, start: float | None) -> CellRange:
    """Return how many further loads must be measured, for all capacities that are possible."""
    bracket = OpenRange(low=row.low, high=row.high)
    counts = list(_depths(row.amounts, row.candidates, bracket, start))
    return CellRange(fewest=min(counts), most=max(counts))


def _depths(
    amounts: Sequence[float], candidates: Sequence[float], known: OpenRange, start: float | None
) -> Iterator[int]:
    """Yield the number of loads until the edges are known, for each capacity in a range."""
    within = candidates[bisect_right(candidates, known.low) : bisect_left(candidates, known.high)]
    if not within:
        yield 0
        return
    amount = next_amount(amounts, within, known, start)
    for rest in (
        OpenRange(low=amount, high=known.high),
        OpenRange(low=known.low, high=amount),
    ):
        yield from (depth + 1 for depth in _depths(amounts, within, rest, start))
