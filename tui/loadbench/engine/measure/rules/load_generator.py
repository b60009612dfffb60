"""Rules about the users of a cell and the load generator."""

from loadbench.engine.measure.buckets import percentile
from loadbench.engine.measure.client_bound import client_cause
from loadbench.engine.measure.limits import MAX_CLIENT_STALL_MS
from loadbench.engine.measure.rules.case import Case, Violation, most_frequent
from loadbench.engine.measure.rules.user_classes import missing_users_text
from loadbench.engine.numbers import number


def users_missing(case: Case) -> Violation | None:
    """All users must run throughout the window."""
    running, users = case.finished.fewest_users, case.cell.level.users
    if users is None or running >= users:
        return None
    return Violation(f"missing users: at times only {running} of {users} running", running, users)


def user_classes(case: Case) -> Violation | None:
    """Every user class must have users."""
    users, classes = case.cell.level.users, case.finished.user_classes
    text = missing_users_text(classes, users) if users else ""
    return Violation(text, sum(not one.users for one in classes), 0) if text else None


def exceptions(case: Case) -> Violation | None:
    """The locustfile must not raise exceptions."""
    raised = sum(entry.count for entry in case.finished.exceptions)
    if not raised:
        return None
    exceptions = "1 exception" if raised == 1 else f"{raised} exceptions"
    text = f"{exceptions} in the locustfile" + most_frequent(case.finished.exceptions)
    return Violation(text, raised, 0)


def client_bound(case: Case) -> Violation | None:
    """The load generator must not be the bottleneck."""
    cause = client_cause(case.cell, case.finished, case.main)
    if cause is None:
        return None
    text = f"load generator: {cause.text}, so {cause.consequence}"
    return Violation(text, cause.value, cause.limit)


def client_stalled(case: Case) -> Violation | None:
    """The load generator must not stall."""
    lag_ms = percentile(case.conditions.lag, 1.0) or 0.0
    if lag_ms <= MAX_CLIENT_STALL_MS:
        return None
    text = (
        f"load generator stalled for {number(lag_ms / 1000)} s "
        f"(limit {MAX_CLIENT_STALL_MS / 1000:g} s)"
    )
    return Violation(text, lag_ms, MAX_CLIENT_STALL_MS)
