"""Build events, states and runs for tests, with default values for irrelevant fields."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loadbench.engine.journal.codec import FILE_NAME, VERSION, Entry, encode
from loadbench.engine.journal.events import (
    UNRECORDED,
    Buckets,
    CellFailed,
    CellFinished,
    CellPhase,
    CellSkipped,
    CellStarted,
    ClientUse,
    CommandAnswered,
    Conditions,
    Event,
    Finding,
    Measurement,
    Phase,
    Requests,
    RunResumed,
    RunStarted,
    Sample,
    Stages,
    Verdict,
)
from loadbench.engine.journal.phases import PhaseStart
from loadbench.engine.journal.samples import FULL_RESOLUTION_S, Samples
from loadbench.engine.journal.state import EMPTY, RunState, fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, plan_cells


def make_profile(**keys: Any) -> Profile:
    """Return a profile, by default with one cell, `m1_u2_s2`."""
    return Profile.model_validate({"models": [1], "users": [2], "spawn_rates": [2], **keys})


def make_cell(models: int = 1, users: int = 2, spawn_rate: float = 2, repeat: int = 1) -> Cell:
    """Return a cell, by default `m1_u2_s2`."""
    level = Closed(users=users, spawn_rate=spawn_rate)
    return Cell(models=models, level=level, repeat=repeat)


def run_started(
    profile: Profile | None = None,
    *,
    run: str = "20261122-072100",
    workspace: str = "/nowhere",
    cells: tuple[Cell, ...] | None = None,
) -> RunStarted:
    """Return the first event of a profile's run, by default with all cells of the grid."""
    profile = profile or make_profile()
    return RunStarted(
        v=VERSION,
        pid=4242,
        run=run,
        workspace=workspace,
        profile_name="demo",
        profile_file="/nowhere/profiles/demo.yaml",
        profile=profile.resolved(),
        overrides=(),
        cells=plan_cells(profile) if cells is None else cells,
        driver="local",
        driver_reason="asked for",
        hardware={"cores": 2},
        versions={"loadbench": "0"},
    )


def cell_started(cell: str = "m1_u2_s2", attempt: int = 1) -> CellStarted:
    """Return the start event of a cell."""
    return CellStarted(cell=cell, attempt=attempt)


def requests(successes: Buckets = ((10.0, 40),), failures: Buckets = ()) -> tuple[Requests, ...]:
    """Return requests with the only request name in the included locustfile."""
    return (Requests(method="POST", name="/predict", successes=successes, failures=failures),)


def measurement(
    name: str = "first token",
    kind: str = "TTFT",
    unit: str = "ms",
    values: Buckets = ((40.0, 20), (50.0, 19), (80.0, 1)),
    failures: int = 0,
) -> Measurement:
    """Return a measurement, by default 40 times to the first token."""
    return Measurement(kind=kind, name=name, unit=unit, values=values, failures=failures)


def sample(cell: str = "m1_u2_s2", second: int = 0, **changes: Any) -> Sample:
    """Return a sample of one second of a cell, with 40 successful requests of 10 ms each."""
    fields: dict[str, Any] = {
        "users": 2,
        "requests": requests(),
        "stages": Stages(),
        "containers": (),
        "clients": (ClientUse(cpu_cores=0.1),),
    }
    return Sample(cell=cell, **{"attempt": 1, "second": second, **fields, **changes})


def circumstances(**changes: Any) -> Conditions:
    """Return the conditions of an undisturbed measurement window with two users."""
    fields: dict[str, Any] = {
        "begin_s": 2.0,
        "in_flight": 1.98,
        "thinking": 0.0,
        "gaps": ((25.0, 400),),
        "lag": ((0.2, 500),),
        "clock_jump_ms": 0.0,
    }
    return Conditions(**{**fields, **changes})


def cell_finished(cell: str = "m1_u2_s2", attempt: int = 1, **changes: Any) -> CellFinished:
    """Return the result of a valid cell, with 400 successful requests of 10 ms each in 10 s.

    The key `reasons` adds one finding per text.
    """
    fields: dict[str, Any] = {
        "verdict": Verdict.VALID,
        "measured_s": 10.0,
        "completed": 400,
        "requests": requests(((10.0, 400),)),
        "aborted": 0,
        "errors": (),
        "stages": Stages(),
        "settled": True,
        "fewest_users": 2,
        "clients": (ClientUse(cpu_cores=0.1),),
        "circumstances": circumstances(),
    }
    reasons = changes.pop("reasons", ())
    findings = tuple(Finding(rule=UNRECORDED, text=text) for text in reasons)
    merged = {**fields, "findings": findings, **changes}
    return CellFinished(cell=cell, attempt=attempt, **merged)


