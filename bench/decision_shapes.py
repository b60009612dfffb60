"""Planted runs for `bench.decisions`: known services whose recommendation is known.

Each run is simulated from a service of known capacity. A closed load of N users on m models
has a throughput of X = (free⁻⁶ + peak⁻⁶)^(−1/6), a smooth minimum of the two bounds of operational
analysis: free = N / `ALONE_S` without queueing, and peak = the throughput of m models (P. J.
Denning and J. P. Buzen, The Operational Analysis of Queueing Network Models, ACM Computing
Surveys 10, 1978). Little's law gives the mean latency N / X. Latencies are lognormal with the
spread `SIGMA`, so the 95th percentile is about 1.46 times the mean. The expected capacities follow
from that formula, not from the code under test.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loadbench.engine.journal.codec import VERSION
from loadbench.engine.journal.events import (
    Buckets,
    CellFailed,
    CellFinished,
    CellStarted,
    ClientUse,
    Conditions,
    ContainerUse,
    Event,
    Finding,
    Machine,
    Requests,
    Result,
    RunFinished,
    RunStarted,
    ServiceUse,
    Stages,
    Verdict,
    WorkerUse,
)
from loadbench.engine.measure.buckets import to_buckets
from loadbench.engine.measure.rules.registry import IDLE_REPLICA
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, plan_cells

ALONE_S = 0.025
"""Latency of a lone user in seconds: 20 ms in the model and 5 ms around it."""
MODEL_S = 0.020
"""Time of one model per request in seconds, so one model serves 50 requests a second."""
SIGMA = 0.25
"""Spread of the logarithm of latencies."""
WINDOW_S = 30.0
CORES = 4

USERS = (1, 4, 8, 16, 32, 64, 128)
GOAL_MS = 600.0
"""Goal for p95. The nearest p95 by the formula is 7 % away, five times the sampling error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The recommendation that a planted run must get."""

    best: int | None
    """Number of models in the answer."""
    capacity: Mapping[int, int | None]
    """Users that each number of models carries. None if it carries no measured load."""
    stop_at: int | None
    knee: Mapping[int, int | None]
    """Users at the knee, by number of models. None if throughput was still rising."""
    next_step: str
    """Text that the next step must contain."""
    doubts: tuple[str, ...] = ()
    """Texts that the doubts must contain, one each. There must be no other doubts."""
    sentences: tuple[str, ...] = ()
    """Texts that the sentences must contain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """How a cell differs from the formula."""

    slower: float = 1.0
    """Factor on all latencies."""
    samples: int | None = None
    """Number of requests instead of throughput × window."""
    failing: float = 0.0
    """Share of requests that fail after 5 ms."""
    verdict: Verdict = Verdict.VALID
    rule: str = "planted"
    """Id of the rule that failed, unless the verdict is valid."""
    killed: bool = False
    """Whether the last model container is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A planted run."""

    expected: Expected
    models: tuple[int, ...] = (1, 2, 4)
    users: tuple[int, ...] = USERS
    spawn_rates: tuple[int, ...] = (50,)
    repeats: int = 1
    goals: Mapping[str, float] = field(default_factory=lambda: {"p95_ms": GOAL_MS})
    peaks: Mapping[int, float] = field(default_factory=dict)
    """Peak throughput by number of models, where it is not models / `MODEL_S`."""
    window_s: float = WINDOW_S
    busy: Callable[[int], float] = lambda _models: 1.0
    """Busy cores of the machine by number of models."""
    slow_worker: bool = False
    """Whether the last worker takes twice as long per image."""
    change: Callable[[Cell], CellPlan] = lambda _cell: CellPlan()


def _at(users: int, plan: CellPlan, **more: int) -> Callable[[Cell], CellPlan]:
    """Return a change of the cells with a number of users, and further fields if given."""

    def change(cell: Cell) -> CellPlan:
        fields = {**cell.level.fields, "models": cell.models, "repeat": cell.repeat}
        wanted = {"users": users, **more}
        return plan if all(fields[name] == value for name, value in wanted.items()) else CellPlan()

    return change


KNEES = {1: 4, 2: 4, 4: 8}
ONE = (1,)

