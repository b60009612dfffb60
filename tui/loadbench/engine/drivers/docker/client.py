"""The `docker` command line: one-shot commands, streaming commands and their errors."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadbench.engine.process import SupervisedProcess
from loadbench.errors import EngineError

COMMAND_TIMEOUT_S = 10.0
"""Timeout of a short command, with a margin for a busy engine."""

MAX_ERROR_LINES = 5
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
        return not is_local and parts.hostname not in ("127.0.0.1", "localhost", "::1")

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
        self, *arguments: str, timeout_s: float = COMMAND_TIMEOUT_S, merge_stderr: bool = False
    ) -> str:
        """Run a short command and return its output.

        Args:
            arguments: Subcommand and its arguments.
            timeout_s: Time limit, after which the command is terminated.
            merge_stderr: Include standard error in the output.

        Raises:
            EngineTimeoutError: The command did not finish in time.
            DockerCommandError: The command failed.
            EngineError: Docker is not installed, the engine is unreachable, or permission is
                denied.
        """
        try:
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                process = self._start(arguments, stdout=out, stderr=out if merge_stderr else err)
                code = process.wait(timeout_s)
                process.stop()
                out.seek(0)
                err.seek(0)
                output, error_output = _text(out.read()), _text(err.read())
        except OSError as error:
            raise EngineError(f"cannot run docker: {error}") from error
        if code is None:
            raise EngineTimeoutError(
                f"the Docker engine at {self.endpoint.url} did not respond within {timeout_s:g} s"
            )
        if code:
            raise self.error(error_output.splitlines() or output.splitlines())
        return output

    def follow(self, *arguments: str) -> SupervisedProcess:
        """Start a command that runs until it is terminated, with its output in a pipe."""
        return self._start(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def error(self, lines: Iterable[str]) -> EngineError:
        """Convert the error output of a failed command to an error."""
        messages = [line.strip() for line in lines if line.strip()]
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

    def _start(self, arguments: Sequence[str], *, stdout: Any, stderr: Any) -> SupervisedProcess:
        try:
            return SupervisedProcess(
                [*self.command, *arguments],
                cwd=Path("/"),
                environment=self.environment,
                stdout=stdout,
                stderr=stderr,
            )
        except OSError as error:
            raise EngineError(f"cannot start docker: {error}") from error


def current_endpoint() -> Endpoint:
    """Return the engine that a plain `docker` command would use, without contacting it.

    Raises:
        EngineError: Docker is not installed, or its context cannot be read.
    """
    try:
        result = subprocess.run(
            [_binary(), "context", "inspect"],
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
        context = json.loads(result.stdout)[0]
        return Endpoint(context["Name"], context["Endpoints"]["docker"]["Host"])
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"cannot run docker: {error}") from error
    except (ValueError, LookupError, TypeError):
        last = result.stderr.strip().splitlines()[-1:] or ["no error message"]
        raise EngineError(f"`docker context inspect` failed: {last[0]}") from None


def engine_info(docker: Docker) -> dict[str, Any]:
    """Return the parsed output of `docker info`.

    Raises:
        EngineError: The engine cannot be used.
    """
    info = _parse_info(docker.run("info", "--format", "{{json .}}"))
    if errors := info.get("ServerErrors"):
        raise docker.error(errors)
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


def _parse_info(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
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
