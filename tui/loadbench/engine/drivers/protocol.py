"""How the service under test is started and scaled: one Protocol, and a driver a module."""

from collections.abc import Callable, Mapping
from typing import Protocol

from loadbench.engine.journal.events import Container
from loadbench.errors import StackError

LOG_LINES = 15
"""How many of the last lines of what failed are kept."""

BYTES_PER_MB = 1024 * 1024

Say = Callable[[str, str], None]
"""Called with a step and its newest line, from whatever thread the driver works in."""


class Stack(Protocol):
    """A service that can be scaled.

    `prepare`, `scale` and `missing` may take a while and are called in a thread of their own, one
    at a time. `fault`, `containers` and `cpu_cores_here` are called from the runner's thread,
    several times a second, and answer at once from what is known. `close` may be called at any
    moment, even while `prepare` or `scale` are under way, which then end with a `StackError`.
    """

    @property
    def host(self) -> str:
        """The address that requests go to, without a path; known once nothing is `missing`."""

    def prepare(self, say: Say) -> Mapping[str, str]:
        """Do what is needed once: build, pull.

        Returns:
            The digest of every service's image; empty where there are no images.

        Raises:
            StackError: It cannot be done; no cell can be measured.
            EngineError: As above.
        """

    def scale(self, models: int, say: Say) -> None:
        """Start what is missing and end what is too much, and replace what has ended.

        Raises:
            StackError: Something cannot be started; another cell may go well.
            EngineError: No cell can be measured any more.
        """

    def missing(self, models: int) -> str | None:
        """Return what is not ready yet, as part of a sentence; None: all is ready."""

    def fault(self) -> StackError | None:
        """Return what ended without being asked to; None: nothing did."""

    def containers(self) -> tuple[Container, ...]:
        """Return the state of everything that was started."""

    def cpu_cores_here(self) -> float | None:
        """Return the cores of this machine that what was started uses; None: nobody can tell."""

    def close(self) -> str | None:
        """End everything that was started. Safe to call twice; raises nothing.

        Returns:
            What could not be ended, as a sentence; None: nothing is left.
        """
