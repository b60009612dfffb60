"""Measure the tool's overhead in the load generator: CPU per request compared with stock Locust.

    .venv/bin/python -m bench.client [--pairs 3] [--seconds 4] [--realtime]

The tool's Locust is driven as in a run: users are started through the web API, samples are fetched
once a second, and a measurement window is open. Stock Locust runs the same users headless. The two
take turns, and the order alternates between pairs. Both are pinned to the same core. The server
responds immediately or after about 20 ms, with `Server-Timing` stages, and runs on another core.
The CPU time per request is the CPU time of the Locust process in an interval, divided by the
requests that the server answered in it.

A third variant separates the cost of measuring from that of scheduling: stock Locust with users
that send without yielding, as the tool's users do. Before each request, stock Locust lets all other
users run first, and counts that time as latency. With a server that responds immediately, the users
then run in lockstep, share the cost of waking up, and count each other's work as latency, which is
cheaper but less accurate.

Exits with code 1 if the median ratio to stock Locust exceeds the limit in a scenario with delayed
responses. With immediate responses the client is always the bottleneck, and cells are reported as
client-bound. Those ratios are for information only.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import psutil

from bench.posting import PICTURES
from bench.truth_runs import BENCH, SERVER_CORE, serving, stock_argv, stock_environment
from loadbench.engine.load.locust import LocustLoad
from loadbench.engine.load.scenario import scenario_of_file
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell

LIMIT = 1.15
WARM_UP_S = 1.5
START_S = 20.0
USERS = BENCH / "client_users.py"
# Ignore proxies set in the environment: all requests go to loopback.
open_url = build_opener(ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Row:
    """One load scenario."""

    plan: str
    """Latency plan of the server."""
    body: bytes
    users: int


SMALL, PICTURE = b"0123456789abcdef", min(PICTURES, key=len)
ROWS = (
    Row("around-20", SMALL, 50),
    Row("around-20", PICTURE, 50),
    Row("at-once", SMALL, 16),
    Row("at-once", PICTURE, 16),
    Row("at-once", SMALL, 100),
)

Variant = Callable[[str, int, Path, float], float]
"""Run users against an address, and return the CPU time per request in µs."""


def main() -> None:
    """Measure and print all variants in turn; exit with code 1 if a ratio exceeds the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="length of each measurement")
    parser.add_argument(
        "--realtime", action="store_true", help="use real-time scheduling (requires root)"
    )
    options = parser.parse_args()
    cores = os.sched_getaffinity(0)
    if SERVER_CORE not in cores or len(cores) < 2:
        sys.exit(
            f"Two cores are required: core {SERVER_CORE} for the server and another for Locust"
        )
    os.sched_setaffinity(0, {min(cores - {SERVER_CORE})})
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    medians = {row: compare(row, options.pairs, options.seconds) for row in ROWS}
    worst = max(ratio for row, ratio in medians.items() if row.plan != "at-once")
    print(f"Largest ratio with delayed responses: {worst:.3f} (limit {LIMIT:g})")
    sys.exit(worst > LIMIT)


def compare(row: Row, pairs: int, seconds: float) -> float:
    """Print the CPU time of each variant; return the median ratio of the tool to stock Locust."""
    variants: tuple[Variant, ...] = (by_tool, by_stock, by_stock_unyielding)
    print(f"{row.users} users, {len(row.body)} bytes, server {row.plan}: CPU per request in µs")
    print(f"{'pair':>6}{'tool':>9}{'stock':>9}{'no yield':>9}{'ratios':>16}", flush=True)
    ratios: dict[Variant, list[float]] = {by_stock: [], by_stock_unyielding: []}
    for number in range(pairs):
        used_us: dict[Variant, float] = {}
        for variant in variants if number % 2 else variants[::-1]:
            used_us[variant] = measure(variant, row, seconds)
        for variant, found in ratios.items():
            found.append(used_us[by_tool] / used_us[variant])
        figures = "".join(f"{used_us[variant]:>9.1f}" for variant in variants)
        print(f"{number + 1:>6}{figures}", end="")
        print("".join(f"{found[-1]:>9.3f}" for found in ratios.values()), flush=True)
    medians = [statistics.median(found) for found in ratios.values()]
    print(
        f"Median ratio to stock Locust {medians[0]:.3f}, to the variant without yielding "
        f"{medians[1]:.3f}\n",
        flush=True,
    )
    return medians[0]


