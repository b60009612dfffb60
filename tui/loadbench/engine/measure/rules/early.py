"""Failures before the measurement window, such as those of a login."""

from collections.abc import Sequence

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.journal.events import EarlyFailures
from loadbench.engine.measure.limits import MAX_FAILURE_RATIO
from loadbench.engine.measure.main_request import full_name

MAX_NAME_CHARACTERS = 60
"""Maximum length of a name in a text."""


def early_ratio(requests: EarlyFailures) -> float:
    """Return the ratio of failures to all requests, 0 to 1."""
    return requests.failures / max(1, requests.successes + requests.failures)


def failed_setup(early: Sequence[EarlyFailures]) -> EarlyFailures | None:
    """Return the requests of a failed setup: the ones with the most failures.

    A setup consists of requests before the window only. Others may fail on a cold start.

    Args:
        early: The names with failures before the window.
    """
    failed = [
        one for one in early if not one.is_in_window and early_ratio(one) >= MAX_FAILURE_RATIO
    ]
    return max(failed, key=lambda one: one.failures, default=None)


def early_text(requests: EarlyFailures, max_characters: int = MAX_NAME_CHARACTERS) -> str:
    """Return the failures as text, such as `3 of 4 requests POST /login failed`.

    Args:
        requests: The requests.
        max_characters: Maximum length of the name. A longer one is cut.
    """
    total = requests.successes + requests.failures
    # Cut at the end, because only the beginnings of secret values are found and masked later.
    name = shortened(full_name(requests), max_characters)
    plural = "request" if total == 1 else "requests"
    return f"{requests.failures} of {total} {plural} {name} failed"