def cell_failed(cell: str = "m1_u2_s2", attempt: int = 1) -> CellFailed:
    """Return the failure of a cell whose model container was killed with exit code 137."""
    return CellFailed(cell=cell, attempt=attempt, reason="model-1 ended (137)", exit_code=137)


def cell_skipped(cell: str = "m1_u2_s2", attempt: int = 1) -> CellSkipped:
    """Return the event for a skipped cell."""
    return CellSkipped(cell=cell, attempt=attempt, reason="asked for")


def answered(
    command: str,
    cell: str | None = None,
    *,
    accepted: bool = True,
    identity: str = "id-1",
    added: tuple[Cell, ...] = (),
) -> CommandAnswered:
    """Return the answer to a command."""
    message = f"{command} it is"
    return CommandAnswered(
        id=identity, command=command, accepted=accepted, message=message, cell=cell, added=added
    )


def entries(events: Iterable[Event]) -> list[Entry]:
    """Return events as journal entries, one second apart."""
    return [
        Entry(seq, f"2026-11-22T07:21:{seq % 60:02}.000Z", float(seq), event)
        for seq, event in enumerate(events, start=1)
    ]


def timed_entries(*steps: Event | float) -> list[Entry]:
    """Return events as journal entries. A number is the time in seconds until the next event."""
    timed: list[Entry] = []
    elapsed_s = 0.0
    begun = datetime(2026, 11, 22, 7, 21, tzinfo=UTC)
    for step in steps:
        if isinstance(step, int | float):
            elapsed_s += step
            continue
        if isinstance(step, RunResumed):
            begun, elapsed_s = begun + timedelta(seconds=elapsed_s), 0.0
        at = (begun + timedelta(seconds=elapsed_s)).isoformat(timespec="milliseconds")
        timed.append(Entry(len(timed) + 1, at.replace("+00:00", "Z"), elapsed_s, step))
    return timed


def timed_attempt(
    cell: Cell,
    *,
    attempt: int = 1,
    scaling_s: float = 0.0,
    settling_s: float = 15.0,
    run_time: float = 10.0,
    draining_s: float = 1.0,
    end: Event | None = None,
) -> list[Event | float]:
    """Return the events of an attempt and the times between them, for `timed_entries`.

    Args:
        cell: The cell.
        attempt: Number of the attempt.
        scaling_s: Length of the phase `scaling`. The ramp has the length of the level.
        settling_s: Length of the phase `settling`.
        run_time: Length of the phase `measuring`.
        draining_s: Length of the phase `draining`.
        end: The event that ends the attempt. None if it finishes.
    """
    lengths = {
        Phase.SCALING: scaling_s,
        Phase.RAMPING: cell.level.ramp_s,
        Phase.SETTLING: settling_s,
        Phase.MEASURING: run_time,
        Phase.DRAINING: draining_s,
    }
    steps: list[Event | float] = [cell_started(cell.key, attempt)]
    for phase, length_s in lengths.items():
        steps += [CellPhase(cell=cell.key, phase=phase), length_s]
    return [*steps, end or cell_finished(cell.key, attempt)]


def state_after(*events: Event) -> RunState:
    """Return the state of a run after these events."""
    return fold(entries(events))


def write_entries(folder: Path, entries: Iterable[Entry]) -> Path:
    """Write a journal with these entries, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_bytes(b"".join(map(encode, entries)))
    return folder


def write_journal(folder: Path, *events: Event) -> Path:
    """Write a journal like that of a runner that has exited, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = JournalWriter(folder)
    for event in events:
        writer.append(event)
    writer.close()
    return folder


def samples_of(
    samples: Iterable[Sample], *, whole_s: int = FULL_RESOLUTION_S, bounds: Sequence[int] = ()
) -> Samples:
    """Return samples in the form that a state stores, with phases that start at `bounds`."""
    stored = Samples(whole_s=whole_s)
    for each in samples:
        stored = stored.plus(each, bounds)
    return stored


def state_with(samples: Sequence[Sample], measured_from: int | None = None) -> RunState:
    """Return the state of a run whose current attempt has these samples.

    Args:
        samples: The samples.
        measured_from: Second at which the measurement window starts. None if it has not started.
    """
    phases = () if measured_from is None else (PhaseStart(Phase.MEASURING, measured_from),)
    bounds = () if measured_from is None else (measured_from,)
    return replace(EMPTY, samples=samples_of(samples, bounds=bounds), phases=phases)


def swept(profile: Profile, **changes: dict[str, Any]) -> RunState:
    """Return the state of a run in which every cell is finished.

    Args:
        profile: The profile of the run.
        changes: Changed fields of the results, by cell key.
    """
    events: list[Event] = []
    for cell in plan_cells(profile):
        events += [cell_started(cell.key), cell_finished(cell.key, **changes.get(cell.key, {}))]
    return state_after(run_started(profile), *events)
