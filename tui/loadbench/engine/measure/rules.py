"""The rules for a cell's verdict: each looks at the evidence and says what is wrong. Pure.

To add a rule: write a function from a `Case` to an `Excess`, enter it in `RULES` under its id, put
its limit into `limits.py` and its reason into docs/measurement.md, and record a journal in which
that one thing is wrong as tests/journals/verdicts/ID.jsonl.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import CellFinished, Conditions, ErrorCount, Verdict
from loadbench.engine.measure.buckets import count, enough, failures, fewest, percentile, successes
from loadbench.engine.measure.client_bound import client_cause
from loadbench.engine.measure.limits import (
    CLIENT_STALL_MS,
    FAILURE_RATIO,
    FULL_SHARE,
    MAX_CLOCK_JUMP_MS,
    MAX_DRIFT,
    MAX_STOLEN_SHARE,
    MAX_SWAPPED_BYTES,
    MAX_THROTTLED,
    MIN_SAMPLES_BEYOND,
    longest_gap_ms,
    most_others_cores,
)
from loadbench.engine.profile.plan import Cell

CLIENT_BOUND = "client_bound"
"""Id of the rule that says that Locust itself was the bottleneck."""

DRIFTED = "the machine or the service drifted, so early and late cells are not comparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the rules look at."""

    cell: Cell
    finished: CellFinished
    """Its verdict is yet to be found."""
    drift: float | None = None
    """For a cell that was measured again: how far its rate or its median has moved, relative to the
    first time, whichever is more. None: it was not, or there is nothing to compare."""

    @property
    def around(self) -> Conditions:
        """What the window was like."""
        return self.finished.circumstances or _UNKNOWN


@dataclass(frozen=True, slots=True)
class Excess:
    """What a rule has found wrong."""

    text: str
    """The reason, for people."""
    value: float | None = None
    """The figure that was looked at, in the unit that docs/measurement.md gives for the rule.
    None: the rule looks at no single figure."""
    limit: float | None = None
    """What the figure may be at the most, or must be at least."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked at, and what it means where it is wrong."""

    verdict: Verdict
    check: Callable[[Case], Excess | None]
    """Returns what is wrong; None: the rule does not apply."""


def _no_success(case: Case) -> Excess | None:
    finished = case.finished
    if count(successes(finished.requests)):
        return None
    if not count(failures(finished.requests)) and not finished.exceptions:
        return Excess("no request was completed", 0, 1)
    return Excess("no request succeeded" + _most_frequent(finished.errors), 0, 1)


def _users_missing(case: Case) -> Excess | None:
    there, users = case.finished.fewest_users, case.cell.level.users
    if users is None or there >= users:
        return None
    return Excess(f"only {there} of {users} users were there all the time", there, users)


def _containers(case: Case) -> Excess | None:
    said = []
    for it in case.around.containers:
        if it.restarts:
            said.append(f"{it.name} was started again")
        elif it.missing_s:
            said.append(f"{it.name} was down for {it.missing_s} s")
    service = case.around.service
    fewest_, most = (service.fewest_workers, service.most_workers) if service else (None, None)
    if fewest_ is not None and most is not None and fewest_ < most:
        said.append(f"only {fewest_} of {most} workers were ready all the time")
    return Excess(", ".join(said), len(said), 0) if said else None


def _exceptions(case: Case) -> Excess | None:
    raised = sum(entry.count for entry in case.finished.exceptions)
    if not raised:
        return None
    times = "1 exception" if raised == 1 else f"{raised} exceptions"
    text = f"the locustfile raised {times}" + _most_frequent(case.finished.exceptions)
    return Excess(text, raised, 0)


def _failures(case: Case) -> Excess | None:
    good, bad = (count(kind(case.finished.requests)) for kind in (successes, failures))
    if not good or bad / (good + bad) < FAILURE_RATIO:
        return None
    ratio = bad / (good + bad)
    text = f"{100 * ratio:.1f} % of the requests failed" + _most_frequent(case.finished.errors)
    return Excess(text, ratio, FAILURE_RATIO)


def _aborted(case: Case) -> Excess | None:
    aborted = case.finished.aborted
    if not aborted:
        return None
    return Excess(f"{aborted} requests had no answer long after their timeout", aborted, 0)


def _not_settled(case: Case) -> Excess | None:
    finished = case.finished
    return Excess(f"not settled: {finished.unsettled}") if finished.settled is False else None


def _few_samples(case: Case) -> Excess | None:
    good, needed = count(successes(case.finished.requests)), fewest(MIN_SAMPLES_BEYOND)
    if not good or enough(good, MIN_SAMPLES_BEYOND):
        return None
    what = f"a p{100 * MIN_SAMPLES_BEYOND:g} needs {needed}"
    return Excess(f"few samples: {good} successes, {what} (measure for longer)", good, needed)


