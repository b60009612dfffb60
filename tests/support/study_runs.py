"""Runs and studies on disk, with chosen latencies in every cell."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadbench.engine.journal.events import Event, Result, RunFinished, StackPrepared
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.studies.model import Study, StudyEntry, write_study
from tests.support.builders import (
    cell_finished,
    cell_started,
    entries,
    make_profile,
    requests,
    run_started,
    write_entries,
)

GOALS = {"p95_ms": 500}
REFUSED = "device: gpu requires a GPU, and this machine has none"


def add_run(
    reports: Path,
    name: str,
    latencies: Mapping[str, float],
    *,
    run: str = "20261122-072100",
    started: Mapping[str, Any] | None = None,
    results: Mapping[str, Mapping[str, Any]] | None = None,
    images: Mapping[str, str] | None = None,
    **keys: Any,
) -> StudyEntry:
    """Add a run, and return its entry in a study.

    Args:
        reports: The reports folder.
        name: Name of the profile.
        latencies: Latency in ms of all requests of a cell, by its key. Other cells are pending.
        run: Id of the run.
        started: Changed fields of the first event.
        results: Changed fields of the results, by cell key.
        images: Image digest of each service.
        keys: Keys of the profile.
    """
    profile = make_profile(**keys)
    first = run_started(profile, run=run)
    fields = {"profile_name": name, "driver": "compose", **(started or {})}
    events: list[Event] = [replace(first, **fields)]
    events += [StackPrepared(images=dict(images))] if images else []
    for cell in plan_cells(profile):
        if cell.key in latencies:
            measured = {"requests": requests(((latencies[cell.key], 400),))}
            changes = {**measured, **(results or {}).get(cell.key, {})}
            events += [cell_started(cell.key), cell_finished(cell.key, **changes)]
    events.append(RunFinished(result=Result.DONE, reason="all cells measured"))
    write_entries(reports / name / run, entries(events))
    return StudyEntry(profile=name, run=run)


def add_study(reports: Path, name: str, profiles: Sequence[StudyEntry]) -> Study:
    """Add a study, and return it."""
    study = Study(
        folder=reports / "studies" / name,
        created_at="2026-11-22T07:21:00.000Z",
        entries=tuple(profiles),
    )
    write_study(study)
    return study


def add_device_study(reports: Path) -> Study:
    """Add a study of three devices and batch sizes, with a profile that was refused."""
    keys: dict[str, Any] = {
        "models": [1, 2],
        "users": [10, 50, 200],
        "spawn_rates": [10],
        "goals": GOALS,
    }
    cpu = {"m1_u10_s10": 300.0, "m1_u50_s10": 700.0, "m1_u200_s10": 900.0}
    cpu |= {"m2_u10_s10": 200.0, "m2_u50_s10": 400.0, "m2_u200_s10": 800.0}
    batch = {key: 600.0 + latency for key, latency in cpu.items()}
    gpu = {"m1_u10_s10": 60.0, "m1_u50_s10": 120.0, "m1_u200_s10": 600.0}
    gpu |= {"m2_u10_s10": 50.0, "m2_u50_s10": 90.0, "m2_u200_s10": 310.0}
    return add_study(
        reports,
        "devices",
        (
            add_run(reports, "with_cpu", cpu, **keys),
            add_run(reports, "batch_10", batch, batch_size=10, **keys),
            add_run(reports, "with_gpu", gpu, device="gpu", batch_size=10, **keys),
            StudyEntry(profile="two_gpus", refused=REFUSED),
        ),
    )
