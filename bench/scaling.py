"""Scale a service that nothing balances, beside the user's own copy of its project.

    .venv/bin/python -m bench.scaling [--run-time 8s] [--plant]

The project is one that could not be scaled before: a fixed container name, a fixed host port, a
volume with a fixed name, and no proxy. Its API takes 30 ms for a request and has one worker
thread. The user's own copy runs all the time. The tool measures 1, 2 and 4 replicas with 16 users.

- Throughput must double with the replicas, within 10 %: 30 ms of waiting need no CPU, so nothing
  but the balance limits it.
- Each replica must get its share of the requests, within 10 %.
- The user's copy must keep its container, its port, its start time and the data in its volume, and
  must have received no request.

With `--plant`, the locustfile sends all requests to the first replica, so the first two checks must
fail, and the cells with idle replicas must be invalid. Exits with code 1 if a check fails or, with
`--plant`, if both pass. Requires Docker.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from loadbench.engine.drivers.compose.project.files import project_name
from loadbench.engine.journal.events import CellFinished, ReplicaRequests, Verdict
from loadbench.engine.measure.buckets import count
from loadbench.engine.measure.rules.registry import IDLE_REPLICA
from loadbench.engine.run_reader import read_run

MODELS = (1, 2, 4)
USERS = 16
WORK_S = 0.03
TOLERANCE = 0.1
"""Limits from the requirement: shares and doubling within 10 %."""
PROJECT = "scaling-example"
NAME = "scaling"

API = '''"""An API with one worker thread: each request waits for 30 ms."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORKER = threading.Lock()
SEEN = []


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = str(len(SEEN)).encode()
        if self.path == "/work":
            SEEN.append(1)
            with WORKER:
                time.sleep(0.03)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("", 8000), Api).serve_forever()
