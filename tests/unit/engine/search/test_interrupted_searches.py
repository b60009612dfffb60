"""Searches end with any results, and an interrupted search makes the same probes."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.journal.codec import Entry, decode, encode
from loadbench.engine.journal.events import (
    CellEnd,
    CellFailed,
    CellPhase,
    CellStarted,
    CommandAnswered,
    Event,
    Phase,
    RunResumed,
    Verdict,
)
from loadbench.engine.journal.state import EMPTY, ENDED_STATUSES, RunState
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.search.knowledge import MAX_REPEATS
from loadbench.engine.search.model import Stop
from loadbench.engine.search.strategy import next_step, out_of_budget
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    requests,
    run_started,
)
from tests.support.searches import GOAL_MS, ended, planned, search_profile, with_p95

_RESUMED = RunResumed(pid=4243, retry=(), hardware={}, versions={})
_KINDS = ("edge", "random", "invalid", "undecided", "failed", "exited", "skipped")

profiles = st.builds(
    search_profile,
    models=st.permutations([1, 2, 4]).map(lambda found: found[:2]),
    users=st.lists(st.integers(1, 200), min_size=1, max_size=9, unique=True),
    spawn_rates=st.sampled_from([[50], [5, 50]]),
    repeats=st.integers(1, 3),
    recheck_first=st.booleans(),
    goals=st.sampled_from([{"p95_ms": GOAL_MS}, {"p95_ms": GOAL_MS, "min_rps": 40}]),
)
seeds = st.integers(0, 2**32)


def result(seed: int, cell: Cell, attempt: int = 1) -> CellEnd:
    """Return a random result that depends only on the seed and the cell."""
    chance = random.Random(f"{seed} {cell.key}")
    weights = (60, 20, 4, 4, 4, 4, 4) if seed % 2 else (1, 10, 3, 3, 3, 3, 3)
    (kind,) = chance.choices(_KINDS, weights)
    key, rps = cell.key, chance.uniform(10, 80)
    match kind:
        case "edge":
            ratio = cell.level.amount / (30 * cell.models) * chance.uniform(0.9, 1.1)
            return with_p95(cell, GOAL_MS * ratio, rps, attempt)
        case "random":
            return with_p95(cell, chance.uniform(10, 300), rps, attempt)
        case "invalid":
            return cell_finished(key, attempt, verdict=Verdict.INVALID)
        case "undecided":
            few = requests(((GOAL_MS / 2, 30),))
            return cell_finished(key, attempt, requests=few, completed=30)
        case "failed":
            return CellFailed(cell=key, attempt=attempt, reason="Locust exited")
        case "exited":
            return cell_failed(key, attempt)
        case _:
            return cell_skipped(key, attempt)


class FakeRunner:
    """A runner that measures nothing, and that can be killed after any event."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self.state = EMPTY
        self.measured: list[str] = []
        self._seed = seed
        self._seq = 0
        self.record(run_started(profile, cells=()))

    def record(self, event: Event) -> None:
        """Write an event and apply it, as read from the journal."""
        self._seq += 1
        line = encode(Entry(self._seq, "2026-12-02T10:00:00.000Z", float(self._seq), event))
        entry = decode(line, Path("journal.jsonl"))
        assert entry
        self.state = self.state.apply(entry)

    def events(self) -> Iterator[Event]:
        """Yield the next events of the run until its search has ended."""
        while True:
            if self.state.outstanding:
                yield from self._attempt(self.state)
                continue
            step = next_step(self.state)
            if isinstance(step, Stop):
                yield ended(step)
                return
            yield planned(step)

    def run(self, most: int | None = None) -> bool:
        """Record events until the search has ended.

        Args:
            most: Number of events after which the runner is killed. None: it is not killed.

        Returns:
            Whether the search has ended.
        """
        for number, event in enumerate(self.events()):
            if number == most:
                return False
            self.record(event)
            if isinstance(event, CellEnd):
                self.measured.append(f"{event.cell} {type(event).__name__}")
        return True

    def _attempt(self, state: RunState) -> Iterator[Event]:
        cell = state.outstanding[0]
        key, attempt = cell.cell.key, cell.attempt + 1
        yield CellStarted(cell=key, attempt=attempt)
        yield CellPhase(cell=key, phase=Phase.RAMPING)
        yield CellPhase(cell=key, phase=Phase.MEASURING)
        yield result(self._seed, cell.cell, attempt)


def most_cells(profile: Profile) -> int:
    """Return a number of cells that no search of a profile may exceed."""
    levels = len(profile.models) * len(profile.users) * len(profile.spawn_rates)
    return levels * (max(profile.repeats + 1, MAX_REPEATS) + 1) + 1


@given(profiles, seeds)
def test_search_ends_with_any_results(profile: Profile, seed: int) -> None:
    runner = FakeRunner(profile, seed)

    assert runner.run(5 * most_cells(profile))

    assert len(runner.measured) <= most_cells(profile)
    assert len(set(runner.measured)) == len(runner.measured)
    assert runner.state.search_ended


@given(profiles, seeds, st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=8))
def test_interrupted_search_makes_the_same_probes(
    profile: Profile, seed: int, kills: list[tuple[int, bool]]
) -> None:
    # Each interruption is a kill, or the end of the budget.
    whole, interrupted = FakeRunner(profile, seed), FakeRunner(profile, seed)
    whole.run()

    for kill, is_budget in kills:
        if interrupted.run(kill):
            break
        if is_budget:
            interrupted.record(ended(out_of_budget(interrupted.state)))
        if interrupted.state.search_ended and interrupted.state.search_ended.is_final:
            break
        interrupted.record(_RESUMED)
    else:
        interrupted.run()

    assert interrupted.measured == whole.measured
    assert interrupted.state.search_ended == whole.state.search_ended


@given(profiles, seeds, st.data())
@settings(max_examples=50)
def test_search_ends_with_commands_at_any_time(
    profile: Profile, seed: int, data: st.DataObject
) -> None:
    runner = FakeRunner(profile, seed)
    number = data.draw(st.integers(0, 8))
    for _ in range(number):
        runner.run(data.draw(st.integers(0, 10)))
        runner.record(_command(runner.state, profile, data))

    assert runner.run(5 * (most_cells(profile) + 2 * number))


def _command(state: RunState, profile: Profile, data: st.DataObject) -> Event:
    """Return a random command that a runner accepts in this state."""
    cells: list[Any] = list(state.cells.values())
    over = [one.cell for one in cells if one.status in ENDED_STATUSES]
    waiting = [one.cell for one in cells if one.status not in ENDED_STATUSES]
    kind = data.draw(st.sampled_from(["pause", "resume", "skip", "again", "add", "killed"]))
    if kind == "skip" and waiting:
        return cell_skipped(data.draw(st.sampled_from(waiting)).key)
    if kind == "again" and over:
        return answered("again", data.draw(st.sampled_from(over)).key)
    if kind == "add":
        users = data.draw(st.sampled_from([*profile.users, 33, 77]))
        rate = data.draw(st.sampled_from([*profile.spawn_rates, 7.0]))
        models = data.draw(st.sampled_from([*profile.models, 3]))
        cell = Cell(models=models, level=Closed(users=users, spawn_rate=rate))
        return answered("add", added=(cell,))
    return _RESUMED if kind == "killed" else _paused(kind)


def _paused(kind: str) -> CommandAnswered:
    return answered("resume" if kind == "resume" else "pause")