SHAPES: dict[str, Shape] = {
    "linear": Shape(
        expected=Expected(
            best=4,
            capacity={1: 16, 2: 32, 4: 64},
            stop_at=None,
            knee=KNEES,
            next_step="measure more than 4 containers",
            sentences=("4 CPU containers at batch 1 carry 64 users", "128 users missed the goal"),
        ),
    ),
    "saturating": Shape(
        models=(1, 2, 3, 4),
        peaks={1: 50, 2: 90, 3: 95, 4: 96},
        busy=lambda models: CORES if models >= 2 else 2.0,
        expected=Expected(
            best=2,
            capacity={1: 16, 2: 32, 3: 32, 4: 32},
            stop_at=2,
            knee={1: 4, 2: 4, 3: 4, 4: 4},
            next_step="use more cores, a GPU or a larger batch size",
            sentences=(
                "Stop at 2 containers",
                "all 4 cores are busy",
                "3 containers also carry 32 users",
            ),
        ),
    ),
    "retrograde": Shape(
        peaks={1: 50, 2: 84, 4: 60},
        busy=lambda models: CORES if models >= 2 else 2.0,
        expected=Expected(
            best=2,
            capacity={1: 16, 2: 32, 4: 16},
            stop_at=2,
            knee={1: 4, 2: 4, 4: 4},
            next_step="use more cores, a GPU or a larger batch size",
            sentences=("4 containers carry only 16 users and reach 29 % less throughput",),
        ),
    ),
    "bad-replica": Shape(
        models=(1, 2),
        peaks={1: 50, 2: 70},
        slow_worker=True,
        expected=Expected(
            best=1,
            capacity={1: 16, 2: 16},
            stop_at=1,
            knee={1: 4, 2: 4},
            next_step="one replica is slower",
            sentences=("slow worker", "2 containers also carry 16 users"),
        ),
    ),
    "never-met": Shape(
        goals={"p95_ms": 10},
        expected=Expected(
            best=None,
            capacity={1: None, 2: None, 4: None},
            stop_at=None,
            knee=KNEES,
            next_step="use a faster device",
            sentences=("No configuration met the goals. The closest was 1 user",),
        ),
    ),
    "always-met": Shape(
        goals={"p95_ms": 10_000},
        expected=Expected(
            best=1,
            capacity={1: 128, 2: 128, 4: 128},
            stop_at=None,
            knee=KNEES,
            next_step="measure more than 128 users",
            sentences=("carries at least 128 users", "No load above 128 users was measured"),
        ),
    ),
    "not-monotone": Shape(
        models=ONE,
        change=_at(8, CellPlan(slower=3)),
        expected=Expected(
            best=1,
            capacity={1: 4},
            stop_at=None,
            knee={1: 4},
            next_step="measure 8 users with 1 container again",
            doubts=("8 users failed, but 16 users passed",),
        ),
    ),
    "undecided-bottom": Shape(
        models=ONE,
        window_s=5.0,
        expected=Expected(
            best=1,
            capacity={1: 16},
            stop_at=None,
            knee={1: 4},
            next_step="measure more than 1 container",
            doubts=("1 user with 1 container is undecided: p95 needs 200 requests",),
        ),
    ),
    "undecided-edge": Shape(
        models=ONE,
        change=_at(32, CellPlan(slower=0.6, samples=120)),
        expected=Expected(
            best=1,
            capacity={1: 16},
            stop_at=None,
            knee={1: 4},
            next_step=(
                "increase run_time to 50s, or set run_time: auto, so that 32 users can be decided"
            ),
            doubts=("32 users with 1 container are undecided",),
            sentences=("32 users are undecided", "64 users missed the goal"),
        ),
    ),
    "invalid-middle": Shape(
        models=ONE,
        change=_at(8, CellPlan(verdict=Verdict.INVALID)),
        expected=Expected(
            best=1,
            capacity={1: 16},
            stop_at=None,
            knee={1: 4},
            next_step="measure more than 1 container",
            doubts=("m1_u8_s50: invalid and excluded",),
        ),
    ),
    "idle-replica": Shape(
        models=(1, 2),
        users=(4, 8, 16, 32),
        change=lambda cell: (
            CellPlan(verdict=Verdict.INVALID, rule=IDLE_REPLICA) if cell.models > 1 else CellPlan()
        ),
        expected=Expected(
            best=1,
            capacity={1: 16},
            stop_at=None,
            knee={1: 4},
            next_step="look at the front in between, because a replica got no work in cell m2_u4_s",
            doubts=("m2_u4_s50, m2_u8_s50, m2_u16_s50, m2_u32_s50: invalid and excluded",),
            sentences=("1 CPU container at batch 1 carries 16 users",),
        ),
    ),
    "suspect-edge": Shape(
        models=ONE,
        change=_at(16, CellPlan(verdict=Verdict.SUSPECT)),
        expected=Expected(
            best=1,
            capacity={1: 16},
            stop_at=None,
            knee={1: 4},
            next_step="measure more than 1 container",
            doubts=("m1_u16_s50: suspect",),
        ),
    ),
    "two-spawn-rates": Shape(
        models=ONE,
        spawn_rates=(5, 50),
        change=_at(16, CellPlan(slower=2), spawn_rate=50),
        expected=Expected(
            best=1,
            capacity={1: 8},
            stop_at=None,
            knee={1: 4},
            next_step="measure more than 1 container",
            doubts=("The spawn rates disagree at 16 users",),
        ),
    ),
    "bad-repeat": Shape(
        models=ONE,
        repeats=3,
        change=_at(16, CellPlan(slower=3), repeat=2),
        expected=Expected(
            best=1,
            capacity={1: 16},
            stop_at=None,
            knee={1: 4},
            next_step="measure more than 1 container",
            doubts=("2 of 3 repeats of 16 users with 1 container passed",),
            sentences=("in 2 of 3 repeats",),
        ),
    ),
    "fast-failures": Shape(
        models=ONE,
        change=_at(16, CellPlan(failing=0.1)),
        expected=Expected(
            best=1,
            capacity={1: 8},
            stop_at=None,
            knee={1: 4},
            next_step="find out why requests fail",
            sentences=("10 % of the requests failed, too many for p95",),
        ),
    ),
    "replica-killed": Shape(
        models=(1, 2),
        change=_at(32, CellPlan(killed=True), models=2),
        expected=Expected(
            best=1,
            capacity={1: 16, 2: 16},
            stop_at=None,
            knee={1: 4, 2: 4},
            next_step="read the log of model-2",
            doubts=("m2_u32_s50: failed and counted as missed, model-2 exited",),
            sentences=("2 containers failed at 32 users: model-2 exited",),
        ),
    ),
    "minimum-throughput": Shape(
        models=(1, 4),
        goals={"p95_ms": GOAL_MS, "min_rps": 80},
        expected=Expected(
            best=4,
            capacity={1: None, 4: 64},
            stop_at=None,
            knee={1: 4, 4: 8},
            next_step="measure more than 4 containers",
        ),
    ),
    "invalid-top": Shape(
        models=ONE,
        users=(4, 8, 16),
        change=_at(16, CellPlan(verdict=Verdict.INVALID)),
        expected=Expected(
            best=1,
            capacity={1: 8},
            stop_at=None,
            knee={1: 4},
            next_step="measure 16 users with 1 container",
            doubts=("m1_u16_s50: invalid and excluded",),
            sentences=("carries at least 8 users", "No valid results with 16 users"),
        ),
    ),
    "split-repeats": Shape(
        models=ONE,
        repeats=2,
        change=_at(16, CellPlan(slower=3), repeat=2),
        expected=Expected(
            best=1,
            capacity={1: 8},
            stop_at=None,
            knee={1: 4},
            next_step="measure more than 1 container",
            doubts=("1 of 2 repeats of 16 users with 1 container passed",),
            sentences=("16 users missed the goal in 1 of 2 repeats: p95 1",),
        ),
    ),
    "killed-once": Shape(
        models=ONE,
        repeats=3,
        change=_at(16, CellPlan(killed=True), repeat=2),
        expected=Expected(
            best=1,
            capacity={1: 16},
            stop_at=None,
            knee={1: 4},
            next_step="measure more than 1 container",
            doubts=(
                "m1_u16_s50_r2: failed and counted as missed, model-1 exited",
                "2 of 3 repeats of 16 users",
            ),
            sentences=("carries 16 users in 2 of 3 repeats: p95",),
        ),
    ),
    "throughput-rising": Shape(
        models=(1, 2),
        users=(1, 2),
        goals={"min_rps": 500},
        peaks={1: 1000, 2: 2000},
        expected=Expected(
            best=None,
            capacity={1: None, 2: None},
            stop_at=None,
            knee={1: None, 2: None},
            next_step="measure more than 2 users to raise throughput",
            doubts=("Throughput with 1 and 2 containers was still rising",),
            sentences=("No configuration met the goals. The closest was 2 users",),
        ),
    ),
    "gap-in-the-smaller": Shape(
        models=(1, 2),
        users=(4, 8, 32),
        change=_at(8, CellPlan(verdict=Verdict.INVALID), models=1),
        peaks={1: 50, 2: 55},
        expected=Expected(
            best=2,
            capacity={1: 4, 2: 8},
            stop_at=1,
            knee={1: 4, 2: 4},
            next_step="measure 8 users with 1 container",
            doubts=(
                "1 container without valid results at 8 users may carry them too",
                "m1_u8_s50: invalid and excluded",
            ),
        ),
    ),
    "first-rising": Shape(
        models=(1, 2),
        users=(1, 2),
        goals={},
        peaks={1: 1000, 2: 30},
        expected=Expected(
            best=1,
            capacity={},
            stop_at=None,
            knee={1: None, 2: 1},
            next_step="measure more than 2 users",
            doubts=("Throughput with 1 container was still rising",),
            sentences=("1 CPU container at batch 1 reaches at least 80.0 req/s",),
        ),
    ),
    "suspect-other-rate": Shape(
        models=ONE,
        users=(4, 64),
        spawn_rates=(5, 50),
        change=_at(4, CellPlan(verdict=Verdict.SUSPECT, slower=0.5), spawn_rate=5),
        expected=Expected(
            best=1,
            capacity={1: 4},
            stop_at=None,
            knee={1: 4},
            next_step="measure more than 1 container",
            doubts=("m1_u4_s5: suspect",),
            sentences=("50.0 req/s (suspect)",),
        ),
    ),
    "no-goals": Shape(
        goals={},
        peaks={1: 50, 2: 90, 4: 93},
        expected=Expected(
            best=2,
            capacity={},
            stop_at=2,
            knee={1: 4, 2: 4, 4: 4},
            next_step="try a larger batch size",
            sentences=("2 CPU containers at batch 1 reach 9", "With a goal, such as goals.p95_ms"),
        ),
    ),
    "too-little-load": Shape(
        users=(1, 2),
        goals={},
        peaks={1: 200, 2: 400, 4: 800},
        expected=Expected(
            best=1,
            capacity={},
            stop_at=None,
            knee={1: None, 2: None, 4: None},
            next_step="measure more than 2 users",
            doubts=("still rising at the largest load",),
            sentences=("1 CPU container at batch 1 reaches at least",),
        ),
    ),
}

