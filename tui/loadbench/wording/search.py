"""Texts about runs that may search: how many cells they have, and how long they take."""

from loadbench.engine.journal.events import CellsPlanned, SearchEnded
from loadbench.engine.journal.search import Bracket, StopReason
from loadbench.engine.journal.state import ENDED_STATUSES, RunState
from loadbench.engine.journal.timing.durations import Durations
from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.report.recommendation.subject import Subject, subject_of
from loadbench.engine.search.continuation import is_searching
from loadbench.engine.search.eta import new_cells, new_range_s, remaining_range_s
from loadbench.engine.search.sentences import (
    bracket_sentence,
    progress_phrase,
    result_sentences,
    why_phrase,
)
from loadbench.engine.search.status import SearchStatus, measured_cells, search_status


def range_text(shortest_s: float, longest_s: float) -> str:
    """Return two durations as one: `12 min`, or `5 min to 20 min` if they differ."""
    texts = readable_duration(shortest_s), readable_duration(longest_s)
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)


def remaining_text(profile: Profile, state: RunState) -> str:
    """Return the estimated remaining time of a live run: `12 min left`, `5 min to 20 min left`."""
    return f"{range_text(*remaining_range_s(profile, state))} left"


def plan_text(profile: Profile) -> str:
    """Return the number of cells of a new run: `4 cells`, `6 to 20 cells by search (grid: 32)`."""
    total = len(plan_cells(profile))
    if profile.is_search:
        return f"{cells_text(profile)} cells by search (grid: {total})"
    return "1 cell" if total == 1 else f"{total} cells"


def cells_text(profile: Profile) -> str:
    """Return the number of cells of a new run as a number: `4`, or `6 to 20` with a search."""
    if not profile.is_search:
        return str(len(plan_cells(profile)))
    found = new_cells(profile)
    return f"{found.most}" if found.fewest == found.most else f"{found.fewest} to {found.most}"


def duration_text(profile: Profile, durations: Durations) -> str:
    """Return how long a new run takes: `2 min`, or `2 min to 6 min` with a search."""
    if profile.is_search:
        return range_text(*new_range_s(profile, durations))
    return readable_duration(durations.total_s(plan_cells(profile)))


def plan_limits(profile: Profile, durations: Durations) -> tuple[str, str]:
    """Return the number of cells of a new run and its duration for lists.

    With a search, these are the upper ends: `up to 20 cells`, `up to 6 min`.
    """
    if not profile.is_search:
        return plan_text(profile), f"about {duration_text(profile, durations)}"
    longest_s = new_range_s(profile, durations)[1]
    return f"up to {new_cells(profile).most} cells", f"up to {readable_duration(longest_s)}"


def position_text(state: RunState) -> str:
    """Return the position of the current cell: `Cell 3 of 8`, or `Cell 3` during a search."""
    if is_searching(state):
        return f"Cell {state.count(*ENDED_STATUSES) + 1}"
    keys = list(state.cells)
    position = keys.index(state.current) + 1 if state.current in keys else 0
    return f"Cell {position} of {len(keys)}"


def planned_line(event: CellsPlanned, state: RunState) -> str:
    """Return why a search measures its next cells: `2 containers: searching … (confirms …)`."""
    subject, bracket = _subject(state), event.bracket
    phrase = progress_phrase(bracket) if bracket.is_known else "searching all loads"
    amount = f"{subject.amount(event.bracket.models)}: " if subject.is_scaled else ""
    return f"{amount or 'Search: '}{phrase} ({why_phrase(event.why)})"


def search_ended_lines(event: SearchEnded, state: RunState) -> list[str]:
    """Return the result of a search that has ended: a line for each number of models, then cells.

    Args:
        event: The end of the search.
        state: The state of the run.
    """
    subject = _subject(state)
    known = [one for one in event.brackets if one.is_known or one.reason]
    return [*(_bracket_line(one, subject) for one in known), *_ended_sentences(event, state)]


def search_sentences(state: RunState) -> tuple[str, ...]:
    """Return what the search of a run measured, what it left out, and which edges are uncertain.

    Empty for a run without a search, or if this version cannot read its profile.
    """
    if state.profile is None or state.started is None or not state.profile.is_search:
        return ()
    subject, ended = _subject(state), state.search_ended
    if ended is None:
        found = search_status(state)
        return ("The search has not ended.", *result_sentences(found, subject))
    unsure = [one for one in ended.brackets if one.reason and not one.is_confirmed]
    return (
        *_ended_sentences(ended, state),
        *(f"{_bracket_line(one, subject)}." for one in unsure),
    )


def _ended_sentences(ended: SearchEnded, state: RunState) -> tuple[str, ...]:
    """Return what ended a search early, what it measured, and what it left out."""
    profile, limit = state.profile, []
    if profile and ended.reason == StopReason.BUDGET_USED and profile.search.budget:
        limit = [f"The budget of {readable_duration(profile.search.budget)} ended the search."]
    elif profile and ended.reason == StopReason.MAX_CELLS:
        limit = [f"The search ended at max_cells: {profile.max_cells}."]
    measured = measured_cells(state)
    status = SearchStatus(brackets=ended.brackets, measured=measured, grid=ended.grid)
    return (*limit, *result_sentences(status, _subject(state)))


def _bracket_line(bracket: Bracket, subject: Subject) -> str:
    """Return the edges of a number of models, and why its search ended."""
    text = bracket_sentence(bracket, subject)
    text = f"{text[:1].upper()}{text[1:]}"
    return f"{text} ({progress_phrase(bracket)})" if bracket.reason else text


def _subject(state: RunState) -> Subject:
    assert state.profile is not None
    assert state.started is not None
    return subject_of(state.profile, state.started.driver)
