"""The status and the result of a search as texts."""

from collections.abc import Iterable

from loadbench.engine.journal.search import Bracket, ProbeReason, StopReason
from loadbench.engine.report.recommendation.subject import Subject
from loadbench.engine.search.status import SearchStatus

_WHY = {
    ProbeReason.FIRST: "middle of the range",
    ProbeReason.PREDICTED: "predicted from another capacity",
    ProbeReason.HIGHER: "no load is too large yet",
    ProbeReason.LOWER: "no load passed yet",
    ProbeReason.BETWEEN: "between passed and missed",
    ProbeReason.SPAWN_RATE: "next spawn rate",
    ProbeReason.REPEAT: "repeat",
    ProbeReason.CONFIRM: "confirms an edge",
    ProbeReason.TIE: "repeats disagree",
    ProbeReason.RETRY: "retry",
    ProbeReason.RECHECK: "recheck of the first cell",
}


def why_phrase(why: str) -> str:
    """Return why a cell is measured as a short phrase. Reasons of later versions stay as they are.

    Args:
        why: A `ProbeReason`.
    """
    return _WHY.get(ProbeReason(why), why) if why in set(ProbeReason) else why


def bracket_sentence(bracket: Bracket, subject: Subject) -> str:
    """Return what is known about a number of models: `2 containers: 56 users passed, 78 missed`."""
    known = _known_text(bracket) or ("no load passed" if bracket.reason else "not searched")
    return f"{subject.amount(bracket.models)}: {known}"


def progress_phrase(bracket: Bracket) -> str:
    """Return how far a search is for a number of models: `searching between 56 and 110 users`.

    Reasons of later versions stay as they are.
    """
    state = "confirmed" if bracket.is_confirmed else "not confirmed"
    passed, missed = bracket.passed, bracket.missed
    match bracket.reason:
        case StopReason.EDGE_FOUND if passed is None:
            return f"no load met all goals, {state}"
        case StopReason.EDGE_FOUND:
            return f"edge found, {state}"
        case StopReason.TOP_PASSED:
            return f"at least {_users(passed)}: the largest load passed, {state}"
        case StopReason.SATURATED:
            return f"at least {_users(passed)}: throughput no longer grows, {state}"
        case StopReason.BOTTOM_FAILED:
            return f"below {_users(missed)}: the smallest load missed, {state}"
        case StopReason.UNDECIDED:
            return "undecided: loads without usable results remain"
        case StopReason.TOO_SMALL:
            return "no load reaches the throughput goal"
        case "":
            return _searching(passed, missed)
    return bracket.reason


def result_sentences(status: SearchStatus, subject: Subject) -> tuple[str, ...]:
    """Return what a search that has ended measured, and what it left out."""
    cells = "1 cell" if status.measured == 1 else f"{status.measured} cells"
    open_rows = [one for one in status.brackets if not one.reason]
    saved = f" ({status.saved} saved)" if status.saved and not open_rows else ""
    found = [f"The search measured {cells}; the grid has {status.grid}{saved}."]
    unsearched = [one.models for one in open_rows if not one.is_known]
    if unsearched:
        names = subject.with_models(*unsearched).removeprefix(" with ")
        found.append(f"Not searched: {names or subject.amount(unsearched[0])}.")
    found += _not_finished((one for one in open_rows if one.models not in unsearched), subject)
    return tuple(found)


def _not_finished(brackets: Iterable[Bracket], subject: Subject) -> list[str]:
    texts = [f"{subject.amount(one.models)}, {_limits(one.passed, one.missed)}" for one in brackets]
    return [f"Not finished: {'; '.join(texts)}."] if texts else []


def _known_text(bracket: Bracket) -> str:
    passed, missed = bracket.passed, bracket.missed
    if passed is not None and missed is not None:
        return f"{_users(passed)} passed, {missed:g} missed"
    if passed is not None:
        return f"{_users(passed)} passed"
    return f"{_users(missed)} missed" if missed is not None else ""


def _searching(passed: float | None, missed: float | None) -> str:
    if passed is None and missed is None:
        return "not searched"
    return f"searching {_limits(passed, missed)}"


def _limits(passed: float | None, missed: float | None) -> str:
    if passed is not None and missed is not None:
        return f"between {passed:g} and {_users(missed)}"
    return f"above {_users(passed)}" if passed is not None else f"below {_users(missed)}"


def _users(amount: float | None) -> str:
    return "1 user" if amount == 1 else f"{amount or 0:g} users"
