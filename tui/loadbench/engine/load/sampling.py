"""How long the cells of a profile must last, from earlier runs or from its locustfiles."""

from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.journal.state import RunState
from loadbench.engine.load.source.files import find_locustfiles
from loadbench.engine.load.source.user_patterns import user_patterns
from loadbench.engine.measure.sampling.backed import SampleNeed, sample_needs
from loadbench.engine.measure.sampling.earlier import earlier_rates
from loadbench.engine.measure.sampling.needs import CellSampling, SamplingPlan, cell_sampling
from loadbench.engine.measure.sampling.users import RateEstimate, UserPattern, rate_of_users
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, plan_cells
from loadbench.errors import ProfileError

_FROM_FILE = "estimated from the locustfile"


def sampling_plan(root: Path, profile: Profile, states: Iterable[RunState]) -> SamplingPlan:
    """Return how long each cell must last, so that its percentiles have enough samples.

    The rates are those of the newest run with the same service and load. What it has not measured
    is estimated from the locustfiles, which are not executed.

    Args:
        root: Folder of the workspace.
        profile: The profile, with its references resolved as far as possible.
        states: The states of its runs, newest first. Consumed only as far as needed.
    """
    needs = sample_needs(profile.goals, profile.load.main)
    earlier = earlier_rates(profile, states)
    patterns = _patterns(root, profile)
    sources: dict[str, None] = {}
    known: dict[tuple[int, Level], CellSampling] = {}

    def rate_of(need: SampleNeed, cell: Cell) -> RateEstimate:
        if earlier and (measured := earlier.rate(need, cell)):
            sources[f"from run {earlier.run}"] = None
            return measured
        estimate = rate_of_users(
            patterns, round(cell.level.amount), need, profile.goals, profile.load.main
        )
        if estimate.rate:
            sources[_FROM_FILE] = None
        return estimate

    cells = {}
    for cell in plan_cells(profile):
        place = cell.models, cell.level
        if place not in known:
            known[place] = cell_sampling(needs, cell, rate_of)
        cells[cell.key] = known[place]
    return SamplingPlan(cells=cells, source=" and ".join(sources))


def _patterns(root: Path, profile: Profile) -> tuple[UserPattern, ...]:
    try:
        return user_patterns(find_locustfiles(root, profile.load), profile.load)
    except ProfileError:
        # A missing file is reported elsewhere.
        return ()
