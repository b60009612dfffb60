"""Check that the service under test survives killed workers and overload.

    .venv/bin/python -m bench.faults [--requests 10000] [--seconds 60]

1. Send requests while a worker is killed with SIGKILL every few seconds and replaced. Every request
   must get exactly one correct response.
2. Run 64 clients against MAX_QUEUE=32. First they honour Retry-After, then they retry immediately.
   No accepted request may exceed its deadline, rejections must be fast, and memory must not grow.
"""

import argparse
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import redis

from bench.posting import PICTURES, REPOSITORY, Answer, Users, percentile
from loadbench.engine.drivers.local.stack import LocalStack
from loadbench.engine.profile.model import Profile

WORKERS = 2
KILL_EVERY_S = 3.0
CLIENTS = 64
MAX_QUEUE = 32
DEADLINE_MS = 5_000
REJECTED = 503
DEADLINE_ERROR = "No reply came before the deadline."
WARM_UP_S = 15.0
"""Seconds during which memory still grows, because the service starts threads on demand."""


def main() -> None:
    """Run both tests and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    kill_workers(options.requests)
    overload("that honour Retry-After", options.seconds, honours_retry_after=True)
    overload("that retry immediately", options.seconds, honours_retry_after=False)


def kill_workers(requests: int) -> None:
    """Send requests while workers are killed, and count the responses."""
    with service() as stack:
        stack.scale(WORKERS, lambda _step, _line: None)
        wait_until_ready(stack, WORKERS)
        expected = {number: result_of(stack.host, number) for number in range(len(PICTURES))}
        users = Users(stack.host, 8, max_requests=requests)
        killed = 0
        while users.busy:
            time.sleep(KILL_EVERY_S)
            os.kill(random.choice(processes("model.worker")).pid, signal.SIGKILL)
            killed += 1
            stack.scale(WORKERS, lambda _step, _line: None)
        answers = users.join()
        left = jobs_left()
    statuses = Counter(answer.status for answer in answers)
    wrong = sum(result(answer) != expected[answer.number % len(expected)] for answer in answers)
    slowest = max(answer.latency_ms for answer in answers)
    print(f"{len(answers)} requests, {killed} workers killed: ", end="")
    print(f"status {dict(statuses)}, {statuses[0]} without a response, {wrong} wrong, ", end="")
    print(f"slowest {slowest / 1000:.1f} s")
    print(f"  left in the broker, including duplicate responses: {left}\n", flush=True)


def overload(behaviour: str, seconds: float, *, honours_retry_after: bool) -> None:
    """Overload the service, and print latencies, rejections and memory.

    Args:
        behaviour: Description of the clients in the output.
        seconds: Length of the measurement.
        honours_retry_after: Whether clients wait for the time in Retry-After. If not, they retry
            immediately.
    """

    def pause_s(answer: Answer) -> float:
        return float(answer.headers["Retry-After"]) if honours_retry_after else 0.0

    settings = {"MAX_QUEUE": str(MAX_QUEUE), "DEADLINE_MS": str(DEADLINE_MS)}
    with service(**settings) as stack:
        stack.scale(1, lambda _step, _line: None)
        wait_until_ready(stack, 1)
        users = Users(stack.host, CLIENTS, pause_after_rejection_s=pause_s)
        users.during(WARM_UP_S)
        before, answers = memory_mb(), users.during(seconds)
        after = memory_mb()
        users.stop()
        expected = result_of(stack.host, 0)
        started = time.monotonic()
        assert result_of(stack.host, 0) == expected
        single_s = time.monotonic() - started
    accepted = [answer.latency_ms for answer in answers if answer.status != REJECTED]
    rejected = [answer.latency_ms for answer in answers if answer.status == REJECTED]
    late = sum(latency > DEADLINE_MS for latency in accepted)
    late += sum(answer.body.get("error") == DEADLINE_ERROR for answer in answers)
    errors = Counter(str(answer.body["error"]) for answer in answers if answer.status == REJECTED)
    print(f"{CLIENTS} clients {behaviour}, MAX_QUEUE={MAX_QUEUE}, {seconds:g} s:")
    print(
        f"  accepted {summary(accepted)}, {late} exceeded the {DEADLINE_MS} ms deadline, ", end=""
    )
    print(f"status {dict(Counter(answer.status for answer in answers))}")
    print(f"  rejected {summary(rejected)}, {dict(errors)}")
    for name in before:
        print(f"  {name} memory: {before[name]:.1f} MB before, {after[name]:.1f} MB after")
    print(f"  single request after the overload: {single_s * 1000:.1f} ms", flush=True)


@contextmanager
def service(**environment: str) -> Iterator[LocalStack]:
    """Run the stack with the local driver."""
    profile = Profile.model_validate(
        {
            "models": [WORKERS],
            "users": [1],
            "spawn_rates": [1],
            "stack": {"driver": "local", "environment": environment},
        }
    )
    with tempfile.TemporaryDirectory(prefix="loadbench-faults-") as folder:
        stack = LocalStack(REPOSITORY / "stack", profile, log=Path(folder) / "stack.log")
        try:
            yield stack
        finally:
            stack.close()


def wait_until_ready(stack: LocalStack, workers: int) -> None:
    """Wait until all workers are ready."""
    while stack.missing(workers):
        time.sleep(0.05)


def result_of(url: str, number: int) -> Any:
    """Send requests one at a time up to a number, and return the result of the last one."""
    users = Users(url, 1, max_requests=number + 1)
    return result(next(answer for answer in users.join() if answer.number == number))


def result(answer: Answer) -> Any:
    """Return the status and the best classes of an answer."""
    return answer.status, answer.body.get("top")


def processes(last_argument: str) -> list[psutil.Process]:
    """Return the processes of the service whose command line ends with this argument."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # the process may have just exited
            if process.cmdline()[-1:] == [last_argument] and not process.children():
                found.append(process)
    return found


def broker() -> psutil.Process:
    """Return the broker's process."""
    children = psutil.Process().children(recursive=True)
    return next(process for process in children if "valkey" in process.name())


def jobs_left() -> dict[str, int]:
    """Return the number of jobs and replies left in the broker."""
    sockets = broker().net_connections("unix")
    path = next(connection.laddr for connection in sockets if connection.laddr)
    with redis.Redis(unix_socket_path=str(path)) as client:
        return {
            "jobs": client.xlen("loadbench:jobs"),
            "replies": len(list(client.scan_iter("loadbench:reply:*"))),
        }


def memory_mb() -> dict[str, float]:
    """Return the resident memory of API, worker and broker in MB."""
    api_processes = processes("api.app:create_app()")
    api = max(api_processes, key=lambda process: process.memory_info().rss)
    [worker] = processes("model.worker")
    parts = {"API": api, "worker": worker, "broker": broker()}
    return {name: process.memory_info().rss / 1e6 for name, process in parts.items()}


def summary(latencies_ms: Sequence[float]) -> str:
    """Format the number of latencies, and their percentiles in ms, as one line."""
    if not latencies_ms:
        return "none"
    fractions = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    figures = (
        f"{name} {percentile(latencies_ms, fraction):.1f}" for name, fraction in fractions.items()
    )
    return f"{len(latencies_ms)}, ms: {', '.join(figures)}"


if __name__ == "__main__":
    main()
