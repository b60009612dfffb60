"""A run with a main request, other requests, and measurements beside them."""

from pathlib import Path

from loadbench.engine.journal.events import (
    CellPhase,
    CellStarted,
    Event,
    Measurement,
    Phase,
    Requests,
    Result,
    RunFinished,
    Sample,
    Stages,
)
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.plan import plan_cells
from tests.support.builders import (
    cell_finished,
    cell_started,
    entries,
    make_profile,
    measurement,
    run_started,
    sample,
    state_after,
    write_entries,
)

MAIN = "POST /v1/chat/completions"
FIRST_TOKEN_GOAL_MS = 90
PROFILE = make_profile(
    models=[1, 2],
    users=[2, 4, 8],
    run_time=10,
    load={"main": MAIN},
    goals={
        "p95_ms": 400,
        "measurements": {"first token": {"p95": FIRST_TOKEN_GOAL_MS}, "speed": {"min_p10": 20}},
    },
)
RUN = "20261122-111101"
SECONDS = 14
MEASURED_FROM = 4
LIVE_CELL = "m2_u8_s2"


def chat_requests(chats: int, latency_ms: float, completed: int | None = None) -> list[Requests]:
    """Return chats, and as many calls of an endpoint that answers in 2 ms."""
    stages = Stages(count=chats, latency_ms=chats * latency_ms, total_ms=chats * latency_ms * 0.9)
    slow = latency_ms * 1.2
    return [
        Requests(
            method="GET",
            name="/",
            successes=((2.0, chats),),
            failures=(),
            completed=completed,
        ),
        Requests(
            method="POST",
            name="/v1/chat/completions",
            successes=((latency_ms, chats - chats // 20), (slow, chats // 20)),
            failures=(),
            completed=completed,
            stages=stages,
        ),
    ]


def chat_measurements(chats: int, first_ms: float) -> tuple[Measurement, ...]:
    """Return the time to the first token, the tokens, and the tokens per second of some chats."""
    some, speed = chats // 4, round(2e3 / first_ms, 1)
    return (
        measurement(values=((first_ms, chats - some), (first_ms + 20, some))),
        measurement("output tokens", "METRIC", "tokens", ((48.0, some), (64.0, chats - some))),
        measurement("speed", "METRIC", "tokens/s", ((speed, chats),), failures=1),
    )


def _times_ms(models: int, users: int) -> tuple[float, float]:
    """Return the latency of a chat and the time to its first token."""
    return 100.0 + 60.0 * users / models, round(30.0 + 14.0 * users / models, 1)


def chat_sample(cell: str, second: int, models: int, users: int) -> Sample:
    """Return a second of a cell, which becomes slower until the measurement window."""
    latency_ms, first_ms = _times_ms(models, users)
    slowed = min(1.0, 0.6 + 0.1 * second)
    return sample(
        cell,
        second,
        users=users,
        requests=tuple(chat_requests(24, round(latency_ms * slowed))),
        measurements=chat_measurements(24, round(first_ms * slowed, 1)),
    )


def chat_events() -> list[Event]:
    """Return the events of the run."""
    events: list[Event] = [run_started(PROFILE, run=RUN)]
    for cell in plan_cells(PROFILE):
        users = int(cell.level.amount)
        latency_ms, first_ms = _times_ms(cell.models, users)
        events += [cell_started(cell.key), CellPhase(cell=cell.key, phase=Phase.RAMPING)]
        for second in range(SECONDS):
            if second == MEASURED_FROM:
                events.append(CellPhase(cell=cell.key, phase=Phase.MEASURING))
            events.append(chat_sample(cell.key, second, cell.models, users))
        events.append(
            cell_finished(
                cell.key,
                requests=tuple(chat_requests(240, latency_ms, completed=236)),
                completed=472,
                measurements=chat_measurements(240, first_ms),
            )
        )
    return [*events, RunFinished(result=Result.DONE, reason="all cells measured")]


def live_chat_events() -> list[Event]:
    """Return the events of the run until the last cell is being measured."""
    events = chat_events()
    start = events.index(CellStarted(cell=LIVE_CELL, attempt=1))
    return events[: start + SECONDS]


def chat_run() -> RunState:
    """Return the state of the run."""
    return state_after(*chat_events())


def add_chat_run(root: Path, events: list[Event] | None = None) -> Path:
    """Add the run to a workspace, and return its folder.

    Args:
        root: The workspace.
        events: Its events. None: `chat_events`.
    """
    folder = root / "reports" / "demo" / RUN
    return write_entries(folder, entries(chat_events() if events is None else events))