_LINEAR = SHAPES["linear"].expected
WRONG: dict[str, Expected] = {
    "best": replace(_LINEAR, best=1),
    "capacity": replace(_LINEAR, capacity={1: 32, 2: 32, 4: 64}),
    "stop_at": replace(_LINEAR, stop_at=2),
    "knee": replace(_LINEAR, knee={1: 8, 2: 4, 4: 8}),
    "next_step": replace(_LINEAR, next_step="use a faster device"),
    "doubts": replace(_LINEAR, doubts=("still rising",)),
    "sentences": replace(_LINEAR, sentences=("carry 128 users",)),
}
"""Planted wrong expectations of the shape `linear`, one for each field. Each must be refused."""


def events_of(name: str, shape: Shape, seed: int) -> list[Event]:
    """Return the journal of a planted run.

    Args:
        name: Name of the shape.
        shape: The shape.
        seed: Seed of the random latencies.
    """
    random_ = random.Random(f"{seed} {name}")
    profile = Profile(
        models=shape.models,
        users=shape.users,
        spawn_rates=tuple(float(rate) for rate in shape.spawn_rates),
        repeats=shape.repeats,
        run_time=shape.window_s,
        goals=shape.goals,
        stack={"driver": "compose"},
    )
    cells = plan_cells(profile)
    events: list[Event] = [_started(name, profile, cells)]
    for cell in cells:
        plan = shape.change(cell)
        events.append(CellStarted(cell=cell.key, attempt=1))
        events.append(_killed(cell) if plan.killed else _finished(cell, shape, plan, random_))
    return [*events, RunFinished(result=Result.DONE, reason="all cells measured")]


