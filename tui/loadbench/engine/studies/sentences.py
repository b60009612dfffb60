"""The ranking of a study as sentences, the first of which can be quoted on its own."""

from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.goal import Goal
from loadbench.engine.report.recommendation.knee import TIE
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.sentences import answer, figures, short_answer
from loadbench.engine.report.recommendation.subject import listed
from loadbench.engine.studies.members import Member
from loadbench.engine.studies.ranking import RankedConfiguration, Ranking

MAX_NAMED = 5
"""Maximum number of further configurations, of equal ones, and of runs that the ranking names."""


def sentences(ranking: Ranking) -> tuple[str, ...]:
    """Return the ranking and what is missing from it.

    The first sentence ranks the best configuration of each run. If no order exists, the answer of
    each run follows. Profiles without results come last. Doubts are not included.
    """
    return (first_sentence(ranking), *_answers(ranking), *_missing(ranking))


def first_sentence(ranking: Ranking) -> str:
    """Return the ranking in one sentence. While work remains, it starts with `So far:`."""
    if not ranking.measured:
        return "No run of the study has results."
    if not ranking.is_comparable:
        return f"The configurations cannot be ranked, because the goals differ: {_goals(ranking)}."
    text = _ranking(ranking) if ranking.best else _none_met(ranking)
    return text if ranking.is_complete else f"So far: {text}"


def _ranking(ranking: Ranking) -> str:
    best, *others = ranking.best
    equal = [one for one in others if _are_equal(one, best)]
    # A run that was not measured up to its limit may carry more than the best.
    is_open = any(one.is_lower_bound for one in others)
    parts = [_winner(best, is_open=is_open)]
    parts += _limited([_equal(one) for one in equal])
    smaller = [one for one in others if not _are_equal(one, best)]
    if smaller:
        first = smaller[0]
        verb = first.found.subject.verb(first.configuration.models, "is", "are")
        following = [f"{one.inner} with {_amount(one)}" for one in smaller[:MAX_NAMED]]
        if len(smaller) > MAX_NAMED:
            following.append(f"{len(smaller) - MAX_NAMED} more")
        parts.append(f"next {verb} {', then '.join(following)}")
    parts += _limited(_unranked(ranking))
    return f"{'; '.join(parts)}."


def _limited(parts: list[str]) -> list[str]:
    more = len(parts) - MAX_NAMED
    return [*parts[:MAX_NAMED], f"and {more} more"] if more > 0 else parts


def _winner(one: RankedConfiguration, *, is_open: bool) -> str:
    """Return the best configuration with its figures.

    Args:
        one: The configuration.
        is_open: Whether another run may carry more, because it was not measured up to its limit.
    """
    load = one.load
    assert load is not None
    if not one.found.has_goals:
        highest = "the highest measured throughput" if is_open else "the highest throughput"
        return f"{one.described} {_verb(one)} {highest}, {_amount(one)}"
    shown = figures(load, one.found, with_goal=True)
    amount = f"{_amount(one)}{load.repeats_note}"
    most = "the largest measured load" if is_open else "the most"
    return f"{one.described} {_verb(one)} {most}, {amount}: {shown}"


def _equal(one: RankedConfiguration) -> str:
    text = f"{one.inner} {_verb(one)} {_amount(one)}"
    return f"{text} too" if one.found.has_goals else f"{text}, equal within {100 * TIE:g} %"


def _are_equal(one: RankedConfiguration, best: RankedConfiguration) -> bool:
    if one.load is None or best.load is None or not best.found.has_goals:
        return one.rank == best.rank
    return one.load.amount == best.load.amount


def _verb(one: RankedConfiguration) -> str:
    subject, models = one.found.subject, one.configuration.models
    if one.found.has_goals:
        return subject.verb(models, "carries", "carry")
    return subject.verb(models, "reaches", "reach")


def _amount(one: RankedConfiguration) -> str:
    """Return the capacity or, without goals, the throughput, with `at least` for lower bounds."""
    load = one.load
    assert load is not None
    amount = load.phrase if one.found.has_goals else f"{number(load.rps)} req/s"
    return f"{'at least ' if one.is_lower_bound else ''}{amount}"


def _unranked(ranking: Ranking) -> list[str]:
    """Return the runs without a ranked configuration, such as `batch_10: goals not met`."""
    ranked = {one.member.label for one in ranking.best}
    return [
        f"{member.label}: {short_answer(found)}"
        for member, found in ranking.measured
        if member.label not in ranked and short_answer(found)
    ]


def _none_met(ranking: Ranking) -> str:
    if not ranking.has_goals:
        return "No run of the study has a throughput."
    return (
        f"No configuration is known to meet the goals: {', '.join(_limited(_unranked(ranking)))}."
    )


def _goals(ranking: Ranking) -> str:
    """Return the goals of each run, those with the same goals together."""
    labels: dict[frozenset[Goal], list[str]] = {}
    for label, goals in ranking.goals:
        labels.setdefault(goals, []).append(label)
    return "; ".join(f"{listed(names)}: {_goal_texts(goals)}" for goals, names in labels.items())


def _goal_texts(goals: frozenset[Goal]) -> str:
    return ", ".join(sorted(goal.text() for goal in goals)) or "no goals"


def _answers(ranking: Ranking) -> list[str]:
    """Return the answer of each run if the first sentence does not rank it."""
    if not ranking.is_comparable:
        return [_answer(member, found) for member, found in ranking.measured]
    ranked = {one.member.label for one in ranking.best}
    return [
        _answer(member, found) for member, found in ranking.measured if member.label not in ranked
    ]


def _answer(member: Member, found: Recommendation) -> str:
    return f"{member.label}: {answer(found)}"


def _missing(ranking: Ranking) -> list[str]:
    """Return the profiles without results, with the reasons."""
    texts = [text for member in ranking.members if (text := _without_results(member))]
    pending = [member.label for member in ranking.members if member.is_pending]
    return [*texts, f"Not started: {listed(pending)}."] if pending else texts


def _without_results(member: Member) -> str:
    """Return why a profile that was started or refused has no results. Empty if it has some."""
    label, run = member.label, member.run
    if member.entry.refused:
        return f"{label} was refused: {_clause(member.entry.refused)}."
    if member.problem or run is None:
        return f"{label} has no results: {_clause(member.problem)}." if member.problem else ""
    if run.recommendation is None:
        return f"{label} has no results: {_clause(run.state.profile_problem)}."
    return "" if run.recommendation.configurations else _answer(member, run.recommendation)


def _clause(text: str) -> str:
    return text.rstrip(" .")
