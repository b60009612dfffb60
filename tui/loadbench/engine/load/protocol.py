"""What puts users on the service, as the runner sees it: one Protocol, and what it tells."""

from dataclasses import dataclass
from typing import Protocol

from loadbench.engine.journal.events import ClientUse, Conditions, ErrorCount, Requests, Stages
from loadbench.engine.profile.plan import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSecond:
    """What happened in one second of a cell, as Locust's process counted it."""

    second: int
    users: int
    requests: tuple[Requests, ...]
    stages: Stages
    clients: tuple[ClientUse, ...]
    errors: tuple[ErrorCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadState:
    """Where Locust stands with a cell."""

    cell: str
    """The tag of the attempt that everything else is about."""
    spawned: bool
    """All users were started at least once."""
    remaining_s: float | None
    """Of the measured window; None: it was not opened."""
    seconds: tuple[LoadSecond, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the measured window of a cell came to."""

    measured_s: float
    circumstances: Conditions
    """As far as Locust's process knows of them."""
    completed: int
    aborted: int
    fewest_users: int
    clients: tuple[ClientUse, ...]
    errors: tuple[ErrorCount, ...]
    requests: tuple[Requests, ...]
    stages: Stages
    exceptions: tuple[ErrorCount, ...] = ()
    """Raised by the user's own code; none of them is a failed request."""


class Load(Protocol):
    """What puts users on the service."""

    def start(self) -> None:
        """Start the process; nothing is sent yet."""

    def swarm(self, cell: Cell, host: str, tag: str) -> None:
        """Begin to start the users of a cell; `state` answers with the tag once it is about it."""

    def state(self, since: int) -> LoadState | None:
        """Return where it stands, with the seconds from number `since` on; None: no answer now."""

    def measure(self, seconds: float) -> float:
        """Reset the statistics, open the measurement window and return its `begin_s`."""

    def stop(self) -> None:
        """End the users, each after its request; returns when there are none."""

    def measured(self) -> Measured:
        """Return what the measured window came to."""

    def report(self) -> bytes:
        """Return Locust's HTML report of the measured window."""

    def close(self) -> None:
        """End the process."""