'''
COMPOSE = """
name: {project}
services:
  api:
    image: python:3.11-slim-bookworm
    container_name: {project}-api
    command: [python, -u, /srv/api.py]
    volumes: ["./api.py:/srv/api.py:ro", "data:/data"]
    ports: ["127.0.0.1:{port}:8000"]
    restart: always
    stop_signal: SIGKILL
volumes:
  data: {{name: {project}-data}}
"""
PROFILE = """
models: {models}
users: [{users}]
spawn_rates: [{users}]
run_time: {run_time}
settle: {{max: 0s}}
stack: {{driver: compose, compose: [project/compose.yaml], service: api, health: /count}}
load: {{locustfile: project/locustfile.py}}
"""
LOCUSTFILE = """
from locust import FastHttpUser, task


class Caller(FastHttpUser):
    @task
    def work(self):
        self.client.get("/work")
"""
PLANTED = """
from locust import FastHttpUser, task


class Caller(FastHttpUser):
    @task
    def work(self):
        self.client.get(self.environment.host + "/work", name="/work")
"""


def main() -> int:
    """Measure the project beside the user's copy, print the results and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run-time", default="8s", help="window of a cell (default: 8s)")
    parser.add_argument("--plant", action="store_true", help="send all requests to one replica")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_workspace(root, arguments.run_time, planted=arguments.plant)
        with own_copy(root / "project") as url:
            before = state_of_copy(url)
            run = subprocess.run(
                [sys.executable, "-m", "loadbench", "--workspace", folder, "run", NAME, "--plain"],
                env={**os.environ, "XDG_STATE_HOME": str(root / "state")},
                stdout=subprocess.DEVNULL,
            )
            after = state_of_copy(url)
        state = read_run((root / "reports" / NAME / "latest").resolve()).state
        cells = [cell.finished for cell in state.cells.values() if cell.finished]
    problems = [f"exit code {run.returncode}"] if run.returncode else []
    if len(cells) < len(MODELS):
        problems.append(f"only {len(cells)} of {len(MODELS)} cells measured")
    unbalanced = print_cells(cells)
    print(f"user's own copy: {'unchanged' if before == after else f'{before} → {after}'}")
    if before != after:
        problems.append("the user's own copy changed")
    if arguments.plant:
        problems += without_finding(cells[1:])
    for problem in [*problems, *unbalanced]:
        print(f"PROBLEM: {problem}")
    if arguments.plant:
        print("planted imbalance: " + ("found" if unbalanced else "NOT FOUND"))
        return bool(problems) or not unbalanced
    return bool(problems or unbalanced)


def without_finding(cells: list[CellFinished]) -> list[str]:
    """Return the cells that are not invalid because of an idle replica."""
    return [
        f"{cell.cell}: {cell.verdict}, not invalid because of an idle replica"
        for cell in cells
        if cell.verdict is not Verdict.INVALID
        or IDLE_REPLICA not in [finding.rule for finding in cell.findings]
    ]


def print_cells(cells: list[CellFinished]) -> list[str]:
    """Print the results of the cells, and return what exceeds a limit."""
    problems = []
    ideal = 1 / WORK_S
    print(f"{'cell':<14} {'verdict':<8} {'req/s':>7} {'ratio':>6} {'ideal':>6}  by replica")
    previous = None
    for models, cell in zip(MODELS, cells, strict=False):
        rate = cell.completed / cell.measured_s
        counts = [requests_of(replica) for replica in cell.replicas]
        ratio = rate / previous if previous else rate / ideal
        expected = 2.0 if previous else 1.0
        print(
            f"{cell.cell:<14} {cell.verdict:<8} {rate:>7.1f} {ratio:>6.2f} "
            f"{expected:>6.2f}  {', '.join(map(str, counts))}"
        )
        if previous and abs(ratio / expected - 1) > TOLERANCE:
            problems.append(f"{cell.cell}: throughput × {ratio:.2f} instead of × {expected:g}")
        share = sum(counts) / models
        if any(abs(one / share - 1) > TOLERANCE for one in counts) or len(counts) != models:
            problems.append(f"{cell.cell}: requests by replica {counts}, equal share {share:.0f}")
        previous = rate
    return problems


def requests_of(replica: ReplicaRequests) -> int:
    """Return the number of requests to a replica."""
    return count(replica.successes) + count(replica.failures)


def write_workspace(root: Path, run_time: str, *, planted: bool) -> None:
    """Write the project and a workspace with a profile for it."""
    project = root / "project"
    for folder in (project, root / "profiles", root / "stack", root / "images"):
        folder.mkdir()
    (project / "api.py").write_text(API, encoding="utf-8")
    text = COMPOSE.format(project=PROJECT, port=free_port())
    (project / "compose.yaml").write_text(text, encoding="utf-8")
    (project / "locustfile.py").write_text(PLANTED if planted else LOCUSTFILE, encoding="utf-8")
    profile = PROFILE.format(models=list(MODELS), users=USERS, run_time=run_time)
    (root / "profiles" / f"{NAME}.yaml").write_text(profile, encoding="utf-8")


@contextmanager
def own_copy(project: Path) -> Iterator[str]:
    """Run the user's own copy of the project, and yield its URL."""
    compose = ["docker", "compose", "--file", str(project / "compose.yaml")]
    subprocess.run([*compose, "up", "--detach"], check=True, capture_output=True)
    try:
        docker("exec", f"{PROJECT}-api", "sh", "-c", "echo seeded > /data/seed")
        port = docker("port", f"{PROJECT}-api", "8000/tcp").rpartition(":")[2]
        url = f"http://127.0.0.1:{port}/count"
        while True:
            try:
                urllib.request.urlopen(url, timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        subprocess.run([*compose, "down", "--volumes"], check=True, capture_output=True)
        # Runs keep the volumes of their project.
        ours = f"label=com.docker.compose.project={project_name((project / 'compose.yaml',))}"
        if volumes := docker("volume", "ls", "--quiet", "--filter", ours).split():
            docker("volume", "rm", *volumes)


def state_of_copy(url: str) -> Mapping[str, str]:
    """Return what must not change: container, start time, port, data, and requests received."""
    template = "{{.Id}} {{.State.StartedAt}} {{.RestartCount}} {{json .NetworkSettings.Ports}}"
    return {
        "container": docker("inspect", "--format", template, f"{PROJECT}-api"),
        "data": docker("exec", f"{PROJECT}-api", "cat", "/data/seed"),
        "requests": urllib.request.urlopen(url, timeout=5).read().decode(),
    }


def docker(*arguments: str) -> str:
    """Run a `docker` command, and return its output."""
    completed = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return completed.stdout.strip()


def free_port() -> int:
    """Return a port that is free on the loopback interface."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
