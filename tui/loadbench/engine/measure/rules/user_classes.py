"""Decides whether every user class of the locustfile had users."""

from collections.abc import Sequence

from loadbench.engine.journal.events import UserClass

MAX_NAMES = 5
"""Maximum number of user classes that are named."""


def missing_users_text(classes: Sequence[UserClass], users: int) -> str:
    """Return which user classes had too few users, why, and what to do. Empty if none had.

    Locust starts the users of classes with a `fixed_count` first, so that few may be left for the
    others. With fewer users than classes, some get none.

    Args:
        classes: The user classes, without those of weight 0.
        users: Number of users of the cell.
    """
    empty = [one for one in classes if not one.users]
    fixed = sum(one.fixed for one in classes)
    weighted = [one for one in classes if not one.fixed]
    needed = fixed + len(weighted)
    amount = "1 user" if users == 1 else f"{users} users"
    reason = f"only {amount} for {len(classes)} classes"
    advice = f"set users to {needed} or more"
    if users >= needed:
        reason = f"the weight is too small for {amount}"
        advice = "increase users, or the weight"
    if fixed >= users:
        own = [one.name for one in classes if one.fixed]
        taken = "the only user" if users == 1 else f"all {amount}"
        reason = f"fixed_count of {_names(own)} takes {taken}"
    if empty:
        kind = "user class" if len(empty) == 1 else "user classes"
        text = f"no users of {kind} {_names([one.name for one in empty])}"
    elif fixed > users:
        text = "too few users for their fixed_count"
    else:
        return ""
    return f"{text}: {reason} ({advice})"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more
