"""The `external` driver: measures a service that is already running."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from loadbench.engine.bounds.loopback import is_loopback
from loadbench.engine.drivers.external.stack import ExternalStack
from loadbench.engine.drivers.protocol import Leftovers, Stack
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.profile.driver_settings import ExternalSettings
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import warnings
from loadbench.engine.profile.target import Target
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.workspace import Workspace


class ExternalDriver:
    """Driver for a service that is already running. Starts and stops nothing."""

    name = ExternalSettings.name

    def preflight(self, _workspace: Workspace, profile: Profile) -> Preflight:
        """Return the preflight. The service is not contacted before the first cell."""
        assert profile.host is not None
        parts = urlsplit(profile.host)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        name = "localhost" if is_loopback(parts.hostname) else parts.hostname
        return Preflight(
            driver=self.name,
            reason=f"the service is at {profile.host}",
            lock=f"{self.name}-{name}-{port}",
            warnings=tuple(warnings(profile, None)),
            target=Target(address=profile.host, locustfile=profile.load.shown_locustfile),
        )

    def validate(self, _workspace: Workspace, _profile: Profile) -> list[str]:
        """Return no warnings: nothing can be checked without contacting the service."""
        return []

    def open(
        self, workspace: Workspace, profile: Profile, _folder: Path, _masker: Masker = NO_SECRETS
    ) -> Stack:
        """Return a stack for the service at the profile's `host`."""
        return ExternalStack(profile, workspace.root)

    def leftovers(self, _runs: Iterable[Run]) -> Leftovers:
        """Return no leftovers: the driver starts nothing."""
        return Leftovers()

    def clear_leftovers(self, _run: Run) -> str | None:
        """Do nothing: the driver starts nothing."""
        return None
