"""The interface of a driver: preflight, stack, and removal of leftovers.

Each driver is a package. Its settings are in `engine/profile/driver_settings.py`, its `Driver` is
in `driver.py`, and the registry finds it by name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from loadbench.engine.journal.events import Container
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.profile.model import Profile
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import EngineError, StackError
from loadbench.workspace import Workspace

MAX_LOG_LINES = 15
"""Number of lines to keep from the end of the log of a failed container or process."""

BYTES_PER_MB = 1024 * 1024

ProgressCallback = Callable[[str, str], None]
"""Callback that receives the name of a step and its latest progress line. Must be thread-safe."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica of the scaled service with a port of its own."""

    name: str
    """Name of its container."""
    url: str
    """Base URL, with the path that all requests share."""


class Stack(Protocol):
    """A service that can be scaled.

    `prepare`, `shrink`, `scale` and `missing` may block. They run in a background thread, one call
    at a time. `fault`, `containers` and `local_cpu_cores` are called from the runner's thread
    several times a second and must return immediately, from cached data. `close` may be called at
    any time, even during `prepare`, `shrink` or `scale`, which then raise a `StackError`.
    """

    @property
    def host(self) -> str:
        """Base URL of the service. Valid once `missing` has returned None."""

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """The replicas among which the load generator distributes its users, in order.

        Empty if all requests go to `host`. Valid once `missing` has returned None.
        """

    def prepare(self, on_progress: ProgressCallback) -> Mapping[str, str]:
        """Perform the one-time setup of a run, such as building and pulling images.

        Returns:
            Image digests by service; empty if the driver uses no images.

        Raises:
            StackError: The preparation failed; no cell can be measured.
            EngineError: The Docker engine cannot be used; no cell can be measured.
        """

    def shrink(self, models: int, on_progress: ProgressCallback) -> None:
        """Stop and remove surplus replicas. Called before `scale`, whose time limit it ignores.

        A replica has its own time to stop, its grace period, which may be longer than a start.

        Raises:
            StackError: A replica did not stop; the message names it.
            EngineError: The Docker engine cannot be used; no other cell can be measured.
        """

    def scale(self, models: int, on_progress: ProgressCallback) -> None:
        """Start missing replicas and replace exited ones.

        Raises:
            StackError: A service failed to start; other cells may still work.
            EngineError: The Docker engine cannot be used; no other cell can be measured.
        """

    def missing(self, models: int) -> str | None:
        """Return a phrase that describes what is not ready yet, or None if everything is ready."""

    def fault(self) -> StackError | EngineError | None:
        """Return an error if a part of the stack has failed, or None if there is no fault.

        An `EngineError` means that the Docker engine cannot be used; no other cell can be measured.
        """

    def containers(self) -> tuple[Container, ...]:
        """Return the state of all started containers or processes."""

    def local_cpu_cores(self) -> float | None:
        """Return the CPU use of the stack on this machine in cores, or None if it is unknown."""

    def close(self) -> str | None:
        """Stop everything that was started. Idempotent; never raises an exception.

        Returns:
            A sentence that describes what could not be stopped, or None if nothing is left.
        """


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Containers left behind by runs that are no longer live."""

    containers: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    """Names of the containers, by run folder."""
    unknown: tuple[str, ...] = ()
    """One error message for each engine that could not be queried."""


class Driver(Protocol):
    """A way to start and scale the service under test. Stateless."""

    @property
    def name(self) -> str:
        """The value of `stack.driver` that selects this driver."""

    def preflight(self, workspace: Workspace, profile: Profile) -> Preflight:
        """Check whether this machine can run a profile, without starting anything.

        Returns:
            The result. Its `reason` states why the driver can be used on this machine.

        Raises:
            ProfileError: A file named in the profile cannot be used.
            RefusedError: This machine cannot run the profile. The message states the cause and a
                remedy.
        """

    def validate(self, workspace: Workspace, profile: Profile) -> list[str]:
        """Perform the checks of a profile that do not depend on the machine.

        Returns:
            Warnings about valid but probably unintended settings, one sentence each.

        Raises:
            ProfileError: The profile is invalid on every machine.
            EngineError: A tool required for the check is not installed.
        """

    def open(
        self, workspace: Workspace, profile: Profile, folder: Path, masker: Masker = NO_SECRETS
    ) -> Stack:
        """Return the stack of a run without starting it. `Stack.prepare` writes the first file.

        Args:
            workspace: Location of the stack's files.
            profile: The profile to run, without references; it has passed the preflight.
            folder: The run's folder; it may not exist yet.
            masker: Masks the secret values of the profile in log lines.

        Raises:
            ProfileError: Files have changed since the preflight.
            RefusedError: The machine has changed since the preflight.
        """

    def leftovers(self, runs: Iterable[Run]) -> Leftovers:
        """Find containers left behind by runs that are no longer live.

        Args:
            runs: Runs that were started with this driver.
        """

    def clear_leftovers(self, run: Run) -> str | None:
        """Remove the leftovers of a run that is no longer live.

        Returns:
            A sentence that describes what could not be removed, or None if nothing is left.

        Raises:
            RefusedError: A live run uses the same resources.
        """