def _client_bound(case: Case) -> Excess | None:
    cause = client_cause(case.cell, case.finished)
    if cause is None:
        return None
    return Excess(f"client-bound: {cause.text}{cause.consequence}", cause.value, cause.limit)


def _client_stalled(case: Case) -> Excess | None:
    worst_ms = percentile(case.around.lag, 1.0) or 0.0
    if worst_ms <= CLIENT_STALL_MS:
        return None
    return Excess(
        f"Locust itself stood still for {worst_ms / 1000:.2g} s", worst_ms, CLIENT_STALL_MS
    )


def _stalls(case: Case) -> Excess | None:
    gaps = case.around.gaps
    most_ms = longest_gap_ms(gaps)
    stalls = [(gap_ms, number) for gap_ms, number in gaps if gap_ms > most_ms]
    if not stalls or _client_stalled(case):
        return None
    times, longest_ms = sum(n for _, n in stalls), stalls[-1][0]
    often = "once" if times == 1 else f"{times} times"
    text = (
        f"stalled {often}: no answer for up to {longest_ms / 1000:.3g} s, which the percentiles "
        "hide, since users who wait send nothing"
    )
    return Excess(text, longest_ms, most_ms)


def _throttled(case: Case) -> Excess | None:
    held = [it for it in case.around.containers if (it.throttled or 0.0) > MAX_THROTTLED]
    if not held:
        return None
    said = ", ".join(f"{it.name} in {100 * (it.throttled or 0.0):.0f} %" for it in held)
    text = f"held back by a CPU limit: {said} of the scheduling periods"
    return Excess(text, max(it.throttled or 0.0 for it in held), MAX_THROTTLED)


def _swap(case: Case) -> Excess | None:
    machine = case.around.machine
    if machine is None or machine.swapped_bytes <= MAX_SWAPPED_BYTES:
        return None
    swapped = machine.swapped_bytes
    return Excess(f"the machine swapped {swapped / 1e6:.0f} MB", swapped, MAX_SWAPPED_BYTES)


def _clock(case: Case) -> Excess | None:
    jump_ms = case.around.clock_jump_ms
    if jump_ms <= MAX_CLOCK_JUMP_MS:
        return None
    text = f"the clock jumped by {jump_ms / 1000:.2g} s, or the machine slept"
    return Excess(text, jump_ms, MAX_CLOCK_JUMP_MS)


def _stolen(case: Case) -> Excess | None:
    machine = case.around.machine
    if machine is None or machine.stolen_cpu_cores <= MAX_STOLEN_SHARE * machine.cores:
        return None
    text = (
        f"neighbours: the hypervisor gave {machine.stolen_cpu_cores:.2g} cores to other "
        "virtual machines"
    )
    return Excess(text, machine.stolen_cpu_cores, MAX_STOLEN_SHARE * machine.cores)


def _neighbours(case: Case) -> Excess | None:
    machine = case.around.machine
    if machine is None:
        return None
    others = machine.others_cpu_cores
    if others is None:
        full = FULL_SHARE * machine.cores
        if machine.cpu_cores <= full:
            return None
        text = (
            f"neighbours: {machine.cpu_cores:.2g} of {machine.cores} cores of this machine were "
            "busy, with what cannot be told"
        )
        return Excess(text, machine.cpu_cores, full)
    most = most_others_cores(machine.cores)
    if others <= most:
        return None
    text = f"neighbours: other processes used {others:.2g} of {machine.cores} cores"
    return Excess(text, others, most)


def _drifted(case: Case) -> Excess | None:
    if case.drift is None or case.drift <= MAX_DRIFT:
        return None
    return Excess(DRIFTED, case.drift, MAX_DRIFT)


def _most_frequent(errors: Sequence[ErrorCount]) -> str:
    if not errors:
        return ""
    times = "once" if errors[0].count == 1 else f"{errors[0].count} times"
    return f": {errors[0].error} ({times})"


_UNKNOWN = Conditions(begin_s=0.0, in_flight=0.0, thinking=0.0, gaps=(), lag=(), clock_jump_ms=0.0)

RULES: dict[str, Rule] = {
    "no_success": Rule(Verdict.INVALID, _no_success),
    "users_missing": Rule(Verdict.INVALID, _users_missing),
    "containers": Rule(Verdict.INVALID, _containers),
    "exceptions": Rule(Verdict.SUSPECT, _exceptions),
    "failures": Rule(Verdict.SUSPECT, _failures),
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
"""By id, in the order in which reasons are given."""
