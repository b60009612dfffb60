"""The strategy of the search: the next cell to measure, from the state of a run alone.

For each number of models, in the order of the profile, it looks for two adjacent loads of the
profile of which the smaller passes and the larger misses a goal. It decides on the recommendation's
outcomes, so its result is the capacity that the recommendation reports. The state is all it needs,
so a run that was interrupted continues with the same cells.
"""

import math
from dataclasses import replace

from loadbench.engine.journal.search import Bracket, ProbeReason, StopReason
from loadbench.engine.journal.state import ENDED_STATUSES, RunState
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.recommendation.knee import TIE
from loadbench.engine.search.choice import OpenRange, OtherRow, next_amount, predicted
from loadbench.engine.search.knowledge import Knowledge, SearchRow, knowledge_of, profile_of
from loadbench.engine.search.model import Probe, Stop

MIN_LOAD_GROWTH = 1.25
"""Factor between two loads from which on a growth of throughput is more than chance."""


def next_step(state: RunState) -> Probe | Stop:
    """Return the next cell to measure, or why the search has ended.

    Outstanding cells count as not measured, so that the answer is the same until they have ended.

    Raises:
        ValueError: The profile of the run is unknown.
    """
    profile = profile_of(state)
    known = knowledge_of(state)
    probe = _next_probe(known) or _recheck(profile, state, known)
    if probe is None:
        return _stop(known, StopReason.EDGE_FOUND)
    is_new = probe.cell.key not in state.cells
    if is_new and len(state.cells) >= profile.max_cells:
        return _stop(known, StopReason.MAX_CELLS)
    return probe


def out_of_budget(state: RunState) -> Stop:
    """Return the end of a search whose budget does not suffice for another cell.

    If no cell remains, the budget does not matter.

    Raises:
        ValueError: The profile of the run is unknown.
    """
    if not state.outstanding and isinstance(step := next_step(state), Stop):
        return step
    return _stop(knowledge_of(state), StopReason.BUDGET_USED)


def brackets_of(known: Knowledge) -> tuple[Bracket, ...]:
    """Return what is known about each number of models, in the order of the profile."""
    return tuple(bracket_of(known, row) for row in known.rows)


def bracket_of(known: Knowledge, row: SearchRow) -> Bracket:
    """Return what is known about one number of models."""
    return Bracket(
        models=row.models,
        passed=row.passed,
        missed=row.missed,
        reason=_row_reason(row) if is_over(known, row) else "",
        is_confirmed=known.is_confirmed(row),
    )


def is_over(known: Knowledge, row: SearchRow) -> bool:
    """Return whether the search of a number of models is over."""
    return _row_probe(known, row) is None


def grid_size(profile: Profile) -> int:
    """Return the number of cells of the whole grid, with repeats."""
    points = math.prod(map(len, (profile.models, profile.users, profile.spawn_rates)))
    return points * profile.repeats + profile.recheck_first


def start_of(known: Knowledge, row: SearchRow) -> float | None:
    """Return the load that the earlier numbers of models predict. None if they predict none."""
    earlier = known.rows[: known.rows.index(row)]
    references = [
        OtherRow(models=one.models, passed=one.passed, missed=one.missed) for one in earlier
    ]
    return predicted(row.amounts, row.models, references)


def _next_probe(known: Knowledge) -> Probe | None:
    for row in known.rows:
        if found := _row_probe(known, row):
            cell, why = found
            return Probe(cell=cell, why=why, bracket=bracket_of(known, row))
    return None


def _row_probe(known: Knowledge, row: SearchRow) -> tuple[Cell, ProbeReason] | None:
    """Return the next cell of a number of models, or None if its search is over."""
    if row.never_started:
        return None
    if found := row.unfinished(known.profile.repeats):
        return found
    if row.candidates:
        return _new_load(known, row)
    return known.confirmation(row)


def _new_load(known: Knowledge, row: SearchRow) -> tuple[Cell, ProbeReason]:
    start, bracket = start_of(known, row), OpenRange(low=row.low, high=row.high)
    amount = next_amount(row.amounts, row.candidates, bracket, start)
    if not row.low and row.missed is None:
        why = ProbeReason.FIRST if start is None else ProbeReason.PREDICTED
    elif row.missed is None:
        why = ProbeReason.HIGHER
    else:
        why = ProbeReason.BETWEEN if row.low else ProbeReason.LOWER
    return row.cell(row.levels[amount][0]), why


def _recheck(profile: Profile, state: RunState, known: Knowledge) -> Probe | None:
    """Return the recheck of the first measured cell, or None if it is not due."""
    cells = state.cells.values()
    is_done = any(one.cell.recheck and one.status in ENDED_STATUSES for one in cells)
    measured = [one for one in cells if one.finished and not one.cell.recheck]
    first = min(measured, key=lambda one: one.finished_seq, default=None)
    if not profile.recheck_first or is_done or first is None:
        return None
    row = next((row for row in known.rows if row.models == first.cell.models), known.rows[0])
    cell = replace(first.cell, recheck=True)
    return Probe(cell=cell, why=ProbeReason.RECHECK, bracket=bracket_of(known, row))


def _row_reason(row: SearchRow) -> StopReason:
    """Return why the search of a number of models is over."""
    if row.within or row.never_started:
        return StopReason.UNDECIDED
    if row.missed is not None:
        is_bottom = not row.low and row.missed <= row.amounts[0]
        return StopReason.BOTTOM_FAILED if is_bottom else StopReason.EDGE_FOUND
    if row.passed is None:
        is_too_small = row.low >= row.amounts[-1]
        return StopReason.TOO_SMALL if is_too_small else StopReason.UNDECIDED
    return StopReason.SATURATED if _is_saturated(row) else StopReason.TOP_PASSED


def _is_saturated(row: SearchRow) -> bool:
    """Return whether throughput grows by less than 5 % for each 25 % more load at the largest load.

    It is compared with the nearest measured load that is smaller by that much: between closer ones,
    throughput grows little, whether or not the service is saturated.
    """
    loads = row.configuration.loads
    known = [(load.amount, load.rps) for load in loads if load.rps is not None and load.rps > 0]
    smaller = [one for one in known if one[0] * MIN_LOAD_GROWTH <= known[-1][0]]
    if not smaller:
        return False
    (amount, rps), (top, top_rps) = smaller[-1], known[-1]
    steps = math.log(top / amount) / math.log(MIN_LOAD_GROWTH)
    return math.log(top_rps / rps) < steps * math.log1p(TIE)


def _stop(known: Knowledge, reason: StopReason) -> Stop:
    return Stop(reason=reason, brackets=brackets_of(known), grid=grid_size(known.profile))
