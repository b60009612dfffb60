"""What a driver finds before anything starts: data, so that it crosses from process to process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadbench.engine.journal.events import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a driver knows of what it will run on; for the journal."""

    project: Project | None = None
    """The compose project that it scales; None: it starts no containers."""
    engine: Mapping[str, Any] = field(default_factory=dict)
    """What the containers run on; empty: there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """A driver can run a profile here."""

    driver: str
    reason: str
    """Why this driver was chosen."""
    lock: str
    """Name of a lock. Two runs with the same one would disturb each other."""
    warnings: tuple[str, ...] = ()
    """Valid but probably unintended settings, a sentence each."""
    facts: Facts = field(default_factory=Facts)
