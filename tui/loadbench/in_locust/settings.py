"""Parameters from the runner, and the pipe that reports readiness to it."""

import json
import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from loadbench.engine.load.wire import READY_FD_VARIABLE, TIMEOUT_VARIABLE, TOKEN_VARIABLE

STOP_GRACE_S = 2.0
"""Seconds that a stopping user may take beyond the request timeout."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Parameters that the runner passes in the environment."""

    token: str
    """Secret required in every request to the web API."""
    ready_fd: int
    """File descriptor of the pipe to the runner."""
    timeout_s: float
    """Timeout of one request of a user, in seconds."""

    @property
    def stop_timeout_s(self) -> float:
        """Seconds after which stopping users are killed if their last request has not finished."""
        return self.timeout_s + STOP_GRACE_S

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> "Settings":
        """Read the settings. Remove the token, so that no child process inherits it."""
        return cls(
            token=environ.pop(TOKEN_VARIABLE),
            ready_fd=int(environ.pop(READY_FD_VARIABLE)),
            timeout_s=float(environ[TIMEOUT_VARIABLE]),
        )

    def notify_runner(self, message: dict[str, Any]) -> None:
        """Send the startup message to the runner and close the pipe."""
        os.write(self.ready_fd, json.dumps(message).encode() + b"\n")
        os.close(self.ready_fd)
