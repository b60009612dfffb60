"""Parameters from the runner."""

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from loadbench.engine.load.wire import (
    CLIENTS_VARIABLE,
    SCENARIO_VARIABLE,
    STATUS_FD_VARIABLE,
    TIMEOUT_VARIABLE,
    TOKEN_VARIABLE,
)

STOP_GRACE_S = 2.0
"""Seconds that a stopping user may take beyond the request timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Settings of Locust's HTTP clients, from the profile."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of requests to the service, unless the user's code sets them."""
    verify: bool = True
    """Whether certificates are verified."""
    ca_file: str | None = None
    """PEM file with the certificate of a CA. None: public ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSettings:
    """What Locust executes, from the profile."""

    files: tuple[str, ...]
    """Absolute paths of the locustfiles."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Command-line options by name without dashes, with the values as in a shell."""
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    user_classes: tuple[str, ...] = ()
    """User classes to use. Empty: all."""
    keep_host: tuple[str, ...] = ()
    """User classes that keep their own host."""
    measurements: tuple[str, ...] = ()
    """Types or names of events that are no requests, in which `*` stands for any text."""
    main: str | None = None
    """Name of the main requests. None: all requests."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Parameters that the runner passes in the environment."""

    token: str
    """Secret required in every request to the web API."""
    status_fd: int
    """File descriptor of the pipe to the runner."""
    timeout_s: float
    """Timeout of one request of a user, in seconds."""
    clients: ClientSettings
    scenario: ScenarioSettings

    @property
    def stop_timeout_s(self) -> float:
        """Seconds after which stopping users are killed if their last request has not finished."""
        return self.timeout_s + STOP_GRACE_S

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> "Settings":
        """Read the settings. Remove what may be secret, so that no child process inherits it."""
        return cls(
            token=environ.pop(TOKEN_VARIABLE),
            status_fd=int(environ.pop(STATUS_FD_VARIABLE)),
            timeout_s=float(environ[TIMEOUT_VARIABLE]),
            clients=ClientSettings(**json.loads(environ.pop(CLIENTS_VARIABLE, "{}"))),
            scenario=ScenarioSettings(**json.loads(environ.pop(SCENARIO_VARIABLE))),
        )
