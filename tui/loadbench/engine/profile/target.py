"""What a run measures, as its journal records it and as previews show it."""

from dataclasses import dataclass
from enum import StrEnum


class Balance(StrEnum):
    """Who distributes the requests among the replicas."""

    CLIENTS = "clients"
    """The load generator: it assigns its users to the replicas in turn."""
    FRONT = "front"
    """A part of the service, such as a proxy or a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A service of the project that a run does not start."""

    service: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a run measures, as far as it is known before the run starts."""

    address: str
    """Where requests go: a URL, or the port of a service, such as `port 8000 of api`."""
    scaled: str = ""
    """The service that is scaled. Empty if the driver scales none."""
    balance: Balance | None = None
    """Who distributes the requests. None if the driver scales nothing."""
    reason: str = ""
    """How the address was found."""
    files: tuple[str, ...] = ()
    """The compose files. Empty if the driver reads none."""
    locustfile: str = ""
    left_out: tuple[LeftOut, ...] = ()
    changes: tuple[str, ...] = ()
    """What the run changes in the project, one phrase each."""
