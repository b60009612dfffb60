"""A study with its ranking as plain data for `report --json`, documented in docs/study.md."""

from typing import Any

from loadbench.engine.report.recommendation.record import record_of_load
from loadbench.engine.studies.doubts import doubts
from loadbench.engine.studies.members import Member
from loadbench.engine.studies.ranked import RankedStudy
from loadbench.engine.studies.ranking import RankedConfiguration
from loadbench.engine.studies.sentences import first_sentence, sentences


def record_of_study(ranked: RankedStudy) -> dict[str, Any]:
    """Return a study as plain data. Missing values are None."""
    study, found = ranked.study, ranked.ranking
    return {
        "study": study.name,
        "created_at": study.created_at,
        "answer": first_sentence(found),
        "sentences": list(sentences(found)),
        "doubts": list(doubts(found)),
        "is_comparable": found.is_comparable,
        "is_complete": found.is_complete,
        "profiles": [_profile(member) for member in found.members],
        "configurations": [_configuration(one) for one in found.configurations],
    }


def _profile(member: Member) -> dict[str, Any]:
    entry = member.entry
    return {
        "profile": entry.profile,
        "run": entry.run or None,
        "status": member.run.status.value if member.run else None,
        "refused": entry.refused or None,
        "problem": member.problem or None,
    }


def _configuration(one: RankedConfiguration) -> dict[str, Any]:
    load = one.load
    return {
        "rank": one.rank,
        "profile": one.member.entry.profile,
        "run": one.member.entry.run,
        "configuration": one.found.subject.described(one.configuration.models),
        "models": one.configuration.models,
        "is_lower_bound": one.configuration.is_lower_bound if one.found.has_goals else None,
        "load": record_of_load(load, has_goals=one.found.has_goals) if load else None,
    }
