"""What the tool costs inside the load generator: CPU of its Locust per request over stock's.

    .venv/bin/python bench/client.py [--pairs 5] [--seconds 5] [--first]

The tool's Locust is driven as in a run: users on the web API, its seconds fetched once a second,
the measured window open. Stock Locust runs the same users without its web interface. They take
turns, and who begins changes with each pair. Both are pinned to the same core, and the server,
which answers at once and tells its stages, to another one. Counted is the CPU time of Locust's
process between two moments, over the requests that the server answered between the same.

It fails if the median ratio of any row is above the limit.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import psutil

from loadbench.engine.locust_load import LocustLoad
from loadbench.engine.plan import Cell
from posting import PICTURES
from truth_runs import BENCH, SERVER_CORE, serving, stock_argv, stock_environment

LIMIT = 1.15
WARM_UP_S = 1.5
START_S = 20.0
USERS = BENCH / "client_users.py"
# A proxy named in the environment is not for loopback.
ask = build_opener(ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of load."""

    name: str
    body: bytes
    users: int


ROWS = (
    Row("16 users, 16 bytes", b"0123456789abcdef", 16),
    Row("16 users, a picture", min(PICTURES, key=len), 16),
    Row("100 users, 16 bytes", b"0123456789abcdef", 100),
)

Way = Callable[[str, int, Path, float], float]
"""Runs users against an address, and returns the CPU time of a request in µs."""


def main() -> None:
    """Measure in turns, print every ratio, and exit with 1 above the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--first", action="store_true", help="before all others on the machine")
    options = parser.parse_args()
    cores = os.sched_getaffinity(0)
    if SERVER_CORE not in cores or len(cores) < 2:
        sys.exit(f"needs two cores: {SERVER_CORE} for the server, another for Locust")
    os.sched_setaffinity(0, {min(cores - {SERVER_CORE})})
    if options.first:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    medians = [compare(row, options.pairs, options.seconds) for row in ROWS]
    print(f"worst median ratio {max(medians):.3f} (at most {LIMIT:g})")
    sys.exit(max(medians) > LIMIT)


def compare(row: Row, pairs: int, seconds: float) -> float:
    """Print the CPU of both ways pair by pair, and return the median ratio."""
    print(f"{row.name} ({len(row.body)}): CPU of a request in µs")
    print(f"{'pair':>6}{'tool':>9}{'stock':>9}{'ratio':>9}", flush=True)
    ratios = []
    for number in range(pairs):
        ways = (by_tool, by_stock) if number % 2 == 0 else (by_stock, by_tool)
        used_us = {way: measure(way, row, seconds) for way in ways}
        ratios.append(used_us[by_tool] / used_us[by_stock])
        shown = f"{number + 1:>6}{used_us[by_tool]:>9.1f}{used_us[by_stock]:>9.1f}"
        print(f"{shown}{ratios[-1]:>9.3f}", flush=True)
    median = statistics.median(ratios)
    print(f"median ratio {median:.3f}\n", flush=True)
    return median


def measure(way: Way, row: Row, seconds: float) -> float:
    """Measure one way, with a server of its own."""
    with tempfile.TemporaryDirectory(prefix="loadbench-client-") as name:
        folder = Path(name)
        (folder / "body").write_bytes(row.body)
        os.environ["BENCH_BODY"] = str(folder / "body")
        with serving("at-once", folder / "log.json") as (host, _pid):
            return way(host, row.users, folder, seconds)


def by_tool(host: str, users: int, folder: Path, seconds: float) -> float:
    """Have the tool's Locust run the users."""
    load = LocustLoad(USERS, images=folder, timeout_s=30, log=folder / "locust.log")
    cell = Cell(models=1, users=users, spawn_rate=float(users), repeat=1)
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
    """Have stock Locust run the users."""
    locust = subprocess.Popen(
        stock_argv(USERS, host, users),
        cwd=folder,
        env=stock_environment(folder, {}),
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
    """Return the process of the tool's Locust, which is the last of its line."""
    running = psutil.Process().children(recursive=True)
    [found] = [it for it in running if "loadbench.in_locust" in it.cmdline() and not it.children()]
    return found


def cost_us(
    host: str, locust: psutil.Process, seconds: float, meanwhile: Callable[[], None] = lambda: None
) -> float:
    """Return the CPU time of a request over some seconds."""
    before, before_s = answered(host), used_s(locust)
    pause(seconds, meanwhile)
    spent_s, requests = used_s(locust) - before_s, answered(host) - before
    return spent_s / requests * 1e6


def used_s(process: psutil.Process) -> float:
    """Return the CPU seconds of a process so far."""
    times = process.cpu_times()
    return times.user + times.system


def answered(host: str) -> int:
    """Return how many requests the server has answered."""
    with ask(f"{host}/count") as response:
        return int(response.read())


def wait_for_requests(host: str) -> None:
    """Wait until the users have begun."""
    deadline = time.monotonic() + START_S
    while not answered(host):
        if time.monotonic() > deadline:
            sys.exit("stock Locust sends nothing")
        time.sleep(0.05)


def pause(seconds: float, each_second: Callable[[], None] = lambda: None) -> None:
    """Wait, and do something at the end of each second."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        each_second()


if __name__ == "__main__":
    main()
