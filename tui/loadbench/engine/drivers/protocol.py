"""What every driver offers: a preflight, a stack to start and scale, and the removal of leftovers.

A driver is a folder: its settings are in `engine/profile/driver_settings.py`, its `Driver` in
`driver.py`, and the registry finds it by its name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from loadbench.engine.journal.events import Container
from loadbench.engine.profile.model import Profile
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import StackError
from loadbench.workspace import Workspace

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


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What runs that have ended have left behind."""

    containers: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    """Names of containers that are still there, by the folder of their run."""
    unknown: tuple[str, ...] = ()
    """Why something could not be asked, a sentence each."""


class Driver(Protocol):
    """A way to start and scale the service under test. It keeps no state between calls."""

    @property
    def name(self) -> str:
        """The value of `stack.driver` that asks for it."""

    def preflight(self, workspace: Workspace, profile: Profile) -> Preflight:
        """Check whether this machine can run a profile; start nothing.

        Returns:
            What was found. Its reason is why this driver works here.

        Raises:
            ProfileError: Files that the profile names cannot be used.
            RefusedError: This machine cannot run it; the message says why and what to do.
        """

    def validate(self, workspace: Workspace, profile: Profile) -> list[str]:
        """Check a profile as far as that is possible on any machine.

        Returns:
            Valid but probably unintended settings, a sentence each.

        Raises:
            ProfileError: The profile cannot be used anywhere.
            EngineError: What is needed for the check is not installed here.
        """

    def open(self, workspace: Workspace, profile: Profile, folder: Path) -> Stack:
        """Return the stack of a run, not started yet. It writes nothing before `Stack.prepare`.

        Args:
            workspace: Where the files are.
            profile: What to start; it has passed the preflight.
            folder: The run's folder; it need not be there yet.

        Raises:
            ProfileError: Files have changed since the preflight.
            RefusedError: The machine has changed since the preflight.
        """

    def leftovers(self, runs: Iterable[Run]) -> Leftovers:
        """Look for what those of the runs that have ended have left behind.

        Args:
            runs: Runs that were begun with this driver.
        """

    def clear_leftovers(self, run: Run) -> str | None:
        """Remove what a run that has ended has left behind.

        Returns:
            What could not be removed, as a sentence; None: nothing is left.

        Raises:
            RefusedError: A live run uses it.
        """
