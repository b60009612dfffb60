"""What a cell's numbers are worth, by a table of rules. Pure.

Every figure that a rule compares with is a constant here, and docs/measurement.md says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import (
    Buckets,
    CellFinished,
    Conditions,
    ErrorCount,
    Verdict,
)
from loadbench.engine.measure.buckets import (
    count,
    enough,
    failures,
    fewest,
    percentile,
    plus,
    successes,
    time_weighted_median,
)
from loadbench.engine.numbers import number
from loadbench.engine.profile.plan import Cell

FAILURE_RATIO = 0.01
"""From this ratio on the successes that are left may not be typical."""

MOST_CLIENT_CPU_CORES = 0.8
"""Beyond this share of a core the load generator's own queueing shows in the latency."""

_ITS_OWN = ", so part of the latency is its own"
CLIENT_BOUND = "client-bound: "
"""How the reason begins that says that Locust itself was the bottleneck."""

LEAST_USERS_SHARE = 0.95
"""Of the users, those that must be waiting for an answer or pausing as they should."""

LEAST_BUSY_CORES = 0.3
"""Below this share of a core, Locust is not what keeps users from asking."""

LEAST_BACKED = 0.95
"""The percentile that must have enough latencies behind it."""

MOST_LAG = {0.5: (0.02, 1.0), 0.9: (0.02, 1.0), 0.95: (0.05, 2.0), 0.99: (0.05, 2.0)}
"""By percentile: what the lateness of Locust may add to it, as a share of it or in ms, whichever is
more."""

SHARED_FACTOR = 3.0
"""How many times that where our service computes on the same cores. Lateness is felt at any moment,
also while the service is at work; but answers come when it has just done some."""

STALL_MS = 500.0
"""A gap without any answer that may be worth telling, ..."""
STALL_FACTOR = 5.0
"""... if it is so many times the gap that a random moment falls into."""

CLIENT_STALL_MS = 500.0
"""Locust's process may not stand still for longer."""

MOST_THROTTLED = 0.1
"""Of the scheduling periods of a container, those in which its CPU limit may hold it back."""

MOST_SWAPPED_BYTES = 1_000_000
MOST_CLOCK_JUMP_MS = 100.0
"""Clocks that are steered move by less than a thousandth of the time that passes."""

MOST_STOLEN_SHARE = 0.05
"""Of the machine's cores."""
MOST_OTHERS_SHARE = 0.1
"""Of the machine's cores, but at least `MOST_OTHERS_CORES`: what a machine does anyway."""
MOST_OTHERS_CORES = 0.2


FULL_SHARE = 0.9
"""Of the machine's cores: busier than that, it is full, whoever that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the rules look at."""

    cell: Cell
    finished: CellFinished
    """Its verdict is yet to be found."""
    drift: str | None = None
    """For a cell that was measured again: how it differs from the first time, if it does."""

    @property
    def around(self) -> Conditions:
        """What the window was like."""
        return self.finished.circumstances or _UNKNOWN


Rule = Callable[[Case], str | None]
"""Returns the reason in plain words; None: the rule does not apply."""


