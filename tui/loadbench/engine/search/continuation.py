"""Whether the search of a run continues, now or when the run is resumed."""

from loadbench.engine.journal.state import RunState


def is_search(state: RunState) -> bool:
    """Return whether a run has a search, as far as its profile can be read."""
    return state.profile is not None and state.profile.is_search


def is_searching(state: RunState) -> bool:
    """Return whether a run has a search that has not ended."""
    return is_search(state) and state.search_ended is None


def can_continue(state: RunState) -> bool:
    """Return whether a run has a search that a resume continues: it has the budget again."""
    ended = state.search_ended
    return is_searching(state) or (ended is not None and not ended.is_final)
