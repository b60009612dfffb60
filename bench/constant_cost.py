"""Measure the CPU that measuring costs in Locust's process each second, without any request.

    .venv/bin/python -m bench.constant_cost [--rounds 5] [--seconds 5]

The tool measures a cell whose users only wait, and stock Locust runs the same users headless, in
turn. The cost is the difference between the CPU use of both Locust processes. In a planted round,
in which the tool's users compute for 0.2 ms twenty times a second, it must exceed the limit. Exits
with code 1 if the median cost exceeds the limit, or if the planted one does not.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.client import PROFILE, WARM_UP_S, started, used_s, wait_for_window, wait_until
from bench.truth_grid import Plan, compile_server, compiled_server
from bench.truth_runs import BENCH, stock_argv, stock_environment, use_client_core

MAX_CORES = 0.01
"""Limit of the cost, from the acceptance of this benchmark."""
NUM_USERS = 8
END_S = 2.0
"""Seconds between the end of the interval and the end of the tool's measurement window."""
BURN_MS = "0.2"
"""Computing time of a planted user every 50 ms: 0.032 cores for all of them."""
USERS = BENCH / "idle_users.py"


def main() -> None:
    """Measure both in turn, and exit with code 1 if the limit is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="length of each measurement")
    options = parser.parse_args()
    use_client_core()
    with tempfile.TemporaryDirectory(prefix="loadbench-constant-") as folder:
        server = compile_server(Path(folder))
        costs = [cost(server, options.seconds, "") for _ in range(options.rounds)]
        planted = cost(server, options.seconds, BURN_MS)
    median = statistics.median(costs)
    print(f"Median cost {median:.4f} cores (at most {MAX_CORES}), planted {planted:.4f}")
    sys.exit(0 if median <= MAX_CORES < planted else 1)


def cost(server: Path, seconds: float, burn_ms: str) -> float:
    """Measure both with a new server, and return the difference in cores."""
    plan = Plan(
        latency_ms=0,
        distribution="constant",
        is_shared=False,
        window_s=seconds,
        is_settling=False,
        repeats=1,
        seed=1,
    )
    with tempfile.TemporaryDirectory(prefix="loadbench-constant-") as name:
        folder = Path(name)
        with compiled_server(server, plan, folder / "log.json") as host:
            stock, tool = by_stock(host, folder, seconds), by_tool(host, folder, seconds, burn_ms)
    print(f"tool {tool:.4f} cores, stock {stock:.4f}, cost {tool - stock:.4f}", flush=True)
    return tool - stock


def by_tool(host: str, folder: Path, seconds: float, burn_ms: str) -> float:
    """Return the CPU use of the tool's Locust process while its window is open, in cores."""
    for name in ("profiles", "stack", "images"):
        (folder / name).mkdir()
    run_time_s = WARM_UP_S + seconds + END_S
    text = PROFILE.format(users=NUM_USERS, run_time_s=run_time_s, host=host, locustfile=USERS)
    (folder / "profiles" / "client.yaml").write_text(text)
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(folder)]
    environment = {**os.environ, "BENCH_BURN_MS": burn_ms}
    with started([*argv, "run", "client", "--plain"], folder, environment) as tool:
        wait_for_window(folder / "reports" / "client" / "latest")
        found = [one for one in tool.children(recursive=True) if is_locust(one)]
        assert len(found) == 1
        return cores_of(found[0], seconds)


def is_locust(process: psutil.Process) -> bool:
    """Return whether a process is the tool's Locust, and not its supervisor."""
    return process.cmdline()[1:4] == ["-P", "-m", "loadbench.in_locust"]


def by_stock(host: str, folder: Path, seconds: float) -> float:
    """Return the CPU use of stock Locust with the same users, in cores."""
    begun = folder / "begun"
    environment = stock_environment(folder, {"BENCH_BEGUN": str(begun)})
    with started(stock_argv(USERS, host, NUM_USERS), folder, environment) as locust:
        wait_until(begun.exists, "Stock Locust started no user")
        return cores_of(locust, seconds)


def cores_of(process: psutil.Process, seconds: float) -> float:
    """Wait for the warm-up, and return the CPU use of a process in an interval."""
    time.sleep(WARM_UP_S)
    since_s, before_s = time.monotonic(), used_s([process])
    time.sleep(seconds)
    return (used_s([process]) - before_s) / (time.monotonic() - since_s)


if __name__ == "__main__":
    main()
