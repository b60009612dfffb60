"""The result of a preflight, as plain data that can be sent to another process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadbench.engine.journal.events import Project
from loadbench.engine.profile.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts about a driver's environment, recorded in the journal."""

    project: Project | None = None
    """The Compose project to scale. None if the driver starts no containers."""
    engine: Mapping[str, Any] = field(default_factory=dict)
    """Properties of the Docker engine; empty if the driver starts no containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """A successful preflight: the driver can run the profile on this machine."""

    driver: str
    reason: str
    """Reason for the choice of this driver."""
    lock: str
    """Name of the lock to hold. Concurrent runs with the same lock would disturb each other."""
    warnings: tuple[str, ...] = ()
    """Valid but probably unintended settings, one message each."""
    facts: Facts = field(default_factory=Facts)
    target: Target | None = None
    """What the run measures. None only in tests."""
