"""Docker from outside: its command line, asked and followed, and the errors it answers with."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadbench.engine.process import SupervisedProcess
from loadbench.errors import EngineError

ASK_TIMEOUT_S = 10.0
"""Longer than an engine that is merely busy takes to answer."""

LAST_LINES = 5
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_INSTALL = "https://docs.docker.com/engine/install/"
_NO_ENGINE = (
    "cannot connect to the docker daemon",
    "is the docker daemon running",
    "failed to connect to the docker api",
    "error during connect",
)
_NO_PERMISSION = "permission denied while trying to connect"


class SilentEngineError(EngineError):
    """The engine takes too long to answer."""


class DockerCallError(EngineError):
    """The engine, or the command line, answered with an error of its own.

    Args:
        lines: What it said, the last lines last.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(lines[-1] if lines else "docker failed and said nothing")
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The engine that the command line talks to, by `DOCKER_HOST` or its current context."""

    context: str
    url: str

    @property
    def remote(self) -> bool:
        """Whether ports that it publishes on loopback are not on this machine's loopback."""
        parts = urlsplit(self.url)
        here = parts.scheme in ("unix", "npipe", "fd")
        return not here and parts.hostname not in ("127.0.0.1", "localhost", "::1")

    @property
    def flags(self) -> tuple[str, ...]:
        """What makes the command line talk to this engine, whatever its environment says."""
        if self.context == "default":
            return ("--host", self.url)
        return ("--context", self.context)


@dataclass(frozen=True, slots=True)
class Docker:
    """The command line, for one engine.

    Args:
        endpoint: The engine.
        settings: Environment variables for it; None: without that one of our own environment.
    """

    endpoint: Endpoint
    settings: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """What every command line begins with.

        Raises:
            EngineError: There is no such program.
        """
        return [_binary(), *self.endpoint.flags]

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment that commands get."""
        merged = {**os.environ, **self.settings}
        return {name: value for name, value in merged.items() if value is not None}

    def ask(self, *arguments: str, timeout_s: float = ASK_TIMEOUT_S, merged: bool = False) -> str:
        """Return what a short command prints.

        Args:
            arguments: The command.
            timeout_s: It is ended after this.
            merged: Return its standard error too, where it belongs in between.

        Raises:
            SilentEngineError: It did not within the time.
            DockerCallError: It failed for a reason of its own.
            EngineError: There is no engine, no command line, or no permission to use them.
        """
        try:
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                process = self._start(arguments, stdout=out, stderr=out if merged else err)
                code = process.wait(timeout_s)
                process.end()
                out.seek(0)
                err.seek(0)
                said, complaint = _text(out.read()), _text(err.read())
        except OSError as error:
            raise EngineError(f"docker cannot be asked: {error}") from error
        if code is None:
            raise SilentEngineError(
                f"the Docker engine at {self.endpoint.url} did not answer within {timeout_s:g} s"
            )
        if code:
            raise self.error(complaint.splitlines() or said.splitlines())
        return said

    def follow(self, *arguments: str) -> SupervisedProcess:
        """Start a command that goes on until it is ended; its output is a pipe."""
        return self._start(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def error(self, lines: Iterable[str]) -> EngineError:
        """Return the error that stands for what the command line has said."""
        said = [line.strip() for line in lines if line.strip()]
        whole = "\n".join(said).lower()
        if _NO_PERMISSION in whole:
            return EngineError(
                f"no permission to use the Docker engine at {self.endpoint.url}: "
                "`sudo usermod -aG docker $USER`, then log in again"
            )
        if any(words in whole for words in _NO_ENGINE):
            url = self.endpoint.url
            if url.startswith("ssh:"):
                return EngineError(f"no Docker engine answers at {url}: {said[-1]}")
            return EngineError(
                f"no Docker engine answers at {url}: start it "
                "(`sudo systemctl start docker`), or see DOCKER_HOST and `docker context ls`"
            )
        return DockerCallError(said[-LAST_LINES:])

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
            raise EngineError(f"docker cannot be started: {error}") from error


def current_endpoint() -> Endpoint:
    """Return the engine that a plain `docker` would talk to; nothing is asked of it.

    Raises:
        EngineError: There is no command line, or its context is broken.
    """
    try:
        told = subprocess.run(
            [_binary(), "context", "inspect"],
            capture_output=True,
            text=True,
            timeout=ASK_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
        context = json.loads(told.stdout)[0]
        return Endpoint(context["Name"], context["Endpoints"]["docker"]["Host"])
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"docker cannot be run: {error}") from error
    except (ValueError, LookupError, TypeError):
        last = told.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise EngineError(f"`docker context inspect` failed: {last[0]}") from None


def engine_info(docker: Docker) -> dict[str, Any]:
    """Return what the engine tells of itself, as `docker info` has it.

    Raises:
        EngineError: It cannot be used.
    """
    info = _parsed(docker.ask("info", "--format", "{{json .}}"))
    if errors := info.get("ServerErrors"):
        raise docker.error(errors)
    return info


def compose_version(docker: Docker) -> str:
    """Return the version of Compose; no engine is needed for that.

    Raises:
        EngineError: There is no Compose v2.
    """
    try:
        return docker.ask("compose", "version", "--short").strip()
    except DockerCallError:
        raise EngineError(
            "Docker Compose v2 is missing (`docker compose version` fails): install the package "
            f"docker-compose-plugin, see {_INSTALL}"
        ) from None


def clean(raw: bytes | str) -> str:
    """Return a line of a command's output without what steers a terminal.

    `docker stats` writes that into pipes too: https://github.com/docker/cli/issues/2614. Its lines
    can do without this when that is closed; those of services cannot.
    """
    return _ESCAPES.sub("", _text(raw) if isinstance(raw, bytes) else raw).rstrip()


def _parsed(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        raise DockerCallError(["docker info gave no JSON", *text.splitlines()[-1:]]) from None


def _binary() -> str:
    found = shutil.which("docker")
    if found is None:
        raise EngineError(f"Docker is not installed: there is no `docker` here. {_INSTALL}")
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
