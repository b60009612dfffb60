"""A run of 100 cells with stages, goals, measurements and every kind of result."""

import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loadbench.engine.journal.events import (
    Buckets,
    CellFailed,
    CellFinished,
    CellSkipped,
    Event,
    Finding,
    Measurement,
    Requests,
    Result,
    RunFinished,
    Stages,
    Verdict,
)
from loadbench.engine.measure.buckets import to_buckets
from loadbench.engine.profile.plan import Cell, plan_cells
from tests.support.builders import (
    cell_finished,
    cell_started,
    entries,
    make_profile,
    run_started,
    write_entries,
)

SEED = 25
RUN = "20261130-120000"
MODELS = (1, 2, 3, 4, 6)
USERS = (*range(1, 11), 12, 16, 20, 24, 32, 48, 64, 96, 128, 192)
HOSTILE = "</svg><script>alert(1)</script>"
"""A name that ends elements and starts a script where it is not escaped."""
MEASURED = ("first token", f"{HOSTILE}{{datum.x}}")
"""The names of the measurements. The second is also an expression of Vega."""

_MODEL_S, _AROUND_S = 0.02, 0.005
_WINDOW_S = 30.0
_SIGMA = 0.25
_REQUESTS = 400
"""Requests per cell in the histogram."""
_INVALID_EVERY, _SUSPECT_EVERY, _FAILED_EVERY, _SKIPPED_EVERY = 23, 9, 17, 41


def hundred_events(
    seed: int = SEED,
    models: tuple[int, ...] = MODELS,
    users: tuple[int, ...] = USERS,
    **keys: Any,
) -> list[Event]:
    """Return the events of the run.

    Args:
        seed: Seed of the latencies.
        models: Numbers of models.
        users: Numbers of users.
        keys: Other keys of the profile.
    """
    goals = {"p95_ms": 400, "failure_ratio": 0.02, "measurements": {MEASURED[0]: {"p95": 150}}}
    name = f"POST /{HOSTILE}"
    profile = make_profile(
        models=list(models),
        users=list(users),
        spawn_rates=[50],
        **{"load": {"main": name}, "goals": goals, **keys},
    )
    found: list[Event] = [run_started(profile, run=RUN)]
    for number, cell in enumerate(plan_cells(profile), start=1):
        found += [cell_started(cell.key), _end(number, cell, random.Random(f"{seed} {cell.key}"))]
    return [*found, RunFinished(result=Result.DONE, reason="all cells measured")]


def add_hundred_cells(root: Path, **changes: Any) -> Path:
    """Add the run to a workspace, and return its folder.

    Args:
        root: The workspace.
        changes: Arguments of `hundred_events`.
    """
    folder = root / "reports" / "hundred" / RUN
    return write_entries(folder, entries(hundred_events(**changes)))


def _end(number: int, cell: Cell, chance: random.Random) -> Event:
    if number % _FAILED_EVERY == 0:
        reason = "model-1 ended (137)"
        return CellFailed(
            cell=cell.key, attempt=1, reason=reason, exit_code=137, container="model-1"
        )
    if number % _SKIPPED_EVERY == 0:
        return CellSkipped(cell=cell.key, attempt=1, reason="skipped by the user")
    return _finished(number, cell, chance)


def _finished(number: int, cell: Cell, chance: random.Random) -> CellFinished:
    users = cell.level.amount
    # A smooth minimum of both bounds, see bench/decision_shapes.py.
    free, peak = users / (_MODEL_S + _AROUND_S), cell.models / _MODEL_S
    rps = (free**-6 + peak**-6) ** (-1 / 6)
    mean_ms = 1000 * users / rps
    verdict = _verdict(number)
    lost = int(chance.random() * 12) if users > 60 * cell.models else 0
    requests = Requests(
        method="POST",
        name=f"/{HOSTILE}",
        successes=_latencies(mean_ms, _REQUESTS - lost, chance),
        failures=((5.0, lost),) if lost else (),
    )
    return cell_finished(
        cell.key,
        verdict=verdict,
        findings=() if verdict is Verdict.VALID else (Finding(rule="planted", text="planted"),),
        measured_s=_WINDOW_S,
        completed=round(rps * _WINDOW_S),
        requests=(requests,),
        stages=_stages(mean_ms, _REQUESTS - lost),
        measurements=tuple(_measurements(mean_ms, chance)),
        fewest_users=round(users),
    )


def _verdict(number: int) -> Verdict:
    if number % _INVALID_EVERY == 0:
        return Verdict.INVALID
    return Verdict.SUSPECT if number % _SUSPECT_EVERY == 0 else Verdict.VALID


def _latencies(mean_ms: float, times: int, chance: random.Random) -> Buckets:
    middle = math.log(mean_ms) - _SIGMA**2 / 2
    values = (math.exp(chance.gauss(middle, _SIGMA)) for _ in range(times))
    return to_buckets(Counter(float(f"{value:.2g}") for value in values))


def _stages(mean_ms: float, count: int) -> Stages:
    queue_ms = mean_ms - 1000 * (_MODEL_S + _AROUND_S)
    return Stages(
        count=count,
        latency_ms=count * mean_ms,
        total_ms=count * (mean_ms - 1.5),
        queue_ms=count * queue_ms,
        decode_ms=count * 3.0,
        infer_ms=count * 1000 * _MODEL_S,
    )


def _measurements(mean_ms: float, chance: random.Random) -> Iterator[Measurement]:
    for name, unit, share in zip(MEASURED, ("ms", "tokens/s"), (0.4, 0.05), strict=True):
        values = _latencies(share * mean_ms, _REQUESTS // 2, chance)
        yield Measurement(kind="METRIC", name=name, unit=unit, values=values, failures=0)
