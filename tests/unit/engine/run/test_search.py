"""A search in a sweep: cells that are planned one by one, commands, the budget and resuming."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import (
    CellsPlanned,
    CellStarted,
    Event,
    Result,
    RunResumed,
    SearchEnded,
)
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.search import StopReason
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.load.protocol import Measured
from loadbench.engine.profile.plan import Cell
from loadbench.engine.requests.resumption import plan_resumption
from loadbench.engine.run.steps.stop_flag import BUDGET_USED
from loadbench.engine.run_reader import RunStatus, status_of
from loadbench.engine.search.continuation import can_continue
from loadbench.engine.search.model import Stop
from loadbench.engine.search.strategy import next_step
from tests.support.builders import requests
from tests.support.fakes import FakeLoad
from tests.support.sweeps import Sweep

CAPACITY = {1: 40, 2: 80}
"""The largest number of users below the goal, by number of models."""
USERS = [10, 20, 30, 40, 50, 60, 70, 80]
GRID = len(CAPACITY) * len(USERS)


@dataclass
class SteepLoad(FakeLoad):
    """A load whose latency exceeds the goal beyond the capacity of the models."""

    cell: Cell | None = None

    def swarm(self, cell: Cell, host: str, tag: str, replicas: Sequence[str] = ()) -> None:
        self.cell = cell
        super().swarm(cell, host, tag, replicas)

    def measured(self) -> Measured:
        assert self.cell is not None
        users = self.cell.level.users or 0
        latency_ms = 900.0 if users > CAPACITY[self.cell.models] else 10.0
        return replace(
            super().measured(), requests=requests(((latency_ms, 400),)), fewest_users=users
        )


@pytest.fixture
def search(tmp_path: Path) -> Iterator[Sweep]:
    sweep = new_search(tmp_path / "run")
    yield sweep
    sweep.journal.close()


def new_search(folder: Path, **section: str) -> Sweep:
    folder.mkdir()
    sweep = Sweep(
        folder,
        models=list(CAPACITY),
        users=USERS,
        spawn_rates=[80],
        goals={"p95_ms": 100},
        search={"strategy": "bisection", **section},
    )
    sweep.load = SteepLoad(sweep.calls)
    return sweep


def events(sweep: Sweep) -> list[Event]:
    return [entry.event for entry in JournalReader(sweep.folder).poll()]


def started(sweep: Sweep) -> list[str]:
    """The keys of all attempts, in order."""
    return [event.cell for event in events(sweep) if isinstance(event, CellStarted)]


def found(sweep: Sweep) -> dict[int, tuple[float | None, float | None]]:
    """The edges of each number of models."""
    ended = sweep.state.search_ended
    assert ended is not None
    return {one.models: (one.passed, one.missed) for one in ended.brackets}


def test_a_search_finds_both_edges_with_fewer_cells_than_the_grid(search: Sweep) -> None:
    assert search.run() is Result.DONE

    assert found(search) == {1: (40.0, 50.0), 2: (80.0, None)}
    ended = search.state.search_ended
    assert ended is not None
    assert (ended.reason, ended.grid) == (StopReason.EDGE_FOUND, GRID)
    assert len(search.state.cells) == search.state.count(CellStatus.FINISHED) < GRID


def test_every_cell_is_planned_with_a_reason_before_it_starts(search: Sweep) -> None:
    search.run()

    plans = [event for event in events(search) if isinstance(event, CellsPlanned)]
    assert [event.cells[0].key for event in plans] == started(search)
    assert plans[0].why == "first"
    assert all(event.why for event in plans)


def test_cells_are_sorted_by_models_load_and_repeat(search: Sweep) -> None:
    search.run()

    cells = [one.cell for one in search.state.cells.values()]
    assert cells == sorted(cells, key=lambda one: (one.models, one.level.order, one.repeat))
    assert [one.key for one in cells] != started(search)


def test_a_search_stops_and_resumes_with_the_same_cells(tmp_path: Path, search: Sweep) -> None:
    search.run()
    stopped = new_search(tmp_path / "stopped")
    third = started(search)[2]
    stopped.load.traps[f"swarm {third}"] = lambda: send_command(stopped.folder, "stop")

    assert stopped.run() is Result.STOPPED
    assert plan_resumption(stopped.state).cells == (stopped.state.cells[third].cell,)
    assert stopped.resume() is Result.DONE

    assert started(stopped) == [*started(search)[:3], *started(search)[2:]]
    assert found(stopped) == found(search)
    stopped.journal.close()


def test_a_run_killed_between_two_cells_of_a_search_is_interrupted(search: Sweep) -> None:
    search.run()
    second_cell = started(search)[1:2]
    lines = (search.folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    second = [number for number, line in enumerate(lines) if b'"cells_planned"' in line][1]
    (search.folder / "journal.jsonl").write_bytes(b"".join(lines[:second]))

    state = search.state

    assert not state.outstanding
    assert status_of(state, held=False) is RunStatus.INTERRUPTED
    assert [one.key for one in plan_resumption(state).cells] == second_cell


def test_finishing_a_killed_run_keeps_the_end_of_its_search(search: Sweep) -> None:
    search.run()
    before = search.state.search_ended

    search.journal.append(RunResumed(pid=1, retry=(), hardware={}, versions={}))

    assert search.state.search_ended == before
    assert not can_continue(search.state)


def test_measuring_a_cell_again_reopens_the_search(search: Sweep) -> None:
    search.run()

    assert search.resume("m1_u40_s80") is Result.DONE

    assert search.state.cells["m1_u40_s80"].attempt == 2
    assert found(search)[1] == (40.0, 50.0)
    kinds = [type(event) for event in events(search)]
    assert kinds.count(SearchEnded) == 2


def test_a_skipped_cell_is_left_out_and_the_search_continues(search: Sweep) -> None:
    search.load.traps["swarm m1_u40_s80"] = lambda: send_command(search.folder, "skip")

    assert search.run() is Result.DONE

    assert search.status("m1_u40_s80") is CellStatus.SKIPPED
    assert started(search).count("m1_u40_s80") == 1
    assert found(search)[2] == (80.0, None)


def test_a_cell_added_during_a_search_is_measured_next(search: Sweep) -> None:
    point = {"models": 1, "users": 45, "spawn_rate": 80}
    search.load.traps["measure"] = lambda: send_command(search.folder, "add", args=point)

    search.run()

    assert started(search)[1] == "m1_u45_s80"
    assert found(search)[1] == (40.0, 45.0)


def test_a_paused_search_waits_before_it_plans_a_cell(search: Sweep) -> None:
    def pause() -> None:
        send_command(search.folder, "pause")

    search.load.traps["report"] = pause
    polls: list[int] = []

    def poll(*, max_wait_s: float | None = None) -> None:
        original(max_wait_s=max_wait_s)
        if search.control.state.paused:
            polls.append(len(search.control.state.cells))
            send_command(search.folder, "resume")

    original: Callable[..., None] = search.control.poll
    search.control.poll = poll  # type: ignore[method-assign]  # acts as a user

    assert search.run() is Result.DONE
    assert polls[0] == 1
    assert found(search)[1] == (40.0, 50.0)


def test_a_search_ends_before_a_cell_that_exceeds_its_budget(tmp_path: Path) -> None:
    sweep = new_search(tmp_path / "run", budget="60s")
    now = [0.0]
    sweep.clock = lambda: now[0]

    class SlowLoad(SteepLoad):
        def report(self) -> bytes:
            now[0] += 25.0
            return super().report()

    sweep.load = SlowLoad(sweep.calls)

    assert sweep.run() is Result.DONE

    ended = sweep.state.search_ended
    assert ended is not None
    assert ended.reason == StopReason.BUDGET_USED
    assert [one.reason for one in ended.brackets] == ["", ""]
    assert len(started(sweep)) == 3
    assert [one.key for one in plan_resumption(sweep.state).cells]
    sweep.journal.close()


def test_a_pause_before_the_first_cell_does_not_use_up_its_turn(tmp_path: Path) -> None:
    sweep = new_search(tmp_path / "run", budget="60s")
    now = [0.0]
    sweep.clock = lambda: now[0]
    send_command(sweep.folder, "pause")
    original: Callable[..., None] = sweep.control.poll

    def poll(*, max_wait_s: float | None = None) -> None:
        original(max_wait_s=max_wait_s)
        if sweep.control.state.paused and not started(sweep):
            now[0] += 70.0
            send_command(sweep.folder, "resume")

    sweep.control.poll = poll  # type: ignore[method-assign]  # acts as a user

    assert sweep.run() is Result.DONE
    assert len(started(sweep)) == 1
    assert found(sweep)[2] == (None, None)
    sweep.journal.close()


def test_a_budget_that_ends_after_the_last_cell_does_not_end_the_search(tmp_path: Path) -> None:
    sweep = new_search(tmp_path / "run", budget="1h")
    original: Callable[..., None] = sweep.control.poll

    def poll(*, max_wait_s: float | None = None) -> None:
        state = sweep.control.state
        if state.cells and not state.outstanding and isinstance(next_step(state), Stop):
            sweep.stop.set(BUDGET_USED)
        original(max_wait_s=max_wait_s)

    sweep.control.poll = poll  # type: ignore[method-assign]  # the timer

    assert sweep.run() is Result.DONE
    ended = sweep.state.search_ended
    assert ended is not None
    assert ended.reason == StopReason.EDGE_FOUND
    assert not can_continue(sweep.state)
    sweep.journal.close()


def test_the_end_of_the_budget_ends_a_cell_and_keeps_the_others(tmp_path: Path) -> None:
    sweep = new_search(tmp_path / "run", budget="1h")

    class EndlessLoad(SteepLoad):
        def measure(self, seconds: float) -> float:
            if len(started(sweep)) == 2:
                sweep.stop.set(BUDGET_USED)
            return super().measure(seconds)

    sweep.load = EndlessLoad(sweep.calls)

    assert sweep.run() is Result.DONE

    state = sweep.state
    assert state.search_ended is not None
    assert state.search_ended.reason == StopReason.BUDGET_USED
    assert state.count(CellStatus.FINISHED) == 1
    assert [one.cell.key for one in state.outstanding] == started(sweep)[1:]
    sweep.journal.close()


def test_models_that_never_start_do_not_repeat_their_failure_for_every_load(search: Sweep) -> None:
    search.stack.unstartable = {2: "out of memory"}

    assert search.run() is Result.DONE

    assert found(search)[1] == (40.0, 50.0)
    ended = search.state.search_ended
    assert ended is not None
    assert ended.brackets[1].reason == StopReason.UNDECIDED
    assert sum(key.startswith("m2_") for key in started(search)) == 2


def test_a_service_that_never_starts_aborts_the_search(search: Sweep) -> None:
    search.stack.unstartable = {1: "no such image", 2: "no such image"}

    assert search.run() is Result.ABORTED

    assert len(started(search)) == 2
    assert search.state.search_ended is None
