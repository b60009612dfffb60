"""What it costs to know the state of eight containers that are at rest.

    python -m bench.container_monitoring [--seconds 30] [--rounds 3]

Starts our stack with six models (eight containers in all) and lets it rest, then measures in turn,
in every round: nobody looks; the watch of a run looks, asked five times a second as the runner
asks it; `docker stats` runs. For each: the CPU of who looks, with all its children, and that of
the engine (dockerd, containerd and its shims, with whatever else they do on this machine), in
percent of a core. The containers' own health checks go on in all three.
"""

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import requests

from loadbench.engine.drivers.docker.client import Docker, current_endpoint
from loadbench.engine.drivers.docker.monitor import Monitor
from loadbench.engine.drivers.health import ask_health, lacking_workers
from loadbench.workspace import bundled_root

MODELS = 6
ENGINE = ("dockerd", "containerd", "containerd-shim", "containerd-shim-runc-v2")
ASKS_A_SECOND = 5
PROJECT = "loadbench-bench-looking"
SETTLE_S = 5.0


def main() -> None:
    """Measure all three ways in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with stack_at_rest():
        ways: dict[str, Callable[[], tuple[float, float]]] = {
            "nobody": lambda: nobody(options.seconds),
            "the watch": lambda: watch(options.seconds),
            "docker stats": lambda: docker_stats(options.seconds),
        }
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        print(f"{'':14}{'looker':>8}{'engine':>8}   % of a core, {MODELS + 2} containers at rest")
        for _ in range(options.rounds):
            for name, measure in ways.items():
                rows[name].append(measure())
                print(f"{name:14}{rows[name][-1][0]:8.2f}{rows[name][-1][1]:8.2f}", flush=True)
    sums = {name: statistics.median(sum(row) for row in found) for name, found in rows.items()}
    ours, theirs = (sums[name] - sums["nobody"] for name in ("the watch", "docker stats"))
    print(f"median beyond nobody: the watch {ours:.2f}, docker stats {theirs:.2f}", end="")
    print(f", ratio {ours / theirs:.2f}" if theirs > 0 else "")


@contextmanager
def stack_at_rest() -> Iterator[None]:
    """Have the containers up and all models ready, and remove them in the end."""
    files = ("--file", str(bundled_root() / "stack" / "compose.yaml"))
    compose = ["docker", "compose", "--project-name", PROJECT, *files]
    up = ("up", "--detach", "--build", "--scale", f"model={MODELS}")
    try:
        subprocess.run([*compose, *up], check=True, capture_output=True)
        port = [*compose, "port", "api", "8000"]
        address = subprocess.run(port, check=True, capture_output=True, text=True).stdout.strip()
        with requests.Session() as session:
            while lacking_workers(ask_health(session, f"http://{address}/health"), MODELS):
                time.sleep(0.2)
        time.sleep(SETTLE_S)
        yield
    finally:
        subprocess.run([*compose, "down", "--rmi", "local"], check=True, capture_output=True)


def nobody(seconds: float) -> tuple[float, float]:
    """Measure while nobody looks."""
    return measured(os.getpid(), lambda: time.sleep(seconds))


def watch(seconds: float) -> tuple[float, float]:
    """Measure while the watch of a run looks."""
    looking = Monitor(Docker(current_endpoint()), PROJECT)
    looking.start()
    time.sleep(3)

    def ask() -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert len(looking.containers) == MODELS + 2
            assert len(looking.usage) == MODELS + 2
            time.sleep(1 / ASKS_A_SECOND)

    try:
        return measured(os.getpid(), ask)
    finally:
        looking.close()


def docker_stats(seconds: float) -> tuple[float, float]:
    """Measure while `docker stats` runs."""
    label = f"label=com.docker.compose.project={PROJECT}"
    told = subprocess.run(
        ["docker", "ps", "-q", "--filter", label], capture_output=True, text=True, check=True
    )
    command = ["docker", "stats", "--format", "{{json .}}", *told.stdout.split()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as stats:
        time.sleep(3)
        try:
            return measured(stats.pid, lambda: time.sleep(seconds))
        finally:
            # It takes its time to end by itself.
            stats.kill()


def measured(pid: int, doing: Callable[[], None]) -> tuple[float, float]:
    """Return the CPU of a process with its children, and of the engine, in % of a core."""
    started, looker, engine = time.monotonic(), family_s(pid), engine_s()
    doing()
    elapsed = time.monotonic() - started
    return 100 * (family_s(pid) - looker) / elapsed, 100 * (engine_s() - engine) / elapsed


def family_s(pid: int) -> float:
    """Return the CPU seconds of a process and its children, those that have ended included."""
    process = psutil.Process(pid)
    total = 0.0
    for member in [process, *process.children(recursive=True)]:
        with suppress(psutil.Error):
            times = member.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def engine_s() -> float:
    """Return the CPU seconds of the engine's own processes."""
    total = 0.0
    for process in psutil.process_iter(["name", "cpu_times"]):
        if process.info["name"] in ENGINE:
            total += process.info["cpu_times"].user + process.info["cpu_times"].system
    return total


if __name__ == "__main__":
    main()
