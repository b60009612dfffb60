"""Rules about the requests of a cell."""

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.measure.buckets import (
    count,
    has_enough_samples,
    min_samples,
    num_failures,
    num_requests,
    num_successes,
    successes,
)
from loadbench.engine.measure.idle import idle_replicas as find_idle_replicas
from loadbench.engine.measure.limits import (
    MAX_ELSEWHERE_RATIO,
    MAX_FAILURE_RATIO,
    REQUIRED_PERCENTILE,
    max_gap_ms,
)
from loadbench.engine.measure.rules.case import Case, Violation, most_frequent
from loadbench.engine.measure.rules.early import early_ratio, early_text, failed_setup
from loadbench.engine.measure.rules.load_generator import client_stalled
from loadbench.engine.measure.rules.names import of_main, shown_names
from loadbench.engine.numbers import number


def no_success(case: Case) -> Violation | None:
    """Some of the main requests must succeed."""
    finished, results = case.finished, case.results
    if num_successes(results.requests):
        return None
    if not results.requests and num_requests(finished.requests):
        names = shown_names(finished.requests)
        return Violation(f"no requests{of_main(case)} (load.main). Names are {names}", 0, 1)
    if not num_failures(finished.requests) and not finished.exceptions:
        hint = " (all events are measurements, see load.measurements)"
        return Violation(f"no completed requests{hint if finished.measurements else ''}", 0, 1)
    place = f" to {finished.host}" if finished.host else ""
    text = f"no successful requests{of_main(case)}{place}"
    error = most_frequent(finished.errors, are_of_others=case.has_other_failures)
    return Violation(text + error, 0, 1)


def failures(case: Case) -> Violation | None:
    """Hardly any requests may fail."""
    all_ratio, ratio = _failure_ratio(case.finished), _failure_ratio(case.results)
    name = of_main(case)
    if ratio in (None, 1.0) or all_ratio in (None, 1.0):
        return None
    if ratio < MAX_FAILURE_RATIO <= all_ratio:
        ratio, name = all_ratio, ""
    if ratio < MAX_FAILURE_RATIO:
        return None
    text = f"{100 * ratio:.1f} % of requests{name} failed (limit {100 * MAX_FAILURE_RATIO:g} %)"
    are_of_others = bool(name) and case.has_other_failures
    error = most_frequent(case.finished.errors, are_of_others=are_of_others)
    return Violation(text + error, ratio, MAX_FAILURE_RATIO)


def _failure_ratio(finished: CellFinished) -> float | None:
    """Return the ratio of failures to all requests. None if there are no requests."""
    total = num_requests(finished.requests)
    return num_failures(finished.requests) / total if total else None


def setup_failures(case: Case) -> Violation | None:
    """The setup of the users, such as a login, must succeed."""
    failed = failed_setup(case.finished.early_failures)
    if failed is None:
        return None
    text = f"{early_text(failed)} before the measurement window" + most_frequent(failed.errors)
    return Violation(text, early_ratio(failed), MAX_FAILURE_RATIO)


def idle_replica(case: Case) -> Violation | None:
    """Every replica must get work."""
    idle = find_idle_replicas(case.cell, case.finished, case.scaled)
    return Violation(idle.text, len(idle.names), 0, idle.verdict) if idle else None


def elsewhere(case: Case) -> Violation | None:
    """Requests must go to the replicas."""
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


def aborted(case: Case) -> Violation | None:
    """Every request must end."""
    aborted = case.finished.aborted
    if not aborted:
        return None
    requests = "1 aborted request" if aborted == 1 else f"{aborted} aborted requests"
    return Violation(f"{requests}: no response long after the timeout", aborted, 0)


def not_settled(case: Case) -> Violation | None:
    """Numbers must be steady before the window."""
    finished = case.finished
    return Violation(f"not settled: {finished.unsettled}") if finished.settled is False else None


def few_samples(case: Case) -> Violation | None:
    """There must be enough samples for a reliable p95."""
    requests, needed = case.results.requests, min_samples(REQUIRED_PERCENTILE)
    succeeded, good = num_successes(requests), count(successes(requests))
    if not succeeded or has_enough_samples(good, REQUIRED_PERCENTILE):
        return None
    found = f"{succeeded} successes{of_main(case)}"
    if good < succeeded:
        found = f"{good} of {found} {'has' if good == 1 else 'have'} a latency"
    advice = "set run_time: auto, or increase run_time"
    if case.max_run_time_s is not None:
        is_reached = case.finished.measured_s >= case.max_run_time_s - 1
        advice = "increase max_run_time" if is_reached else "too many requests failed"
    if not good:
        advice = "set response_time in the locustfile's events"
    text = f"few samples: {found}, p{100 * REQUIRED_PERCENTILE:g} needs {needed} ({advice})"
    return Violation(text, good, needed)


def stalls(case: Case) -> Violation | None:
    """Responses must not stop for long."""
    gaps = case.conditions.gaps
    limit_ms = max_gap_ms(gaps)
    stalls = [(gap_ms, times) for gap_ms, times in gaps if gap_ms > limit_ms]
    if not stalls or client_stalled(case):
        return None
    total, longest_ms = sum(times for _, times in stalls), stalls[-1][0]
    text = (
        f"{'1 stall' if total == 1 else f'{total} stalls'}: no response for up to "
        f"{number(longest_ms / 1000)} s (limit {limit_ms / 1000:.3g} s); "
        "percentiles understate the latency (coordinated omission)"
    )
    return Violation(text, longest_ms, limit_ms)
