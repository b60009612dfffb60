"""The `external` driver: a service that is running already."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from loadbench.engine.drivers.external.stack import ExternalStack
from loadbench.engine.drivers.protocol import Leftovers, Stack
from loadbench.engine.profile.driver_settings import ExternalSettings
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import warnings
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.workspace import Workspace


class ExternalDriver:
    """Starts nothing."""

    name = ExternalSettings.name

    def preflight(self, _workspace: Workspace, profile: Profile) -> Preflight:
        """Refuse nothing: whether the service answers is found when it is to be measured."""
        assert profile.host is not None
        parts = urlsplit(profile.host)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return Preflight(
            driver=self.name,
            reason=f"the service runs at {profile.host}",
            lock=f"{self.name}-{parts.hostname}-{port}",
            warnings=tuple(warnings(profile, None)),
        )

    def validate(self, _workspace: Workspace, _profile: Profile) -> list[str]:
        """Nothing can be said of a service that is elsewhere."""
        return []

    def open(self, _workspace: Workspace, profile: Profile, _folder: Path) -> Stack:
        """Return the service at its address."""
        return ExternalStack(profile)

    def leftovers(self, _runs: Iterable[Run]) -> Leftovers:
        """Nothing: nothing was started."""
        return Leftovers()

    def clear_leftovers(self, _run: Run) -> str | None:
        """Nothing is left."""
        return None
