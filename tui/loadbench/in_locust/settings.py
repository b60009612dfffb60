"""What the runner tells Locust's process, and the pipe on which that says that it is ready."""

import json
import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from loadbench.engine.load.wire import READY_FD_VARIABLE, TIMEOUT_VARIABLE, TOKEN_VARIABLE

STOP_GRACE_S = 2.0
"""How much longer than a request's timeout a user may take to end."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the runner told in the environment."""

    token: str
    """Every request to the web API must carry it."""
    ready_fd: int
    """A pipe to the runner."""
    timeout_s: float
    """Of one request of a user."""

    @property
    def stop_timeout_s(self) -> float:
        """How long users may take to end their last request before they are killed."""
        return self.timeout_s + STOP_GRACE_S

    @classmethod
    def take(cls, environ: MutableMapping[str, str]) -> "Settings":
        """Read the settings and remove the token, so that no child process inherits it."""
        return cls(
            token=environ.pop(TOKEN_VARIABLE),
            ready_fd=int(environ.pop(READY_FD_VARIABLE)),
            timeout_s=float(environ[TIMEOUT_VARIABLE]),
        )

    def tell_runner(self, message: dict[str, Any]) -> None:
        """Say the one thing that the runner waits for, and close the pipe."""
        os.write(self.ready_fd, json.dumps(message).encode() + b"\n")
        os.close(self.ready_fd)