def judge(case: Case) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict, the worst that any rule gives, and the reasons of all that apply."""
    worst, reasons = Verdict.VALID, []
    for verdict, rule in RULES.values():
        reason = rule(case)
        if reason:
            reasons.append(reason)
            worst = max(worst, verdict, key=_SEVERITY.index)
    return worst, tuple(reasons)


def longest_gap_ms(gaps: Buckets) -> float:
    """Return how long nobody may be answered, given the gaps between answers, in ms."""
    return max(STALL_MS, STALL_FACTOR * (time_weighted_median(gaps) or 0.0))


def most_others_cores(cores: int) -> float:
    """Return what processes that are none of ours may use of a machine of so many cores."""
    return max(MOST_OTHERS_CORES, MOST_OTHERS_SHARE * cores)


def _client_bound(case: Case) -> str | None:
    finished, around = case.finished, case.around
    if finished.client_cpu_cores > MOST_CLIENT_CPU_CORES:
        return f"{CLIENT_BOUND}Locust used {finished.client_cpu_cores:.2f} of a core{_ITS_OWN}"
    if elsewhere := _users_elsewhere(case):
        return f"{CLIENT_BOUND}{elsewhere}"
    beside = around.machine is not None and around.machine.others_cpu_cores is not None
    factor = SHARED_FACTOR if beside else 1.0
    late = _lateness(successes(finished.requests), around.lag, factor)
    return f"{CLIENT_BOUND}{late}{_ITS_OWN}" if late else None


def _users_elsewhere(case: Case) -> str | None:
    """Return where users were that neither waited for an answer nor paused, if many were not."""
    finished, users = case.finished, case.cell.users
    accounted = case.around.in_flight + case.around.thinking
    known = finished.circumstances and finished.fewest_users >= users
    if not known or accounted >= LEAST_USERS_SHARE * users:
        return None
    told = f"of {users} users only {accounted:.3g} were waiting for an answer or pausing"
    if finished.client_cpu_cores > LEAST_BUSY_CORES:
        return f"{told}, the others for Locust{_ITS_OWN}"
    # Waiting needs no CPU: they may wait for greenlets of their own, of which nobody knows.
    return f"{told}, the others were in their own code, so they asked for less than {users} would"


def _lateness(latency: Buckets, lag: Buckets, factor: float) -> str | None:
    """Return what the lateness of Locust adds to a percentile, if that is much.

    The latency has it in it already; what it adds is what it would add once more.
    """
    later = plus(latency, lag)
    for fraction, (share, least_ms) in MOST_LAG.items():
        was_ms, is_ms = percentile(latency, fraction), percentile(later, fraction)
        if was_ms is None or is_ms is None:
            continue
        if is_ms - was_ms > factor * max(share * was_ms, least_ms):
            added = number(is_ms - was_ms, 2)
            return f"Locust was late, which adds {added} ms to p{100 * fraction:g}"
    return None


def _no_success(case: Case) -> str | None:
    finished = case.finished
    if count(successes(finished.requests)):
        return None
    if not count(failures(finished.requests)) and not finished.exceptions:
        return "no request was completed"
    return "no request succeeded" + _most_frequent(finished.errors)


def _users_missing(case: Case) -> str | None:
    there, users = case.finished.fewest_users, case.cell.users
    return None if there >= users else f"only {there} of {users} users were there all the time"


def _containers(case: Case) -> str | None:
    said = []
    for it in case.around.containers:
        if it.restarts:
            said.append(f"{it.name} was started again")
        elif it.missing_s:
            said.append(f"{it.name} was down for {it.missing_s} s")
    service = case.around.service
    fewest, most = (service.fewest_workers, service.most_workers) if service else (None, None)
    if fewest is not None and most is not None and fewest < most:
        said.append(f"only {fewest} of {most} workers were ready all the time")
    return ", ".join(said) or None


def _exceptions(case: Case) -> str | None:
    raised = sum(entry.count for entry in case.finished.exceptions)
    if not raised:
        return None
    times = "1 exception" if raised == 1 else f"{raised} exceptions"
    return f"the locustfile raised {times}" + _most_frequent(case.finished.exceptions)


def _failures(case: Case) -> str | None:
    good, bad = (count(kind(case.finished.requests)) for kind in (successes, failures))
    if not good or bad / (good + bad) < FAILURE_RATIO:
        return None
    share = f"{100 * bad / (good + bad):.1f} % of the requests failed"
    return share + _most_frequent(case.finished.errors)


def _aborted(case: Case) -> str | None:
    aborted = case.finished.aborted
    return f"{aborted} requests had no answer long after their timeout" if aborted else None


def _not_settled(case: Case) -> str | None:
    return f"not settled: {case.finished.unsettled}" if case.finished.settled is False else None


def _few_samples(case: Case) -> str | None:
    good = count(successes(case.finished.requests))
    if not good or enough(good, LEAST_BACKED):
        return None
    needed = f"a p{100 * LEAST_BACKED:g} needs {fewest(LEAST_BACKED)}"
    return f"few samples: {good} successes, {needed} (measure for longer)"


def _client_stalled(case: Case) -> str | None:
    worst_ms = percentile(case.around.lag, 1.0) or 0.0
    if worst_ms <= CLIENT_STALL_MS:
        return None
    return f"Locust itself stood still for {worst_ms / 1000:.2g} s"


def _stalls(case: Case) -> str | None:
    gaps = case.around.gaps
    most_ms = longest_gap_ms(gaps)
    stalls = [(gap_ms, number) for gap_ms, number in gaps if gap_ms > most_ms]
    if not stalls or _client_stalled(case):
        return None
    times, longest = sum(n for _, n in stalls), stalls[-1][0] / 1000
    often = "once" if times == 1 else f"{times} times"
    return (
        f"stalled {often}: no answer for up to {longest:.3g} s, which the percentiles hide, since "
        "users who wait send nothing"
    )


def _throttled(case: Case) -> str | None:
    held = [it for it in case.around.containers if (it.throttled or 0.0) > MOST_THROTTLED]
    if not held:
        return None
    said = ", ".join(f"{it.name} in {100 * (it.throttled or 0.0):.0f} %" for it in held)
    return f"held back by a CPU limit: {said} of the scheduling periods"


def _swap(case: Case) -> str | None:
    machine = case.around.machine
    if machine is None or machine.swapped_bytes <= MOST_SWAPPED_BYTES:
        return None
    return f"the machine swapped {machine.swapped_bytes / 1e6:.0f} MB"


def _clock(case: Case) -> str | None:
    jump_ms = case.around.clock_jump_ms
    if jump_ms <= MOST_CLOCK_JUMP_MS:
        return None
    return f"the clock jumped by {jump_ms / 1000:.2g} s, or the machine slept"


def _stolen(case: Case) -> str | None:
    machine = case.around.machine
    if machine is None or machine.stolen_cpu_cores <= MOST_STOLEN_SHARE * machine.cores:
        return None
    return (
        f"neighbours: the hypervisor gave {machine.stolen_cpu_cores:.2g} cores to other "
        "virtual machines"
    )


def _neighbours(case: Case) -> str | None:
    machine = case.around.machine
    if machine is None:
        return None
    others = machine.others_cpu_cores
    if others is None:
        if machine.cpu_cores <= FULL_SHARE * machine.cores:
            return None
        return (
            f"neighbours: {machine.cpu_cores:.2g} of {machine.cores} cores of this machine were "
            "busy, with what cannot be told"
        )
    if others <= most_others_cores(machine.cores):
        return None
    return f"neighbours: other processes used {others:.2g} of {machine.cores} cores"


def _drifted(case: Case) -> str | None:
    return case.drift


def _most_frequent(errors: Sequence[ErrorCount]) -> str:
    if not errors:
        return ""
    times = "once" if errors[0].count == 1 else f"{errors[0].count} times"
    return f": {errors[0].error} ({times})"


_UNKNOWN = Conditions(begin_s=0.0, in_flight=0.0, thinking=0.0, gaps=(), lag=(), clock_jump_ms=0.0)
_SEVERITY = (Verdict.VALID, Verdict.SUSPECT, Verdict.INVALID)

RULES: dict[str, tuple[Verdict, Rule]] = {
    "no_success": (Verdict.INVALID, _no_success),
    "users_missing": (Verdict.INVALID, _users_missing),
    "containers": (Verdict.INVALID, _containers),
    "exceptions": (Verdict.SUSPECT, _exceptions),
    "failures": (Verdict.SUSPECT, _failures),
    "aborted": (Verdict.SUSPECT, _aborted),
    "not_settled": (Verdict.SUSPECT, _not_settled),
    "few_samples": (Verdict.SUSPECT, _few_samples),
    "client_bound": (Verdict.SUSPECT, _client_bound),
    "client_stalled": (Verdict.SUSPECT, _client_stalled),
    "stalls": (Verdict.SUSPECT, _stalls),
    "throttled": (Verdict.SUSPECT, _throttled),
    "swap": (Verdict.SUSPECT, _swap),
    "clock": (Verdict.SUSPECT, _clock),
    "stolen": (Verdict.SUSPECT, _stolen),
    "neighbours": (Verdict.SUSPECT, _neighbours),
    "drifted": (Verdict.SUSPECT, _drifted),
}
"""By name, in the order in which reasons are given."""
