"""The search of a live run in one line."""

from loadbench.engine.journal.state import RunState
from loadbench.engine.report.recommendation.subject import subject_of
from loadbench.engine.search.sentences import bracket_sentence, progress_phrase, why_phrase
from loadbench.engine.search.status import search_status
from loadbench.ui.lines.text import Line, Piece, Tone, fit, line, width


def search_line(state: RunState, columns: int) -> Line:
    """Return the bracket of the current search, and those of the other numbers of models.

    Args:
        state: The state of a live run with a search.
        columns: Width of the line. What does not fit is omitted, the current bracket last.
    """
    profile, started, planned = state.profile, state.started, state.planned
    if profile is None or started is None or planned is None:
        return ()
    subject = subject_of(profile, started.driver)
    known = {one.models: one for one in search_status(state).brackets}
    current = known.get(planned.bracket.models, planned.bracket)
    amount = f"{subject.amount(current.models)}: " if subject.is_scaled else ""
    phrase = progress_phrase(current) if current.is_known else "searching all loads"
    first = [Piece(f" {amount or 'Search: '}"), Piece(phrase, Tone.STRONG)]
    why = Piece(f" ({why_phrase(planned.why)})", Tone.DIM)
    others = [one for one in known.values() if one is not current and one.is_known]
    rest = [Piece(f" · {bracket_sentence(one, subject)}", Tone.DIM) for one in others]
    candidates = [
        line(*first, why, *rest),
        *(line(*first, *rest[number:]) for number in range(len(rest) + 1)),
    ]
    fitting = next((one for one in candidates if width(one) <= columns), None)
    return fitting or line(fit(f" {phrase}", columns).rstrip())
