"""What the service under test does when parts of it die, and when it is asked for too much.

    .venv/bin/python -m bench.faults [--requests 10000] [--seconds 60]

1. Requests while a worker is killed with SIGKILL every few seconds and replaced: every one must be
   answered, once, and rightly.
2. 64 clients against MAX_QUEUE=32, first such as wait as Retry-After says, then such as ask again
   at once: no accepted request over its deadline, refusals quickly, and no memory that grows.
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
REFUSED = 503
LATE = "No reply came before the deadline."
WARM_UP_S = 15.0
"""Until then threads, and with them memory, are still being made."""


def main() -> None:
    """Do both and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    under_fire(options.requests)
    overload("which wait as Retry-After says", options.seconds, patient=True)
    overload("which ask again at once", options.seconds, patient=False)


def under_fire(requests: int) -> None:
    """Send requests while workers are killed, and count what they got."""
    with service() as stack:
        stack.scale(WORKERS, lambda _step, _line: None)
        wait_until_ready(stack, WORKERS)
        right = {number: answer_of(stack.host, number) for number in range(len(PICTURES))}
        users = Users(stack.host, 8, most=requests)
        killed = 0
        while users.busy:
            time.sleep(KILL_EVERY_S)
            os.kill(random.choice(processes("model.worker")).pid, signal.SIGKILL)
            killed += 1
            stack.scale(WORKERS, lambda _step, _line: None)
        answers = users.join()
        left = jobs_left()
    statuses = Counter(answer.status for answer in answers)
    wrong = sum(verdict(answer) != right[answer.number % len(right)] for answer in answers)
    slowest = max(answer.latency_ms for answer in answers)
    print(f"{len(answers)} requests, {killed} workers killed: ", end="")
    print(f"status {dict(statuses)}, {statuses[0]} without an answer, {wrong} wrong, ", end="")
    print(f"slowest {slowest / 1000:.1f} s")
    print(f"  left in the broker, where a second answer would be: {left}\n", flush=True)


def overload(who: str, seconds: float, *, patient: bool) -> None:
    """Ask for more than the service can do, and print what it costs."""
    settings = {"MAX_QUEUE": str(MAX_QUEUE), "DEADLINE_MS": str(DEADLINE_MS)}
    with service(**settings) as stack:
        stack.scale(1, lambda _step, _line: None)
        wait_until_ready(stack, 1)
        users = Users(
            stack.host,
            CLIENTS,
            after_refusal_s=lambda it: float(it.headers["Retry-After"]) if patient else 0.0,
        )
        users.during(WARM_UP_S)
        before, answers = memory_mb(), users.during(seconds)
        after = memory_mb()
        users.stop()
        alone = answer_of(stack.host, 0)
        recovered = time.monotonic()
        assert answer_of(stack.host, 0) == alone
        recovered = time.monotonic() - recovered
    accepted = [it.latency_ms for it in answers if it.status != REFUSED]
    refused = [it.latency_ms for it in answers if it.status == REFUSED]
    late = sum(latency > DEADLINE_MS for latency in accepted)
    late += sum(it.body.get("error") == LATE for it in answers)
    sentences = Counter(str(it.body["error"]) for it in answers if it.status == REFUSED)
    print(f"{CLIENTS} clients, {who}, against MAX_QUEUE={MAX_QUEUE} for {seconds:g} s:")
    print(
        f"  accepted {in_words(accepted)}, {late} over the deadline of {DEADLINE_MS} ms, ", end=""
    )
    print(f"status {dict(Counter(answer.status for answer in answers))}")
    print(f"  refused  {in_words(refused)}, {dict(sentences)}")
    for name in before:
        print(f"  memory of {name}: {before[name]:.1f} MB, then {after[name]:.1f} MB")
    print(f"  right after it, a lonely request takes {recovered * 1000:.1f} ms", flush=True)


@contextmanager
def service(**environment: str) -> Iterator[LocalStack]:
    """Have a stack of the local driver."""
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
    """Wait until all workers are there."""
    while stack.missing(workers):
        time.sleep(0.05)


def answer_of(url: str, number: int) -> Any:
    """Return what one request alone gets."""
    users = Users(url, 1, most=number + 1)
    return verdict(next(it for it in users.join() if it.number == number))


def verdict(answer: Answer) -> Any:
    """Return what an answer says of its picture."""
    return answer.status, answer.body.get("top")


def processes(last_word: str) -> list[psutil.Process]:
    """Return the processes of the service whose command ends with a word."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it may just have ended
            if process.cmdline()[-1:] == [last_word] and not process.children():
                found.append(process)
    return found


def broker() -> psutil.Process:
    """Return the broker's process."""
    family = psutil.Process().children(recursive=True)
    return next(it for it in family if "valkey" in it.name())


def jobs_left() -> dict[str, int]:
    """Return how many jobs and replies the broker still has."""
    path = next(it.laddr for it in broker().net_connections("unix") if it.laddr)
    with redis.Redis(unix_socket_path=str(path)) as client:
        return {
            "jobs": client.xlen("loadbench:jobs"),
            "replies": len(list(client.scan_iter("loadbench:reply:*"))),
        }


def memory_mb() -> dict[str, float]:
    """Return the resident memory of API, worker and broker in MB."""
    api = max(processes("api.app:create_app()"), key=lambda it: it.memory_info().rss)
    [worker] = processes("model.worker")
    parts = {"API": api, "worker": worker, "broker": broker()}
    return {name: process.memory_info().rss / 1e6 for name, process in parts.items()}


def in_words(latencies_ms: Sequence[float]) -> str:
    """Put latencies into a line."""
    if not latencies_ms:
        return "none"
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    shown = (f"{name} {percentile(latencies_ms, share):.1f}" for name, share in shares.items())
    return f"{len(latencies_ms)}, ms: {', '.join(shown)}"


if __name__ == "__main__":
    main()
