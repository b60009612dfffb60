"""The `docker` command line: one-shot commands, streaming commands and their errors."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import PIPE
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from loadbench.engine.bounds.loopback import is_loopback
from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.bounds.texts import shortened
from loadbench.engine.drivers.docker.command import (
    MAX_BYTES,
    CommandStoppedError,
    Completed,
    run_command,
)
from loadbench.engine.process import SupervisedProcess
from loadbench.errors import EngineError

COMMAND_TIMEOUT_S = 10.0
"""Timeout of a short command, with a margin for a busy engine."""

MAX_ERROR_LINES = 5
MAX_ERROR_CHARACTERS = 1_000
"""Limit for a line of a message."""

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_INSTALL = "https://docs.docker.com/engine/install/"
_NO_ENGINE = (
    "cannot connect to the docker daemon",
    "is the docker daemon running",
    "failed to connect to the docker api",
    "error during connect",
)
_NO_PERMISSION = "permission denied while trying to connect"


class EngineTimeoutError(EngineError):
    """The engine did not respond within the timeout."""


class DockerCommandError(EngineError):
    """A docker command failed.

    Args:
        lines: Last lines of its error output.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(lines[-1] if lines else "docker failed without an error message")
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address of an engine, from `DOCKER_HOST` or the current Docker context."""

    context: str
    url: str

    @property
    def is_remote(self) -> bool:
        """Whether the engine runs on another machine, so that its loopback is unreachable."""
        parts = urlsplit(self.url)
        is_local = parts.scheme in ("unix", "npipe", "fd")
        return not is_local and not is_loopback(parts.hostname)

    @property
    def flags(self) -> tuple[str, ...]:
        """Command-line options that select this engine and override the environment."""
        if self.context == "default":
            return ("--host", self.url)
        return ("--context", self.context)


@dataclass(frozen=True, slots=True)
class Docker:
    """The `docker` command line for one engine.

    Args:
        endpoint: The engine.
        settings: Environment variables to set; a value of None unsets an inherited variable.
    """

    endpoint: Endpoint
    # May contain passwords.
    settings: Mapping[str, str | None] = field(default_factory=dict, repr=False)

    def with_settings(self, **settings: str) -> "Docker":
        """Return the same command line with further environment variables."""
        return replace(self, settings={**self.settings, **settings})

    @property
    def command(self) -> list[str]:
        """Program and options that precede every subcommand.

        Raises:
            EngineError: Docker is not installed.
        """
        return [_binary(), *self.endpoint.flags]

    @property
    def environment(self) -> dict[str, str]:
        """Complete environment of the commands."""
        merged = {**os.environ, **self.settings}
        return {name: value for name, value in merged.items() if value is not None}

    def run(
        self,
        *arguments: str,
        timeout_s: float = COMMAND_TIMEOUT_S,
        merge_stderr: bool = False,
        cancel: Event | None = None,
    ) -> str:
        """Run a short command and return its output; see `complete`."""
        return self.complete(
            *arguments, timeout_s=timeout_s, merge_stderr=merge_stderr, cancel=cancel
        ).output

    def complete(
        self,
        *arguments: str,
        timeout_s: float = COMMAND_TIMEOUT_S,
        merge_stderr: bool = False,
        cancel: Event | None = None,
    ) -> Completed:
        """Run a short command that succeeds.

        Args:
            arguments: Subcommand and its arguments.
            timeout_s: Time limit, after which the command is terminated.
            merge_stderr: Include standard error in the output.
            cancel: Event that terminates the command when it is set.

        Raises:
            EngineTimeoutError: The command did not finish in time.
            DockerCommandError: The command failed.
            EngineError: Docker is not installed, the engine is unreachable, permission is
                denied, or the command printed too much or was cancelled.
        """
        try:
            completed = run_command(
                [*self.command, *arguments],
                environment=self.environment,
                timeout_s=timeout_s,
                merge_stderr=merge_stderr,
                cancel=cancel,
            )
        except TimeoutError:
            raise EngineTimeoutError(
                f"the Docker engine at {self.endpoint.url} did not respond within {timeout_s:g} s"
            ) from None
        except CommandStoppedError as error:
            raise EngineError(f"docker {arguments[0]} {error}") from error
        except OSError as error:
            raise EngineError(f"cannot run docker: {error}") from error
        if completed.code:
            lines = completed.error_output.splitlines() or completed.output.splitlines()
            raise self.error(lines)
        return completed

    def follow(self, *arguments: str) -> SupervisedProcess:
        """Start a command that runs until it is terminated, with its output in a pipe.

        Raises:
            EngineError: Docker is not installed or cannot be started.
        """
        try:
            return SupervisedProcess(
                [*self.command, *arguments],
                cwd=Path("/"),
                environment=self.environment,
                stdout=PIPE,
            )
        except OSError as error:
            raise EngineError(f"cannot start docker: {error}") from error

    def error(self, lines: Iterable[str]) -> EngineError:
        """Convert the error output of a failed command to an error."""
        messages = [shortened(line.strip(), MAX_ERROR_CHARACTERS) for line in lines if line.strip()]
        text = "\n".join(messages).lower()
        if _NO_PERMISSION in text:
            return EngineError(
                f"permission denied for the Docker engine at {self.endpoint.url}: "
                "run `sudo usermod -aG docker $USER`, then log in again"
            )
        if any(phrase in text for phrase in _NO_ENGINE):
            url = self.endpoint.url
            if url.startswith("ssh:"):
                return EngineError(f"cannot connect to the Docker engine at {url}: {messages[-1]}")
            return EngineError(
                f"cannot connect to the Docker engine at {url}: start it "
                "(`sudo systemctl start docker`), or check DOCKER_HOST and `docker context ls`"
            )
        return DockerCommandError(messages[-MAX_ERROR_LINES:])

    def with_address(self, error: EngineError) -> EngineError:
        """Return the error with the address of the engine in its message."""
        url = self.endpoint.url
        return error if url in str(error) else EngineError(f"the Docker engine at {url}: {error}")


def current_endpoint() -> Endpoint:
    """Return the engine that a plain `docker` command would use, without contacting it.

    Raises:
        EngineError: Docker is not installed, or its context cannot be read.
    """
    try:
        completed = run_command(
            [_binary(), "context", "inspect"], environment=os.environ, timeout_s=COMMAND_TIMEOUT_S
        )
        return parse(completed.output, _parse_context, max_bytes=MAX_BYTES)
    except TimeoutError:
        message = f"`docker context inspect` did not finish within {COMMAND_TIMEOUT_S:g} s"
        raise EngineError(message) from None
    except CommandStoppedError as error:
        raise EngineError(f"`docker context inspect` {error}") from error
    except OSError as error:
        raise EngineError(f"cannot run docker: {error}") from error
    except BadInputError as error:
        last = completed.error_output.strip().splitlines()[-1:] or [str(error)]
        raise EngineError(f"`docker context inspect` failed: {last[0]}") from None


def engine_info(docker: Docker) -> dict[str, Any]:
    """Return the parsed output of `docker info`.

    Raises:
        EngineError: The engine cannot be used.
    """
    info = _parse_info(docker.run("info", "--format", "{{json .}}"))
    if errors := info.get("ServerErrors"):
        raise docker.error(map(str, errors) if isinstance(errors, list) else [str(errors)])
    return info


def compose_version(docker: Docker) -> str:
    """Return the version of Docker Compose, without contacting an engine.

    Raises:
        EngineError: Docker Compose v2 is not installed.
    """
    try:
        return docker.run("compose", "version", "--short").strip()
    except DockerCommandError:
        raise EngineError(
            "Docker Compose v2 is not installed (`docker compose version` failed): install the "
            f"package docker-compose-plugin, see {_INSTALL}"
        ) from None


def strip_escapes(raw: bytes | str) -> str:
    """Return a line of a command's output without terminal escape sequences.

    `docker stats` writes them into pipes too: https://github.com/docker/cli/issues/2614. Log lines
    of services need this even after that issue is fixed.
    """
    return _ESCAPES.sub("", _text(raw) if isinstance(raw, bytes) else raw).rstrip()


def _parse_context(text: str) -> Endpoint:
    context = from_json(text)[0]
    url = str(context["Endpoints"]["docker"]["Host"])
    # Raises a ValueError for an address that `Endpoint` could not handle.
    urlsplit(url)
    return Endpoint(str(context["Name"]), url)


def _parse_info(text: str) -> dict[str, Any]:
    try:
        return parse(text, lambda data: dict(from_json(data)), max_bytes=MAX_BYTES)
    except BadInputError:
        raise DockerCommandError(
            ["docker info did not return JSON", *text.splitlines()[-1:]]
        ) from None


def _binary() -> str:
    found = shutil.which("docker")
    if found is None:
        raise EngineError(
            f"Docker is not installed: `docker` was not found on the PATH. See {_INSTALL}"
        )
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