def throughput(users: int, peak: float) -> float:
    """Return the requests per second of a closed load on a service with this peak."""
    free = users / ALONE_S
    return float((free**-6 + peak**-6) ** (-1 / 6))


def _started(name: str, profile: Profile, cells: Sequence[Cell]) -> RunStarted:
    return RunStarted(
        v=VERSION,
        pid=4242,
        run="20261130-120000",
        workspace="/workspace",
        profile_name=name,
        profile_file=f"/workspace/profiles/{name}.yaml",
        profile=profile.resolved(),
        overrides=(),
        cells=tuple(cells),
        driver="compose",
        driver_reason="set by stack.driver",
        hardware={"cores": CORES},
        versions={},
    )


def _killed(cell: Cell) -> CellFailed:
    container = f"model-{cell.models}"
    return CellFailed(
        cell=cell.key,
        attempt=1,
        reason=f"{container} exited with code 137 (SIGKILL)",
        container=container,
        exit_code=137,
    )


def _finished(cell: Cell, shape: Shape, plan: CellPlan, random_: random.Random) -> CellFinished:
    users = int(cell.level.amount)
    peak = shape.peaks.get(cell.models, cell.models / MODEL_S)
    rps = throughput(users, peak)
    mean_ms = 1000 * users / rps * plan.slower
    number = plan.samples or round(rps * shape.window_s)
    failed = round(plan.failing * number)
    good = number - failed
    latencies = _latencies(random_, mean_ms, good)
    model_ms = 1000 * MODEL_S
    findings: tuple[Finding, ...] = ()
    if plan.verdict is not Verdict.VALID:
        findings = (Finding(rule=plan.rule, text="planted"),)
    return CellFinished(
        cell=cell.key,
        attempt=1,
        verdict=plan.verdict,
        measured_s=shape.window_s,
        completed=round(rps * shape.window_s * (1 - plan.failing)),
        requests=(
            Requests(
                method="POST",
                name="/predict",
                successes=latencies,
                failures=((5.0, failed),) if failed else (),
            ),
        ),
        aborted=0,
        errors=(),
        stages=Stages(
            count=good,
            latency_ms=good * mean_ms,
            total_ms=good * (mean_ms - 1),
            queue_ms=good * max(0.0, mean_ms - model_ms - 5),
            decode_ms=good * 2.0,
            infer_ms=good * (model_ms - 2),
        ),
        settled=True,
        fewest_users=users,
        clients=(ClientUse(cpu_cores=0.1, lag_ms=1.0),),
        circumstances=_conditions(cell, shape, rps, peak),
        findings=findings,
    )


