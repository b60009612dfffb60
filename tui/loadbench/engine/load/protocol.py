"""The interface of the load generator: a Protocol and the types that it returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from loadbench.engine.journal.events import (
    ClientUse,
    Conditions,
    Count,
    EarlyFailures,
    ErrorCount,
    EventNote,
    Measurement,
    Number,
    ReplicaRequests,
    Requests,
    Stages,
    UserClass,
)
from loadbench.engine.measure.sampling.backed import NameSamples
from loadbench.engine.profile.plan import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSecond:
    """Counts of one second of a cell, as recorded in the Locust process."""

    second: Count
    users: Count
    requests: tuple[Requests, ...]
    stages: Stages
    clients: tuple[ClientUse, ...]
    errors: tuple[ErrorCount, ...] = ()
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadState:
    """Progress of a cell in the Locust process."""

    cell: str
    """Tag of the attempt to which the other fields belong."""
    spawned: bool
    """Whether all users have been started at least once."""
    remaining_s: float | None
    """Seconds until the end of the measurement window. None if it has not been opened."""
    seconds: tuple[LoadSecond, ...]
    next_s: Annotated[Number, Field(ge=0)] = 0.0
    """Seconds until the next second has ended. 0: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Results of the measurement window of a cell."""

    measured_s: Annotated[Number, Field(gt=0.001)]
    circumstances: Conditions
    """Conditions during the window, as far as the Locust process can observe them."""
    completed: Count
    aborted: Count
    fewest_users: Count
    clients: tuple[ClientUse, ...]
    errors: tuple[ErrorCount, ...]
    requests: tuple[Requests, ...]
    stages: Stages
    exceptions: tuple[ErrorCount, ...] = ()
    """Exceptions raised by user code outside requests."""
    replicas: tuple[ReplicaRequests, ...] = ()
    """Requests by replica, without names. Empty if users are not distributed among replicas."""
    user_classes: tuple[UserClass, ...] = ()
    """Users of each class when all had been started."""
    early_failures: tuple[EarlyFailures, ...] = ()
    """Requests that failed before the window, by name."""
    notes: tuple[EventNote, ...] = ()
    """Observations about request events."""
    measurements: tuple[Measurement, ...] = ()
    """Measurements reported within the window."""


class Load(Protocol):
    """A load generator."""

    def start(self) -> None:
        """Start the process, without sending requests."""

    def awaited(self) -> str:
        """Return what `start` or `swarm` waits for, with its limit. Any thread may call this."""

    def notes(self) -> list[str]:
        """Return the messages for the user that are new since the last call."""

    def swarm(self, cell: Cell, host: str, tag: str, replicas: Sequence[str] = ()) -> None:
        """Execute the test_start listeners of a cell, and start spawning its users.

        From then on, `state` returns the tag. If there are replicas, given by their base URLs, the
        users are distributed among them.
        """

    def state(self, since: int) -> LoadState | None:
        """Return the state with the seconds from number `since` onwards, or None on a timeout."""

    def measure(self, seconds: float) -> float:
        """Reset the statistics, open the measurement window and return its `begin_s`."""

    def samples(self) -> tuple[NameSamples, ...] | None:
        """Return the samples counted in the window so far, by name, or None on a timeout."""

    def end_window(self) -> float:
        """End the measurement window now, unless it has ended. Return its length in seconds."""

    def stop(self) -> None:
        """Stop all users and wait until their requests have finished."""

    def measured(self) -> Measured:
        """Return the results of the measurement window."""

    def report(self) -> bytes:
        """Return Locust's HTML report of the measurement window."""

    def close(self) -> None:
        """Terminate the process."""
