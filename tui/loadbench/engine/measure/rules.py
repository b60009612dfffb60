"""Rules that determine a cell's verdict. Each checks the evidence for one violation.

To add a rule: write a function from `Case` to `Violation`, add it to `RULES` under its id, define
its limit in `limits.py`, explain it in docs/measurement.md, and record a journal that violates only
this rule as tests/journals/verdicts/ID.jsonl.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loadbench.engine.journal.events import CellFinished, Conditions, ErrorCount, Verdict
from loadbench.engine.measure.buckets import (
    count,
    has_enough_samples,
    min_samples,
    num_failures,
    num_requests,
    num_successes,
    percentile,
    successes,
)
from loadbench.engine.measure.client_bound import client_cause
from loadbench.engine.measure.early import early_ratio, early_text, failed_setup
from loadbench.engine.measure.idle import ScaledService, idle_replicas
from loadbench.engine.measure.limits import (
    MAX_BUSY_SHARE,
    MAX_CLIENT_STALL_MS,
    MAX_CLOCK_JUMP_MS,
    MAX_DRIFT,
    MAX_ELSEWHERE_RATIO,
    MAX_FAILURE_RATIO,
    MAX_STOLEN_SHARE,
    MAX_SWAPPED_BYTES,
    MAX_THROTTLED,
    REQUIRED_PERCENTILE,
    max_gap_ms,
    max_others_cores,
)
from loadbench.engine.measure.user_classes import missing_users_text
from loadbench.engine.numbers import number
from loadbench.engine.profile.plan import Cell

CLIENT_BOUND = "client_bound"
"""Id of the rule that the load generator must not be the bottleneck."""

IDLE_REPLICA = "idle_replica"
"""Id of the rule that every replica must get work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The input of the rules."""

    cell: Cell
    finished: CellFinished
    """The results of the cell, with the verdict still open."""
    drift: float | None = None
    """Relative change of throughput or median between the first measurement of the first cell and
    this recheck, whichever is larger. None for other cells, or if there is nothing to compare."""
    scaled: ScaledService = field(default_factory=ScaledService)
    """What the run scales."""

    @property
    def conditions(self) -> Conditions:
        """The conditions of the measurement window, or neutral values if they were not recorded."""
        return self.finished.circumstances or _UNKNOWN


@dataclass(frozen=True, slots=True)
class Violation:
    """The result of a rule that applies."""

    text: str
    """A noun phrase with the figure and its limit."""
    value: float | None = None
    """The figure, in the unit that docs/measurement.md gives for the rule. None if there is
    no single figure."""
    limit: float | None = None
    """The maximum or minimum of the figure."""
    verdict: Verdict | None = None
    """The verdict, if it differs from that of the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A check and the verdict for a cell that violates it."""

    verdict: Verdict
    check: Callable[[Case], Violation | None]
    """Returns None if the rule does not apply."""


def drift_text(drift: float) -> str:
    """Return the finding for a relative change that exceeds `MAX_DRIFT`."""
    return (
        f"drift of {100 * drift:.4g} % in throughput or median (limit {100 * MAX_DRIFT:g} %): "
        "early and late cells are not comparable"
    )


def _no_success(case: Case) -> Violation | None:
    finished = case.finished
    if num_successes(finished.requests):
        return None
    if not num_failures(finished.requests) and not finished.exceptions:
        return Violation("no completed requests", 0, 1)
    place = f" to {finished.host}" if finished.host else ""
    return Violation(f"no successful requests{place}" + _most_frequent(finished.errors), 0, 1)


def _users_missing(case: Case) -> Violation | None:
    running, users = case.finished.fewest_users, case.cell.level.users
    if users is None or running >= users:
        return None
    return Violation(f"missing users: at times only {running} of {users} running", running, users)


def _user_classes(case: Case) -> Violation | None:
    users, classes = case.cell.level.users, case.finished.user_classes
    text = missing_users_text(classes, users) if users else ""
    return Violation(text, sum(not one.users for one in classes), 0) if text else None


def _containers(case: Case) -> Violation | None:
    incidents = []
    for use in case.conditions.containers:
        if use.restarts:
            incidents.append(f"{use.name} restarted {_times(use.restarts)}")
        elif use.missing_s:
            incidents.append(f"{use.name} down for {use.missing_s} s")
    service = case.conditions.service
    fewest, most = (service.fewest_workers, service.most_workers) if service else (None, None)
    if fewest is not None and most is not None and fewest < most:
        incidents.append(f"at times only {fewest} of {most} workers ready")
    return Violation(", ".join(incidents), len(incidents), 0) if incidents else None


def _exceptions(case: Case) -> Violation | None:
    raised = sum(entry.count for entry in case.finished.exceptions)
    if not raised:
        return None
    exceptions = "1 exception" if raised == 1 else f"{raised} exceptions"
    text = f"{exceptions} in the locustfile" + _most_frequent(case.finished.exceptions)
    return Violation(text, raised, 0)


def _failures(case: Case) -> Violation | None:
    total, failed = num_requests(case.finished.requests), num_failures(case.finished.requests)
    if failed == total or failed / total < MAX_FAILURE_RATIO:
        return None
    ratio = failed / total
    text = f"{100 * ratio:.1f} % of requests failed (limit {100 * MAX_FAILURE_RATIO:g} %)"
    return Violation(text + _most_frequent(case.finished.errors), ratio, MAX_FAILURE_RATIO)


def _setup_failures(case: Case) -> Violation | None:
    failed = failed_setup(case.finished.early_failures)
    if failed is None:
        return None
    text = f"{early_text(failed)} before the measurement window" + _most_frequent(failed.errors)
    return Violation(text, early_ratio(failed), MAX_FAILURE_RATIO)


def _idle_replica(case: Case) -> Violation | None:
    idle = idle_replicas(case.cell, case.finished, case.scaled)
    return Violation(idle.text, len(idle.names), 0, idle.verdict) if idle else None


def _elsewhere(case: Case) -> Violation | None:
    requests = {one.host: (num_requests([one]), bool(one.name)) for one in case.finished.replicas}
    total = sum(number for number, _ in requests.values())
    others = {host: number for host, (number, is_replica) in requests.items() if not is_replica}
    ratio = sum(others.values()) / total if total else 0.0
    if ratio <= MAX_ELSEWHERE_RATIO:
        return None
    most = max(others, key=lambda host: others[host]) or "many"
    text = (
        f"{100 * ratio:.1f} % of requests went to other addresses than the replicas "
        f"(limit {100 * MAX_ELSEWHERE_RATIO:g} %): {most}"
    )
    return Violation(text, ratio, MAX_ELSEWHERE_RATIO)


def _aborted(case: Case) -> Violation | None:
    aborted = case.finished.aborted
    if not aborted:
        return None
    requests = "1 aborted request" if aborted == 1 else f"{aborted} aborted requests"
    return Violation(f"{requests}: no response long after the timeout", aborted, 0)


def _not_settled(case: Case) -> Violation | None:
    finished = case.finished
    return Violation(f"not settled: {finished.unsettled}") if finished.settled is False else None


def _few_samples(case: Case) -> Violation | None:
    requests, needed = case.finished.requests, min_samples(REQUIRED_PERCENTILE)
    succeeded, good = num_successes(requests), count(successes(requests))
    if not succeeded or has_enough_samples(good, REQUIRED_PERCENTILE):
        return None
    found = f"{succeeded} successes"
    if good < succeeded:
        found = f"{good} of {found} {'has' if good == 1 else 'have'} a latency"
    advice = "increase run_time or max_run_time"
    if not good:
        advice = "set response_time in the locustfile's events"
    text = f"few samples: {found}, p{100 * REQUIRED_PERCENTILE:g} needs {needed} ({advice})"
    return Violation(text, good, needed)


def _client_bound(case: Case) -> Violation | None:
    cause = client_cause(case.cell, case.finished)
    if cause is None:
        return None
    text = f"load generator: {cause.text}, so {cause.consequence}"
    return Violation(text, cause.value, cause.limit)


def _client_stalled(case: Case) -> Violation | None:
    lag_ms = percentile(case.conditions.lag, 1.0) or 0.0
    if lag_ms <= MAX_CLIENT_STALL_MS:
        return None
    text = (
        f"load generator stalled for {number(lag_ms / 1000)} s "
        f"(limit {MAX_CLIENT_STALL_MS / 1000:g} s)"
    )
    return Violation(text, lag_ms, MAX_CLIENT_STALL_MS)


def _stalls(case: Case) -> Violation | None:
    gaps = case.conditions.gaps
    limit_ms = max_gap_ms(gaps)
    stalls = [(gap_ms, times) for gap_ms, times in gaps if gap_ms > limit_ms]
    if not stalls or _client_stalled(case):
        return None
    total, longest_ms = sum(times for _, times in stalls), stalls[-1][0]
    text = (
        f"{'1 stall' if total == 1 else f'{total} stalls'}: no response for up to "
        f"{number(longest_ms / 1000)} s (limit {limit_ms / 1000:.3g} s); "
        "percentiles understate the latency (coordinated omission)"
    )
    return Violation(text, longest_ms, limit_ms)


def _throttled(case: Case) -> Violation | None:
    containers = case.conditions.containers
    throttled = [use for use in containers if (use.throttled or 0.0) > MAX_THROTTLED]
    if not throttled:
        return None
    shares = ", ".join(
        f"{use.name} throttled in {100 * (use.throttled or 0.0):.0f} %" for use in throttled
    )
    text = f"CPU limit: {shares} of scheduling periods (limit {100 * MAX_THROTTLED:g} %)"
    return Violation(text, max(use.throttled or 0.0 for use in throttled), MAX_THROTTLED)


def _swap(case: Case) -> Violation | None:
    machine = case.conditions.machine
    if machine is None or machine.swapped_bytes <= MAX_SWAPPED_BYTES:
        return None
    swapped = machine.swapped_bytes
    text = f"{number(swapped / 1e6)} MB swapped (limit {MAX_SWAPPED_BYTES / 1e6:g} MB)"
    return Violation(text, swapped, MAX_SWAPPED_BYTES)


def _clock(case: Case) -> Violation | None:
    jump_ms = case.conditions.clock_jump_ms
    if jump_ms <= MAX_CLOCK_JUMP_MS:
        return None
    text = (
        f"clock jump of {number(jump_ms / 1000)} s (limit {MAX_CLOCK_JUMP_MS / 1000:g} s): "
        "clock set or machine suspended"
    )
    return Violation(text, jump_ms, MAX_CLOCK_JUMP_MS)


def _stolen(case: Case) -> Violation | None:
    machine = case.conditions.machine
    if machine is None or machine.stolen_cpu_cores <= MAX_STOLEN_SHARE * machine.cores:
        return None
    stolen, limit = machine.stolen_cpu_cores, MAX_STOLEN_SHARE * machine.cores
    text = f"CPU steal: {stolen:.3g} cores used by other virtual machines (limit {limit:.3g})"
    return Violation(text, stolen, limit)


def _neighbours(case: Case) -> Violation | None:
    machine = case.conditions.machine
    if machine is None:
        return None
    others = machine.others_cpu_cores
    if others is None:
        limit = MAX_BUSY_SHARE * machine.cores
        if machine.cpu_cores <= limit:
            return None
        text = (
            f"machine saturated: {machine.cpu_cores:.3g} of {machine.cores} cores busy "
            f"(limit {limit:.3g}), share of other processes unknown"
        )
        return Violation(text, machine.cpu_cores, limit)
    limit = max_others_cores(machine.cores)
    if others <= limit:
        return None
    text = f"other processes used {others:.3g} of {machine.cores} cores (limit {limit:.3g})"
    return Violation(text, others, limit)


def _drifted(case: Case) -> Violation | None:
    if case.drift is None or case.drift <= MAX_DRIFT:
        return None
    return Violation(drift_text(case.drift), case.drift, MAX_DRIFT)


def _most_frequent(errors: Sequence[ErrorCount]) -> str:
    return f": {errors[0].error} ({_times(errors[0].count)})" if errors else ""


def _times(amount: int) -> str:
    return "once" if amount == 1 else f"{amount} times"


_UNKNOWN = Conditions(begin_s=0.0, in_flight=0.0, thinking=0.0, gaps=(), lag=(), clock_jump_ms=0.0)

RULES: dict[str, Rule] = {
    "no_success": Rule(Verdict.INVALID, _no_success),
    "users_missing": Rule(Verdict.INVALID, _users_missing),
    "user_classes": Rule(Verdict.SUSPECT, _user_classes),
    "containers": Rule(Verdict.INVALID, _containers),
    "exceptions": Rule(Verdict.SUSPECT, _exceptions),
    "failures": Rule(Verdict.SUSPECT, _failures),
    "setup_failures": Rule(Verdict.SUSPECT, _setup_failures),
    IDLE_REPLICA: Rule(Verdict.INVALID, _idle_replica),
    "elsewhere": Rule(Verdict.SUSPECT, _elsewhere),
    "aborted": Rule(Verdict.SUSPECT, _aborted),
    "not_settled": Rule(Verdict.SUSPECT, _not_settled),
    "few_samples": Rule(Verdict.SUSPECT, _few_samples),
    CLIENT_BOUND: Rule(Verdict.SUSPECT, _client_bound),
    "client_stalled": Rule(Verdict.SUSPECT, _client_stalled),
    "stalls": Rule(Verdict.SUSPECT, _stalls),
    "throttled": Rule(Verdict.SUSPECT, _throttled),
    "swap": Rule(Verdict.SUSPECT, _swap),
    "clock": Rule(Verdict.SUSPECT, _clock),
    "stolen": Rule(Verdict.SUSPECT, _stolen),
    "neighbours": Rule(Verdict.SUSPECT, _neighbours),
    "drifted": Rule(Verdict.SUSPECT, _drifted),
}
"""Rules by id, in the order in which findings are listed."""
