"""What a search has found so far, and how many cells it has saved."""

from dataclasses import dataclass

from loadbench.engine.journal.search import Bracket
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.search.knowledge import knowledge_of, profile_of
from loadbench.engine.search.strategy import brackets_of, grid_size


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStatus:
    """The status of a search, for views."""

    brackets: tuple[Bracket, ...]
    """What is known about each number of models, in the order of the profile."""
    measured: int
    """Number of cells that finished or failed."""
    grid: int
    """Number of cells of the whole grid, with repeats."""

    @property
    def saved(self) -> int:
        """Number of cells of the grid that need not be measured. 0 if more were measured."""
        return max(0, self.grid - self.measured)


def search_status(state: RunState) -> SearchStatus:
    """Return the status of the search of a run.

    Raises:
        ValueError: The profile of the run is unknown.
    """
    return SearchStatus(
        brackets=brackets(state),
        measured=measured_cells(state),
        grid=grid_size(profile_of(state)),
    )


def measured_cells(state: RunState) -> int:
    """Return the number of cells that finished or failed. Skipped ones were not measured."""
    return state.count(CellStatus.FINISHED, CellStatus.FAILED)


def brackets(state: RunState) -> tuple[Bracket, ...]:
    """Return what is known about each number of models, in the order of the profile.

    Raises:
        ValueError: The profile of the run is unknown.
    """
    return brackets_of(knowledge_of(state))