def measure(variant: Variant, row: Row, seconds: float) -> float:
    """Measure one variant with a new server."""
    with tempfile.TemporaryDirectory(prefix="loadbench-client-") as name:
        folder = Path(name)
        (folder / "body").write_bytes(row.body)
        os.environ["BENCH_BODY"] = str(folder / "body")
        with serving(row.plan, folder / "log.json") as (host, _pid):
            return variant(host, row.users, folder, seconds)


def by_tool(host: str, users: int, folder: Path, seconds: float) -> float:
    """Run the users with the tool's Locust."""
    load = LocustLoad(
        scenario_of_file(USERS), images=folder, timeout_s=30, log=folder / "locust.log"
    )
    cell = Cell(models=1, level=Closed(users=users, spawn_rate=float(users)))
    load.start()
    try:
        load.swarm(cell, host, cell.key)
        seen = 0

        def fetch() -> None:
            nonlocal seen
            state = load.state(seen)
            seen += len(state.seconds) if state else 0

        pause(WARM_UP_S, fetch)
        load.measure(seconds)
        return cost_us(host, locust_process(), seconds, fetch)
    finally:
        load.close()


def by_stock(host: str, users: int, folder: Path, seconds: float) -> float:
    """Run the users with stock Locust."""
    return run_stock(host, users, folder, seconds, {})


def by_stock_unyielding(host: str, users: int, folder: Path, seconds: float) -> float:
    """Run the users with stock Locust, without yielding to other users before a request."""
    return run_stock(host, users, folder, seconds, {"BENCH_UNYIELDING": "1"})


def run_stock(
    host: str, users: int, folder: Path, seconds: float, environment: Mapping[str, str]
) -> float:
    """Run the users with stock Locust in headless mode; return the CPU time per request in µs."""
    locust = subprocess.Popen(
        stock_argv(USERS, host, users),
        cwd=folder,
        env=stock_environment(folder, environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_requests(host)
        pause(WARM_UP_S)
        return cost_us(host, psutil.Process(locust.pid), seconds)
    finally:
        locust.terminate()
        locust.wait()


def locust_process() -> psutil.Process:
    """Return the process of the tool's Locust, which is the one without child processes."""
    children = psutil.Process().children(recursive=True)
    [locust] = [
        process
        for process in children
        if "loadbench.in_locust" in process.cmdline() and not process.children()
    ]
    return locust


def cost_us(
    host: str, locust: psutil.Process, seconds: float, meanwhile: Callable[[], None] = lambda: None
) -> float:
    """Measure for this many seconds, and return the CPU time per request in µs."""
    before, before_s = answered(host), used_s(locust)
    pause(seconds, meanwhile)
    spent_s, requests = used_s(locust) - before_s, answered(host) - before
    return spent_s / requests * 1e6


def used_s(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used."""
    times = process.cpu_times()
    return times.user + times.system


def answered(host: str) -> int:
    """Return the number of requests that the server has answered."""
    with open_url(f"{host}/count") as response:
        return int(response.read())


def wait_for_requests(host: str) -> None:
    """Wait until the first request has been answered."""
    deadline = time.monotonic() + START_S
    while not answered(host):
        if time.monotonic() > deadline:
            sys.exit(f"Stock Locust sent no request within {START_S:g} s")
        time.sleep(0.05)


def pause(seconds: float, each_second: Callable[[], None] = lambda: None) -> None:
    """Wait, and call a function at the end of each second."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        each_second()


if __name__ == "__main__":
    main()
