"""Two runs on disk that can be compared, with seeded latencies."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loadbench.engine.profile.plan import plan_cells
from tests.support.builders import make_profile, requests
from tests.support.study_runs import GOALS, add_run

SPREAD = 0.04
"""Standard deviation of the logarithms of repeats."""
PERCENT_OF_MEAN = ((0.7, 200), (1.0, 140), (1.4, 25), (1.7, 20), (2.0, 12), (3.0, 3))
"""Latencies of a cell as multiples of its mean, with their numbers of requests."""
KEYS: dict[str, Any] = {
    "models": [1, 2],
    "users": [10, 50, 200],
    "spawn_rates": [10],
    "goals": GOALS,
}
HOSTILE = "<b>bold</b>\x1b[31m"


def add_compared_run(
    reports: Path,
    name: str,
    *,
    factor: float = 1.0,
    factors: Mapping[int, float] | None = None,
    seed: int = 1,
    repeats: int = 3,
    run: str = "20261122-072100",
    measured: Sequence[int] | None = None,
    started: Mapping[str, Any] | None = None,
    **keys: Any,
) -> Path:
    """Add a run with one mean latency per cell and noise between its repeats.

    Args:
        reports: The reports folder.
        name: Name of the profile.
        factor: Factor of all latencies.
        factors: Further factor by number of users.
        seed: Seed of the noise.
        repeats: Number of repeats of each cell.
        run: Id of the run.
        measured: Numbers of users that are measured. None for all.
        started: Changed fields of the first event.
        keys: Keys of the profile.

    Returns:
        The folder of the run.
    """
    noise = random.Random(seed)
    merged = {**KEYS, "repeats": repeats, **keys}
    latencies, results = {}, {}
    for cell in plan_cells(make_profile(**merged)):
        users = int(cell.level.amount)
        mean = 40.0 * factor * (factors or {}).get(users, 1.0) * (1 + users / 50 / cell.models)
        mean *= noise.lognormvariate(0.0, SPREAD)
        buckets = tuple((round(mean * share, 1), count) for share, count in PERCENT_OF_MEAN)
        completed = round(10_000 * users / (users + 10 * mean) * noise.lognormvariate(0.0, SPREAD))
        if measured is None or users in measured:
            latencies[cell.key] = mean
            results[cell.key] = {"requests": requests(buckets), "completed": completed}
    entry = add_run(reports, name, latencies, run=run, started=started, results=results, **merged)
    return reports / name / entry.run


def add_pair(reports: Path, **changes: Any) -> tuple[Path, Path]:
    """Add a run on a CPU and a faster one on a GPU, and return their folders."""
    before = add_compared_run(reports, "with_cpu", **changes)
    after = add_compared_run(
        reports,
        "with_gpu",
        factor=0.6,
        factors={200: 1.9, 10: 1.62},
        seed=2,
        run="20261123-072100",
        device="gpu",
        batch_size=10,
        **changes,
    )
    return before, after
