"""Helpers for tests with a real Docker engine: workspaces, queries and a proxy."""

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from loadbench.engine.drivers.compose.project.files import project_name
from tests.support.harness import FAST, Bench

DOCKER_CONFIG = os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))
OURS = FAST.replace("driver: local", "driver: compose")
THEIRS: dict[str, Any] = {
    "models": [1, 2],
    "users": [2],
    "spawn_rates": [10],
    "run_time": "1s",
    "settle": {"max": "0s"},
    "stack": {
        "driver": "compose",
        "compose": ["foreign/compose.yaml"],
        "service": "app",
        "health": "/ping",
        "startup_timeout": "60s",
    },
    "load": {"locustfile": "foreign/user.py", "timeout": "5s"},
}

LONG = ("--set", "run_time=120s")
HELPERS = ("engine/process.py", "bin/docker --", "docker-compose")
"""Parts of the command lines of processes that a live run needs for Docker."""


def docker(*arguments: str, check: bool = True) -> str:
    """Run a `docker` command, and return its output."""
    completed = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=120, check=check
    )
    return completed.stdout.strip()


def missing_engine_reason() -> str | None:
    """Return the reason why Docker with Compose v2 is unavailable, or None if it is available."""
    if shutil.which("docker") is None:
        return "the docker command is not installed"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        completed = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if completed.returncode:
            output = (completed.stderr or completed.stdout).strip()[-200:]
            return f"`{' '.join(command)}`: {output}"
    return None


@dataclass
class DockerBench(Bench):
    """A workspace whose runs start containers."""

    fixed: dict[str, str] = field(default_factory=dict)
    """Environment variables for all commands."""

    @classmethod
    def make(cls, folder: Path, profile: str = OURS, name: str = "fast") -> "DockerBench":
        made = Bench.make(folder, profile, name)
        return cls(made.root, made.home, fixed={"DOCKER_CONFIG": DOCKER_CONFIG})

    def start(
        self, *arguments: str, prefix: Sequence[str] = (), **environment: str
    ) -> "subprocess.Popen[str]":
        return super().start(*arguments, prefix=prefix, **{**self.fixed, **environment})

    def helpers(self) -> list[str]:
        """Return the command lines of the processes that runs of this workspace need for Docker."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                line = " ".join(process.cmdline())
                is_ours = process.environ().get("HOME") == str(self.home)
                if is_ours and any(words in line for words in HELPERS):
                    found.append(line)
        return found

    def save_foreign_profile(self, name: str = "theirs", **changes: Any) -> Path:
        """Save a profile for the foreign project. The key `stack` is merged with the default."""
        keys = {**THEIRS, **changes, "stack": {**THEIRS["stack"], **changes.get("stack", {})}}
        return self.save_profile(yaml.safe_dump(keys), name)

    def change_foreign_services(self, **services: Mapping[str, Any]) -> None:
        """Change services of the foreign project. The value None removes a key."""
        file = self.root / "foreign" / "compose.yaml"
        config = yaml.safe_load(file.read_text())
        for name, changes in services.items():
            merged = {**config["services"].get(name, {}), **changes}
            config["services"][name] = {k: v for k, v in merged.items() if v is not None}
        file.write_text(yaml.safe_dump(config))

    @property
    def projects(self) -> list[str]:
        """Names of this workspace's compose projects."""
        stack = self.root / "stack"
        foreign = (self.root / "foreign" / "compose.yaml",)
        ours = (stack / "compose.yaml",)
        return [project_name(paths) for paths in (ours, (*ours, self.addition), foreign)]

    @property
    def addition(self) -> Path:
        """Path of a compose file that a profile may add to ours."""
        return self.root / "network.yaml"

    def left(self) -> list[str]:
        """Return the leftover containers and networks of the workspace's projects."""
        found = []
        for project in self.projects:
            label = f"label=com.docker.compose.project={project}"
            found += docker("ps", "-a", "--filter", label, "--format", "{{.Names}}").split()
            found += docker("network", "ls", "--filter", label, "--format", "{{.Name}}").split()
        return found

    def container(self, name: str) -> str:
        """Return the full name of a container, given its short name, such as `app-1`."""
        for project in self.projects:
            label = f"label=com.docker.compose.project={project}"
            names = docker("ps", "-a", "--filter", label, "--format", "{{.Names}}").split()
            if f"{project}-{name}" in names:
                return f"{project}-{name}"
        raise AssertionError(f"no container {name} in {self.projects}")

    def reason(self, key: str, name: str = "theirs") -> str:
        """Return the reason why a cell failed."""
        failed = self.state(name).cells[key].failed
        assert failed is not None, self.state(name).cells[key]
        return failed.reason

    def close(self) -> None:
        super().close()
        for project in self.projects:
            docker("compose", "-p", project, "down", "--timeout", "1", check=False)
            images = docker("image", "ls", "--quiet", f"{project}-*")
            if images:
                docker("image", "rm", *images.split(), check=False)


class EngineProxy:
    """A proxy for the engine's socket, on another Unix socket.

    Args:
        path: Path of the proxy's socket.
        context: Output of `docker context inspect`, with the address of the engine.
    """

    def __init__(self, path: Path, context: str) -> None:
        self._path = path
        host = json.loads(context)[0]["Endpoints"]["docker"]["Host"]
        self._engine = host.removeprefix("unix://")
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: list[socket.socket] = []
        self.listen()

    @property
    def host(self) -> str:
        """Value for `DOCKER_HOST`."""
        return f"unix://{self._path}"

    def listen(self) -> None:
        """Start to accept connections. May be called again after `close`."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def hang(self) -> None:
        """Accept connections but do not forward data, like a hung engine."""
        self._flowing.clear()

    def go_on(self) -> None:
        """Forward the pending data and all later data, to end `hang`."""
        self._flowing.set()

    def close(self) -> None:
        """Close all connections and remove the socket."""
        self._path.unlink(missing_ok=True)
        for sock in [self._listener, *self._sockets]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._sockets.clear()
        self._flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self._engine)
            self._sockets += [client, engine]
            for source, target in ((client, engine), (engine, client)):
                threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                self._flowing.wait()
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)
