"""Measure the CPU cost of monitoring eight idle containers.

    python -m bench.container_monitoring [--seconds 30] [--rounds 3]

Starts the included service with six model containers (eight containers in total) and leaves it
idle. Every round then measures three cases: no monitoring; the tool's monitor, polled five times
a second as in a run; and `docker stats`. For each case it prints the CPU usage of the monitor
with its child processes, and of the engine (dockerd, containerd and its shims, including their
other work on this machine), in percent of one core. The health checks of the containers run in all
three cases.
"""

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from loadbench.engine.drivers.docker.client import Docker, current_endpoint
from loadbench.engine.drivers.docker.monitor import Monitor
from loadbench.engine.drivers.health import HealthChecks
from loadbench.workspace import bundled_root

MODELS = 6
ENGINE = ("dockerd", "containerd", "containerd-shim", "containerd-shim-runc-v2")
POLLS_PER_S = 5
PROJECT = "loadbench-bench-monitoring"
SETTLE_S = 5.0


def main() -> None:
    """Measure all three cases in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with idle_stack():
        cases: dict[str, Callable[[], tuple[float, float]]] = {
            "none": lambda: no_monitoring(options.seconds),
            "monitor": lambda: run_monitor(options.seconds),
            "docker stats": lambda: docker_stats(options.seconds),
        }
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
        print(f"{'':14}{'monitor':>8}{'engine':>8}   % of one core, {MODELS + 2} idle containers")
        for _ in range(options.rounds):
            for name, measure in cases.items():
                rows[name].append(measure())
                print(f"{name:14}{rows[name][-1][0]:8.2f}{rows[name][-1][1]:8.2f}", flush=True)
    sums = {name: statistics.median(sum(row) for row in found) for name, found in rows.items()}
    monitor, stats = (sums[name] - sums["none"] for name in ("monitor", "docker stats"))
    print(
        f"Median increase over no monitoring: monitor {monitor:.2f}, docker stats {stats:.2f}",
        end="",
    )
    print(f", ratio {monitor / stats:.2f}" if stats > 0 else "")


@contextmanager
def idle_stack() -> Iterator[None]:
    """Start the containers and wait until all workers are ready. Remove the containers on exit."""
    files = ("--file", str(bundled_root() / "stack" / "compose.yaml"))
    compose = ["docker", "compose", "--project-name", PROJECT, *files]
    up = ("up", "--detach", "--build", "--scale", f"model={MODELS}")
    try:
        subprocess.run([*compose, *up], check=True, capture_output=True)
        port = [*compose, "port", "api", "8000"]
        address = subprocess.run(port, check=True, capture_output=True, text=True).stdout.strip()
        while HealthChecks(()).missing((f"http://{address}/health",), MODELS):
            time.sleep(0.2)
        time.sleep(SETTLE_S)
        yield
    finally:
        subprocess.run([*compose, "down", "--rmi", "local"], check=True, capture_output=True)


def no_monitoring(seconds: float) -> tuple[float, float]:
    """Measure without monitoring."""
    return cpu_percent(os.getpid(), lambda: time.sleep(seconds))


def run_monitor(seconds: float) -> tuple[float, float]:
    """Measure with the monitor of a run."""
    monitor = Monitor(Docker(current_endpoint()), PROJECT)
    monitor.start()
    time.sleep(3)

    def poll() -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert len(monitor.containers) == MODELS + 2
            assert len(monitor.usage) == MODELS + 2
            time.sleep(1 / POLLS_PER_S)

    try:
        return cpu_percent(os.getpid(), poll)
    finally:
        monitor.close()


def docker_stats(seconds: float) -> tuple[float, float]:
    """Measure with `docker stats` running."""
    label = f"label=com.docker.compose.project={PROJECT}"
    listed = subprocess.run(
        ["docker", "ps", "-q", "--filter", label], capture_output=True, text=True, check=True
    )
    command = ["docker", "stats", "--format", "{{json .}}", *listed.stdout.split()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as stats:
        time.sleep(3)
        try:
            return cpu_percent(stats.pid, lambda: time.sleep(seconds))
        finally:
            stats.kill()  # `docker stats` is slow to react to SIGTERM


def cpu_percent(pid: int, action: Callable[[], None]) -> tuple[float, float]:
    """Return the CPU usage of a process with its children, and of the engine, in % of one core."""
    started, before_s, engine = time.monotonic(), family_s(pid), engine_s()
    action()
    elapsed = time.monotonic() - started
    return 100 * (family_s(pid) - before_s) / elapsed, 100 * (engine_s() - engine) / elapsed


def family_s(pid: int) -> float:
    """Return the CPU seconds of a process and its children, including those that have exited."""
    process = psutil.Process(pid)
    total = 0.0
    for member in [process, *process.children(recursive=True)]:
        with suppress(psutil.Error):
            times = member.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def engine_s() -> float:
    """Return the CPU seconds of the engine's processes."""
    total = 0.0
    for process in psutil.process_iter(["name", "cpu_times"]):
        if process.info["name"] in ENGINE:
            total += process.info["cpu_times"].user + process.info["cpu_times"].system
    return total


if __name__ == "__main__":
    main()
