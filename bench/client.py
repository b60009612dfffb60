"""Compare the CPU time and the throughput of the tool with those of stock Locust.

    .venv/bin/python -m bench.client [--pairs 5] [--seconds 4] [--realtime]

The tool measures one cell through the command line, and all of its processes count: the command,
the runner, the supervisor and Locust. Stock Locust runs the same users headless. The two take
turns, and the order alternates between pairs. Both are pinned to the same core. The server
(truth_server.c) runs on another core and responds after about 20 ms, or at once. The CPU time per
request is the CPU time in an interval, divided by the requests that the server answered in it.

A third variant, for servers that respond at once, separates the cost of measuring from that of
scheduling: stock Locust with users that send without yielding, as the tool's users do. Before each
request, stock Locust lets all other users run first, and counts that time as latency. The users
then run in lockstep, share the cost of waking up, and count each other's work as latency, which is
cheaper but less accurate.

Two planted rows, in which the tool's users compute for 0.1 or 0.2 ms in each request, must exceed
the limits. Exits with code 1 if the median ratio of a row exceeds its limit, or if a planted row
does not.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import psutil

from bench.truth_grid import Plan, compile_server, compiled_server
from bench.truth_runs import BENCH, stock_argv, stock_environment, use_client_core
from loadbench.engine.journal.events import CellPhase, Phase
from loadbench.engine.journal.reader import JournalReader

MAX_CPU_RATIO = 1.15
"""Limit of the tool's CPU time per request, relative to stock Locust."""
MIN_RATE_RATIO = 0.85
"""Limit of the tool's rate against a server that responds at once, likewise. Both limits are those
of the acceptance of this benchmark."""
WARM_UP_S = 1.5
END_S = 2.0
"""Seconds between the end of the interval and the end of the tool's measurement window."""
START_S = 30.0
EXIT_S = 60.0
"""Maximum seconds for the end of the tool, with the page of its run."""
SEED = 28
"""Seed of the latencies of the server."""
PLANTED_PAIRS = 3
USERS = BENCH / "client_users.py"
PROFILE = """
models: [1]
users: [{users}]
spawn_rates: [{users}]
run_time: {run_time_s:g}s
settle: {{max: 0s}}
host: {host}
stack: {{driver: external}}
load: {{locustfile: {locustfile}}}
"""
# Ignore proxies set in the environment: all requests go to loopback.
open_url = build_opener(ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Row:
    """One load scenario."""

    latency_ms: int
    """Median latency of the server. 0: it responds at once."""
    users: int
    burn_ms: str = ""
    """Computing time of the tool's users in each request."""

    @property
    def name(self) -> str:
        """Name in the output."""
        server = f"server {self.latency_ms} ms" if self.latency_ms else "server at once"
        planted = f", planted: {self.burn_ms} ms of computing" if self.burn_ms else ""
        return f"{self.users} users, {server}{planted}"


ROWS = (Row(20, 8), Row(20, 50), Row(0, 8), Row(0, 50))
PLANTED = (Row(20, 8, "0.2"), Row(0, 8, "0.1"))
"""Their computing time is more than twice what the limits leave: a request with latency costs more,
because each one wakes the processor."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a variant used, and what it achieved."""

    cpu_us: float
    """CPU time per request in µs."""
    rate: float
    """Requests per second."""


def main() -> None:
    """Measure and print all rows; exit with code 1 if a ratio exceeds its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="length of each measurement")
    parser.add_argument(
        "--realtime", action="store_true", help="use real-time scheduling (requires root)"
    )
    options = parser.parse_args()
    use_client_core()
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    print(f"Seed {SEED}\n")
    with tempfile.TemporaryDirectory(prefix="loadbench-client-") as folder:
        server = compile_server(Path(folder))
        accepted = [compare(row, options.pairs, options.seconds, server) for row in ROWS]
        pairs = min(options.pairs, PLANTED_PAIRS)
        planted = [compare(row, pairs, options.seconds, server) for row in PLANTED]
    print(f"{sum(accepted)} of {len(ROWS)} rows within their limits, ", end="")
    print(f"{planted.count(False)} of {len(PLANTED)} planted rows refused")
    sys.exit(not all(accepted) or any(planted))


def compare(row: Row, pairs: int, seconds: float, server: Path) -> bool:
    """Print the results of each variant; return whether the median ratio is within its limit."""
    variants = [by_tool, by_stock] + ([] if row.latency_ms else [by_stock_unyielding])
    names = ("tool", "stock", "no yield")[: len(variants)]
    print(f"{row.name}: CPU per request in µs, requests per second")
    print(f"{'pair':>6}{''.join(f'{name:>17}' for name in names)}   ratios to stock", flush=True)
    cpu, rate = [], []
    for number in range(pairs):
        used = {
            variant: measure(variant, row, seconds, server)
            for variant in (variants if number % 2 else variants[::-1])
        }
        tool, stock = used[by_tool], used[by_stock]
        cpu.append(tool.cpu_us / stock.cpu_us)
        rate.append(tool.rate / stock.rate)
        figures = "".join(f"{used[one].cpu_us:>9.1f}{used[one].rate:>8.0f}" for one in variants)
        print(f"{number + 1:>6}{figures}{cpu[-1]:>9.3f}{rate[-1]:>8.3f}", flush=True)
    cpu_ratio, rate_ratio = statistics.median(cpu), statistics.median(rate)
    is_within = cpu_ratio <= MAX_CPU_RATIO if row.latency_ms else rate_ratio >= MIN_RATE_RATIO
    limit = f"CPU at most {MAX_CPU_RATIO}" if row.latency_ms else f"rate at least {MIN_RATE_RATIO}"
    print(f"Median ratios: CPU {cpu_ratio:.3f}, rate {rate_ratio:.3f} ({limit})\n", flush=True)
    return is_within


Variant = Callable[[str, Row, Path, float], Use]
"""Run users against an address, and return what they used."""


def measure(variant: Variant, row: Row, seconds: float, server: Path) -> Use:
    """Measure one variant with a new server."""
    plan = Plan(
        latency_ms=row.latency_ms,
        distribution="lognormal",
        is_shared=False,
        window_s=seconds,
        is_settling=False,
        repeats=1,
        seed=SEED,
    )
    with tempfile.TemporaryDirectory(prefix="loadbench-client-") as name:
        folder = Path(name)
        with compiled_server(server, plan, folder / "log.json") as host:
            return variant(host, row, folder, seconds)


def by_tool(host: str, row: Row, folder: Path, seconds: float) -> Use:
    """Measure a cell with the tool."""
    for name in ("profiles", "stack", "images"):
        (folder / name).mkdir()
    run_time_s = WARM_UP_S + seconds + END_S
    profile = PROFILE.format(users=row.users, run_time_s=run_time_s, host=host, locustfile=USERS)
    (folder / "profiles" / "client.yaml").write_text(profile)
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(folder)]
    environment = {**os.environ, "BENCH_BURN_MS": row.burn_ms}
    with started([*argv, "run", "client", "--plain"], folder, environment) as tool:
        wait_for_window(folder / "reports" / "client" / "latest")
        return use_of(host, tool, seconds)


def by_stock(host: str, row: Row, folder: Path, seconds: float) -> Use:
    """Run the users with stock Locust."""
    return run_stock(host, row, folder, seconds, "")


def by_stock_unyielding(host: str, row: Row, folder: Path, seconds: float) -> Use:
    """Run the users with stock Locust, without yielding to other users before a request."""
    return run_stock(host, row, folder, seconds, "1")


def run_stock(host: str, row: Row, folder: Path, seconds: float, unyielding: str) -> Use:
    """Run the users with stock Locust in headless mode."""
    environment = stock_environment(folder, {"BENCH_UNYIELDING": unyielding})
    with started(stock_argv(USERS, host, row.users), folder, environment) as locust:
        wait_until(lambda: answered(host) > 0, "Stock Locust sent no request")
        return use_of(host, locust, seconds)


@contextmanager
def started(argv: list[str], folder: Path, environment: dict[str, str]) -> Iterator[psutil.Process]:
    """Run a command, and terminate it in the end."""
    process = subprocess.Popen(
        argv,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        # The tool stops its run.
        process.terminate()
        process.wait(EXIT_S)


def wait_for_window(run: Path) -> None:
    """Wait until a run measures."""
    wait_until(lambda: (run / "journal.jsonl").exists(), "The tool started no run")
    reader = JournalReader(run.resolve())

    def is_measuring() -> bool:
        events = [entry.event for entry in reader.poll()]
        return any(isinstance(one, CellPhase) and one.phase is Phase.MEASURING for one in events)

    wait_until(is_measuring, "The tool opened no measurement window")


def use_of(host: str, process: psutil.Process, seconds: float) -> Use:
    """Wait for the warm-up, and return what a process and its children use in an interval."""
    time.sleep(WARM_UP_S)
    tree = [process, *process.children(recursive=True)]
    begin, before, before_s = time.monotonic(), answered(host), used_s(tree)
    time.sleep(seconds)
    spent_s, requests = used_s(tree) - before_s, answered(host) - before
    return Use(spent_s / requests * 1e6, requests / (time.monotonic() - begin))


def used_s(tree: list[psutil.Process]) -> float:
    """Return the CPU seconds that processes have used."""
    return sum(sum(process.cpu_times()[:2]) for process in tree)


def answered(host: str) -> int:
    """Return the number of requests that the server has answered."""
    with open_url(f"{host}/count") as response:
        return int(response.read())


def wait_until(is_done: Callable[[], bool], problem: str) -> None:
    """Wait for a condition, and exit if it is never met."""
    deadline = time.monotonic() + START_S
    while not is_done():
        if time.monotonic() > deadline:
            sys.exit(f"{problem} within {START_S:g} s")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
