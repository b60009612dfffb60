"""What the tool costs inside the load generator: CPU of its Locust per request over stock's.

    .venv/bin/python -m bench.client [--pairs 3] [--seconds 4] [--first]

The tool's Locust is driven as in a run: users on the web API, its seconds fetched once a second,
the measured window open. Stock Locust runs the same users without its web interface. They take
turns, and who begins changes with each pair. Both are pinned to the same core, and the server,
which answers at once or after about 20 ms and tells its stages, to another one. Counted is the CPU
time of Locust's process between two moments, over the requests that the server answered between
the same.

The third way tells measuring from scheduling: stock Locust whose users send at once, as the tool's
do. Before each request stock lets all others go first, within the time that it reports as latency.
With a server that answers at once, users then move in step, share the cost of waking up, and see
each other's work as latency: that is cheaper, and less true.

It fails if the median ratio to stock Locust is above the limit in a row whose server takes its
time. Where the client is all that takes time, a cell is marked client-bound whatever the tool does,
and both ratios are printed.
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
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell

LIMIT = 1.15
WARM_UP_S = 1.5
START_S = 20.0
USERS = BENCH / "client_users.py"
# A proxy named in the environment is not for loopback.
ask = build_opener(ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of load."""

    plan: str
    """What the server does."""
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

Way = Callable[[str, int, Path, float], float]
"""Runs users against an address, and returns the CPU time of a request in µs."""


def main() -> None:
    """Measure in turns, print every ratio, and exit with 1 above the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--first", action="store_true", help="before all others on the machine")
    options = parser.parse_args()
    cores = os.sched_getaffinity(0)
    if SERVER_CORE not in cores or len(cores) < 2:
        sys.exit(f"needs two cores: {SERVER_CORE} for the server, another for Locust")
    os.sched_setaffinity(0, {min(cores - {SERVER_CORE})})
    if options.first:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    medians = {row: compare(row, options.pairs, options.seconds) for row in ROWS}
    worst = max(ratio for row, ratio in medians.items() if row.plan != "at-once")
    print(f"worst where the server takes its time: {worst:.3f} (at most {LIMIT:g})")
    sys.exit(worst > LIMIT)


def compare(row: Row, pairs: int, seconds: float) -> float:
    """Print the CPU of each way in turns, and return the median ratio of the tool to stock."""
    ways = (by_tool, by_stock, by_stock_at_once)
    print(f"{row.users} users, {len(row.body)} bytes, server {row.plan}: CPU of a request in µs")
    print(f"{'pair':>6}{'tool':>9}{'stock':>9}{'at once':>9}{'ratios':>16}", flush=True)
    ratios: dict[Way, list[float]] = {by_stock: [], by_stock_at_once: []}
    for number in range(pairs):
        used_us: dict[Way, float] = {}
        used_us |= {it: measure(it, row, seconds) for it in (ways if number % 2 else ways[::-1])}
        for way, found in ratios.items():
            found.append(used_us[by_tool] / used_us[way])
        shown = "".join(f"{used_us[way]:>9.1f}" for way in ways)
        print(f"{number + 1:>6}{shown}", end="")
        print("".join(f"{found[-1]:>9.3f}" for found in ratios.values()), flush=True)
    medians = [statistics.median(found) for found in ratios.values()]
    print(f"median ratio to stock {medians[0]:.3f}, sending at once {medians[1]:.3f}\n", flush=True)
    return medians[0]


def measure(way: Way, row: Row, seconds: float) -> float:
    """Measure one way, with a server of its own."""
    with tempfile.TemporaryDirectory(prefix="loadbench-client-") as name:
        folder = Path(name)
        (folder / "body").write_bytes(row.body)
        os.environ["BENCH_BODY"] = str(folder / "body")
        with serving(row.plan, folder / "log.json") as (host, _pid):
            return way(host, row.users, folder, seconds)


def by_tool(host: str, users: int, folder: Path, seconds: float) -> float:
    """Have the tool's Locust run the users."""
    load = LocustLoad(USERS, images=folder, timeout_s=30, log=folder / "locust.log")
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
    """Have stock Locust run the users."""
    return stock(host, users, folder, seconds, {})


def by_stock_at_once(host: str, users: int, folder: Path, seconds: float) -> float:
    """Have stock Locust run the users, who send without letting others go first."""
    return stock(host, users, folder, seconds, {"BENCH_AT_ONCE": "1"})


def stock(
    host: str, users: int, folder: Path, seconds: float, environment: Mapping[str, str]
) -> float:
    """Have stock Locust run the users without its web interface."""
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
