"""Pairs of runs with known values, for tests of comparisons."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loadbench.engine.comparison.compare import compare_runs
from loadbench.engine.comparison.model import Comparison
from loadbench.engine.comparison.sides import side_pair
from loadbench.engine.journal.events import Buckets
from loadbench.engine.run_reader import read_run
from tests.support.builders import requests
from tests.support.study_runs import add_run

CELLS = ("m1_u10_s10", "m1_u50_s10", "m2_u10_s10", "m2_u50_s10")
REPEATS = (1.0, 1.04, 0.97)
"""Factors of the values of three repeats."""
HARDWARE = {"cpu": "AMD EPYC", "cores": 2, "memory_bytes": 8 * 2**30}
GRID: dict[str, Any] = {"models": [1, 2], "users": [10, 50], "spawn_rates": [10]}


def spread_latencies(median_ms: float, number: int = 2000) -> Buckets:
    """Return latencies with enough samples for all percentiles."""
    parts = ((0.8, 0.4), (1.0, 0.3), (1.3, 0.22), (1.6, 0.08))
    return tuple((round(median_ms * factor, 2), int(number * share)) for factor, share in parts)


def add_compared_run(
    reports: Path,
    name: str,
    factors: Mapping[str, float] | float = 1.0,
    *,
    repeats: Sequence[float] = REPEATS,
    results: Mapping[str, Mapping[str, Any]] | None = None,
    missing: Sequence[str] = (),
    started: Mapping[str, Any] | None = None,
    run: str = "20261122-072100",
    **keys: Any,
) -> Path:
    """Add a run of four cells with 2,000 requests in each repeat, and return its folder.

    Args:
        reports: The reports folder.
        name: Name of the profile.
        factors: Factor of the latencies, by cell or for all. A cell without one has the factor 1.
        repeats: Factors of the latencies of each repeat.
        results: Changed fields of the results, by key.
        missing: Keys of repeats that are not measured.
        started: Changed fields of the first event.
        run: Id of the run.
        keys: Keys of the profile.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for i, cell in enumerate(CELLS):
        factor = factors if isinstance(factors, float) else factors.get(cell, 1.0)
        for number, repeat in enumerate(repeats, start=1):
            key = cell if number == 1 else f"{cell}_r{number}"
            if key not in missing:
                latency = (100 + 50 * i) * factor * repeat
                found[key] = {
                    "requests": requests(spread_latencies(latency)),
                    "completed": round(2000 / factor / repeat),
                    **(results or {}).get(key, {}),
                }
    add_run(
        reports,
        name,
        dict.fromkeys(found, 1.0),
        results=found,
        run=run,
        started={"hardware": HARDWARE, **(started or {})},
        **{**GRID, "repeats": len(repeats), **keys},
    )
    return reports / name / run


def compared(before: Path, after: Path, **options: Any) -> Comparison:
    """Compare the runs in two folders."""
    pair = side_pair(read_run(before), read_run(after))
    return compare_runs(pair.before, pair.after, **options)
