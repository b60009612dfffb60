"""The `external` driver: a service that is running already; nothing is started, scaled or ended."""

from collections.abc import Mapping

import requests

from loadbench.engine.drivers.health import ask_health, health_url, lacking_workers
from loadbench.engine.drivers.protocol import Say
from loadbench.engine.journal.events import Container
from loadbench.engine.profile.driver_settings import ExternalSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import StackError


class ExternalStack:
    """A service at an address.

    Args:
        profile: Says where it is; its number of models is a label.
    """

    def __init__(self, profile: Profile) -> None:
        assert profile.host is not None
        self._host = profile.host
        self._url = health_url(ExternalSettings.from_profile(profile).health, self._host)
        self._session = requests.Session()
        # Locust's users know of no proxies either.
        self._session.trust_env = False

    @property
    def host(self) -> str:
        """The service's address."""
        return self._host

    def prepare(self, _say: Say) -> Mapping[str, str]:
        """Nothing is to be built."""
        return {}

    def scale(self, _models: int, _say: Say) -> None:
        """Nothing is scaled."""

    def missing(self, _models: int) -> str | None:
        """Return what its health URL lacks; None: it is ready."""
        return lacking_workers(ask_health(self._session, self._url), None)

    def fault(self) -> StackError | None:
        """None: requests that fail are told in the numbers."""
        return None

    def containers(self) -> tuple[Container, ...]:
        """Nothing is known of what it consists of."""
        return ()

    def cpu_cores_here(self) -> float | None:
        """None: it may be on this machine, and then nobody can tell its processes."""
        return None

    def close(self) -> str | None:
        """Leave it as it is."""
        self._session.close()
        return None
