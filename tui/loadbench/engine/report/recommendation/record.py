"""The recommendation as plain data for `summary.json`, documented in docs/summary.md."""

import math
from typing import Any

from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goals import GoalCheck, set_goals
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.scaling import Step
from loadbench.engine.report.recommendation.sentences import answer, sentences


def record_of_recommendation(found: Recommendation) -> dict[str, Any]:
    """Return a recommendation as plain data. Missing values are None."""
    return {
        "answer": answer(found),
        "sentences": list(sentences(found)),
        "doubts": list(found.doubts),
        "next_step": found.next_step,
        "is_complete": found.is_complete,
        "goals": set_goals(found.goals),
        "models": found.best.models if found.best else None,
        "ties": list(found.ties),
        "stop_at": found.scaling.stop_at,
        "bottleneck": found.bottleneck.text if found.bottleneck else None,
        "bottleneck_kind": found.bottleneck.kind.value if found.bottleneck else None,
        "configurations": [_configuration(one, found) for one in found.configurations],
        "cheapest": [
            {"load": load.phrase, "amount": load.amount, "models": models}
            for load, models in found.cheapest
        ],
    }


def _configuration(one: Configuration, found: Recommendation) -> dict[str, Any]:
    step = found.scaling.step(one.models)
    with_goals = found.has_goals
    return {
        "models": one.models,
        "capacity": _load(one.capacity) if with_goals and one.capacity else None,
        "first_failed": _load(one.first_failed) if one.first_failed else None,
        "undecided": [load.phrase for load in one.undecided],
        "passed_above": [load.phrase for load in one.passed_above],
        "too_small": [load.phrase for load in one.too_small],
        "missing": list(one.missing.values()),
        "scaling": _step(step) if step else None,
        "loads": [_load(load) for load in one.loads],
    }


def _load(load: LoadOutcome) -> dict[str, Any]:
    return {
        "load": load.phrase,
        "amount": load.amount,
        "outcome": load.outcome.value,
        "rps": None if load.rps is None else round(load.rps, 3),
        "goals": [_check(check) for check in load.worst.checks],
        "failure": load.failure.reason if load.failure else None,
        "cells": [repeat.cell.cell.key for level in load.levels for repeat in level.repeats],
    }


def _check(check: GoalCheck) -> dict[str, Any]:
    value = check.value
    is_known = value is not None and math.isfinite(value)
    return {
        "goal": check.goal,
        "limit": check.limit,
        "value": round(value, 6) if is_known and value is not None else None,
        "outcome": check.outcome.value,
    }


def _step(step: Step) -> dict[str, Any]:
    added = step.added_rps_per_model
    return {
        "rps": round(step.rps, 3),
        "load": step.load.phrase,
        "is_saturated": step.is_saturated,
        "knee": step.knee.phrase if step.knee else None,
        "speedup": round(step.speedup, 4),
        "efficiency": round(step.efficiency, 4),
        "speedup_range": [round(end, 4) for end in step.speedup_range or ()] or None,
        "added_share": None if step.added_share is None else round(step.added_share, 4),
        "added_rps_per_model": None if added is None else round(added, 3),
    }