def _conditions(cell: Cell, shape: Shape, rps: float, peak: float) -> Conditions:
    share = rps / peak
    image_s = [MODEL_S] * cell.models
    if shape.slow_worker and cell.models > 1:
        image_s[-1] *= 2
    busy_s = rps * shape.window_s / sum(1 / seconds for seconds in image_s)
    workers = [
        WorkerUse(
            id=f"model-{number}",
            seconds=round(shape.window_s),
            images=round(busy_s / seconds),
            infer_s=round(busy_s, 3),
        )
        for number, seconds in enumerate(image_s, start=1)
    ]
    return Conditions(
        begin_s=2.0,
        in_flight=cell.level.amount,
        thinking=0.0,
        gaps=((round(1000 / rps, 1), round(rps * shape.window_s)),),
        lag=((0.2, 1500),),
        clock_jump_ms=0.0,
        containers=tuple(
            ContainerUse(
                name=f"model-{number}",
                service="model",
                cpu_cores=round(share, 3),
                memory_bytes=100_000_000,
                throttled=None,
                restarts=0,
                missing_s=0,
            )
            for number in range(1, cell.models + 1)
        ),
        service=ServiceUse(
            queue_length=max(0.0, cell.level.amount - cell.models),
            fewest_workers=cell.models,
            most_workers=cell.models,
            workers=tuple(workers),
        ),
        machine=Machine(
            cores=CORES,
            cpu_cores=shape.busy(cell.models),
            others_cpu_cores=0.0,
            stolen_cpu_cores=0.0,
            swapped_bytes=0,
        ),
    )


def _latencies(random_: random.Random, mean_ms: float, number: int) -> Buckets:
    """Return lognormal latencies with two significant digits, which keeps the journals small."""
    mu = math.log(mean_ms) - SIGMA**2 / 2
    counts: dict[float, int] = {}
    for _ in range(number):
        value = float(f"{math.exp(random_.gauss(mu, SIGMA)):.2g}")
        counts[value] = counts.get(value, 0) + 1
    return to_buckets(counts)
