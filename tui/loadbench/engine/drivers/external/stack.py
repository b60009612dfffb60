"""The stack of the `external` driver: a service that is already running."""

from collections.abc import Mapping
from pathlib import Path

from loadbench.engine.drivers.health import HealthChecks
from loadbench.engine.drivers.protocol import ProgressCallback, Replica
from loadbench.engine.journal.events import Container
from loadbench.engine.profile.driver_settings import ExternalSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import StackError


class ExternalStack:
    """A service at a fixed address. It is never started, scaled or stopped.

    Args:
        profile: The profile to run. Its number of models is only a label.
        root: Folder of the workspace.
    """

    def __init__(self, profile: Profile, root: Path) -> None:
        assert profile.host is not None
        self._host = profile.host
        self._health = HealthChecks.of(ExternalSettings.from_profile(profile), root)

    @property
    def host(self) -> str:
        """Base URL of the service."""
        return self._host

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """Empty: all requests go to `host`."""
        return ()

    def prepare(self, _on_progress: ProgressCallback) -> Mapping[str, str]:
        """Do nothing: there are no images."""
        return {}

    def shrink(self, _models: int, _on_progress: ProgressCallback) -> None:
        """Begin a start, without scaling: the service cannot be scaled."""
        self._health.begin()

    def scale(self, _models: int, _on_progress: ProgressCallback) -> None:
        """Do nothing: the service cannot be scaled."""

    def missing(self, _models: int) -> str | None:
        """Return the reason why the service is not ready, or None if it is ready."""
        return self._health.missing(self._health.urls(self._host))

    def fault(self) -> StackError | None:
        """Return None: a fault of the service shows only as failed requests."""
        return None

    def containers(self) -> tuple[Container, ...]:
        """Return an empty tuple: the parts of the service are unknown."""
        return ()

    def local_cpu_cores(self) -> float | None:
        """Return None: the service may run on this machine, but its processes are unknown."""
        return None

    def close(self) -> str | None:
        """Do nothing: the service keeps running."""
        return None
