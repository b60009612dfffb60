"""The recommendation as plain data for `summary.json`, documented in docs/summary.md."""

import math
from typing import Any

from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.goals import GoalCheck, Outcome
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
        "main": found.main,
        "goals": {goal.key: goal.limit for goal in all_goals(found.goals)},
        "models": found.best.models if found.best else None,
        "ties": list(found.ties),
        "stop_at": found.scaling.stop_at,
        "bottleneck": found.bottleneck.text if found.bottleneck else None,
        "bottleneck_kind": found.bottleneck.kind.value if found.bottleneck else None,
        "configurations": [_configuration(one, found) for one in found.configurations],
        "cheapest": [
            {
                "load": load.phrase,
                "amount": load.amount,
                "models": models,
                "not_measured_with": [
                    one.models
                    for one in found.configurations
                    if one.models < models and one.may_carry(load)
                ],
            }
            for load, models in found.cheapest
        ],
    }


def _configuration(one: Configuration, found: Recommendation) -> dict[str, Any]:
    step = found.scaling.step(one.models)
    with_goals, capacity, failed = found.has_goals, one.capacity, one.first_failed
    return {
        "models": one.models,
        "capacity": record_of_load(capacity, has_goals=True) if with_goals and capacity else None,
        "first_failed": record_of_load(failed, has_goals=with_goals) if failed else None,
        "undecided": [load.phrase for load in one.undecided],
        "passed_above": [load.phrase for load in one.passed_above],
        "too_small": [load.phrase for load in one.too_small],
        "missing": list(one.missing.values()),
        "scaling": _step(step) if step else None,
        "loads": [record_of_load(load, has_goals=with_goals) for load in one.loads],
    }


def record_of_load(load: LoadOutcome, *, has_goals: bool) -> dict[str, Any]:
    """Return the outcome of a load as plain data. Missing values are None."""
    worst = load.worst
    return {
        "load": load.phrase,
        "amount": load.amount,
        "outcome": load.outcome.value if has_goals or load.failure else None,
        "rps": None if load.rps is None else round(load.rps, 3),
        "deciding_level": worst.level.key,
        "deciding_goal": _check(load.check) if load.check else None,
        "repeats": {
            "planned": worst.planned,
            **{outcome.value: worst.count(outcome) for outcome in Outcome},
        },
        "goals": [_check(check) for check in worst.checks],
        "failure": load.failure.reason if load.failure else None,
        "is_suspect": load.is_suspect,
        "cells": [repeat.cell.cell.key for level in load.levels for repeat in level.repeats],
    }


def _check(check: GoalCheck) -> dict[str, Any]:
    value = check.value
    is_known = value is not None and math.isfinite(value)
    return {
        "goal": check.goal.key,
        "limit": check.goal.limit,
        "value": round(value, 6) if is_known and value is not None else None,
        "outcome": check.outcome.value,
        "requests": check.samples,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "rps": round(step.rps, 3),
        "load": step.load.phrase,
        "is_saturated": step.is_saturated,
        "knee": step.knee.phrase if step.knee else None,
        "speedup": _rounded(step.speedup),
        "speedup_range": [round(end, 4) for end in step.speedup_range or ()] or None,
        "efficiency": _rounded(step.efficiency),
        "added_share": _rounded(step.added_share),
        "added_rps_per_model": _rounded(step.added_rps_per_model),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
