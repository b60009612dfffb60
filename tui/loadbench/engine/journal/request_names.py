"""Names of requests in journals, and kinds of observations about their events.

Locust's process imports this module, but not the events, which take a quarter of its start to load.
"""

from enum import StrEnum

OTHER_REQUESTS = "other requests"
"""Name of all requests with further names, together. They have no method."""
MAX_COUNTED_NAMES = 10_000
"""Number of distinct names up to which an `EventNote` counts them."""


class NoteKind(StrEnum):
    """Kind of an observation about request events. Later versions may add kinds."""

    RESPONSE_TIME = "response_time"
    """The response time was unusable, so the request counts without a latency."""
    START_TIME = "start_time"
    """The start time was of another clock, so it was ignored."""
    NAMES = "names"
    """Requests with further names are counted together."""
    MEASUREMENTS = "measurements"
    """Measurements with further names are not recorded."""


def joined_name(kind: str, name: str) -> str:
    """Return a method or type with a name, without repeating it."""
    return name if name.startswith(f"{kind} ") else f"{kind} {name}".strip()


def is_named(kind: str, name: str, key: str | None) -> bool:
    """Return whether a key of a profile means requests or a measurement.

    Args:
        kind: Method of the requests, or type of the events.
        name: Their name.
        key: Method and name, such as `POST /predict`, or a name of any method. None: all requests.
    """
    return key in (None, name, joined_name(kind, name))
