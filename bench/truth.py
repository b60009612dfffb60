"""Compare the results of the tool, and of stock Locust, with the server's own log.

    .venv/bin/python -m bench.truth [--seconds 12] [--only two-modes,bucket] [--http] [--realtime]
    .venv/bin/python -m bench.truth --grid [OPTION]...

A server with planned latencies runs on one core and logs every request by its number. The tool and
its Locust run on another core and measure one cell through the command line. The users record the
start and end of each request and of the measurement window, so the reference is the server's
latency for exactly the requests that count. Latency and counts cover the requests started in the
window, and throughput covers the successes completed in it. Stock Locust runs the same users for
the same time, and its whole run counts. All percentiles are nearest-rank percentiles of successes.

The output includes possible causes of an error: Locust's CPU usage, its event-loop lag (measured
by a greenlet that sleeps for 20 ms), the share of time during which it waited for a core, and the
CPU used by other processes on the machine. `!` marks errors that exceed a limit.

If other processes use the same cores, Locust waits for its core, and users see a higher latency
than the server. `--realtime` gives the benchmark's processes real-time priority, which separates
errors of the tool from effects of the machine. It requires root.

`--grid` checks the rules about the load generator's own delay instead, see `truth_grid.py`.

Exits with code 1 if a row with Locust at 0.3 cores or less exceeds a limit, or if any other row
exceeds a limit although its verdict is valid.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import truth_grid
from bench.truth_check import LIMITS, Comparison, compare_stock, compare_tool
from bench.truth_runs import Result, ToolResult, run_stock, run_tool, use_client_core
from loadbench.engine.journal.events import Verdict
from loadbench.engine.measure.buckets import percentile

MAX_LIGHT_CORES = 0.3
"""CPU usage of Locust, in cores, up to which every row must stay within the limits."""


@dataclass(frozen=True, slots=True)
class Row:
    """One cell."""

    plan: str
    """Latency plan of the server."""
    users: int

    @property
    def name(self) -> str:
        """Name for `--only`; the plan alone selects all of its rows."""
        return f"{self.plan}/{self.users}"


ROWS = (
    Row("two-modes", 10),
    Row("around-1.5", 1),
    Row("around-20", 10),
    Row("around-105", 50),
    Row("around-1040", 250),
    Row("failing", 8),
    Row("bucket", 20),
    # Rows with a high load on Locust.
    Row("two-modes", 50),
    Row("two-modes", 100),
    Row("around-1.5", 8),
    Row("around-20", 60),
    Row("around-105", 300),
    Row("failing", 60),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRow:
    """A measured row, compared with the server's log."""

    row: Row
    run: ToolResult
    comparison: Comparison

    @property
    def is_within_limits(self) -> bool:
        """Whether all errors are within the limits."""
        return self.comparison.error_ratio <= 1 and self.comparison.is_exact

    @property
    def verdict(self) -> str:
        """The tool's verdict on the cell, with its findings."""
        return f"{self.run.cell.verdict} {'; '.join(self.run.cell.reasons)}".strip()

    @property
    def is_tool_error(self) -> bool:
        """Whether the row exceeds a limit because of the tool."""
        is_valid = self.run.cell.verdict is Verdict.VALID
        is_light = self.run.cpu_cores <= MAX_LIGHT_CORES
        return not self.is_within_limits and (is_valid or is_light)


def main() -> None:
    """Measure all rows, and exit with code 1 if the tool is inaccurate."""
    if "--grid" in sys.argv:
        sys.argv.remove("--grid")
        truth_grid.main()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=12, help="length of each cell")
    parser.add_argument("--only", default="", help="comma-separated list of PLAN or PLAN/USERS")
    parser.add_argument("--http", action="store_true", help="also run stock Locust with HttpUser")
    parser.add_argument(
        "--realtime", action="store_true", help="use real-time scheduling (requires root)"
    )
    options = parser.parse_args()
    names = options.only.split(",") if options.only else []
    rows = [row for row in ROWS if not names or {row.name, row.plan} & set(names)]
    if not rows:
        parser.error(f"--only: choose from {', '.join(row.name for row in ROWS)}")
    use_client_core()
    if options.realtime:
        # A nice value is not enough: Linux weighs sessions, not processes, against each other.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        print("All processes of the benchmark have real-time priority\n")
    measured = [measure(row, options.seconds, http=options.http) for row in rows]
    sys.exit(print_summary(measured))


def measure(row: Row, seconds: float, *, http: bool) -> MeasuredRow:
    """Measure a row with the tool and with stock Locust, and print both."""
    with tempfile.TemporaryDirectory(prefix="loadbench-truth-") as folder:
        run = run_tool(row.plan, row.users, seconds, Path(folder) / "tool")
        measured = MeasuredRow(row=row, run=run, comparison=compare_tool(run))
        print_tool(measured)
        for user in ("FastHttpUser", "HttpUser")[: 1 + http]:
            stock = run_stock(row.plan, row.users, seconds, Path(folder) / user, user)
            print_figures(f"stock {user}", stock, compare_stock(stock))
    print(flush=True)
    return measured


def print_tool(measured: MeasuredRow) -> None:
    """Print the result of the tool."""
    run = measured.run
    header = "".join(f"{f'p{fraction * 100:g}':>19}" for fraction in LIMITS)
    print(f"{f'{measured.row.plan}, {measured.row.users} users':<27}{header}")
    print_figures("tool", run, measured.comparison)
    answer = "yes" if measured.is_within_limits else "no"
    print(f"  within limits: {answer}; verdict: {measured.verdict}; other processes used ", end="")
    print(f"{run.others_cores:.2f} cores, {run.stolen_cores:.2f} stolen", flush=True)


def print_figures(source: str, run: Result, comparison: Comparison) -> None:
    """Print the server's percentiles, those of a run, the counts, and the state of Locust."""
    server = "".join(f"{latency.server_ms:>19.2f}" for latency in comparison.latencies)
    reported = "".join(
        f"{latency.reported_ms:>9.4g} {latency.error:<9}" for latency in comparison.latencies
    )
    counts = ", ".join(f"{name} {number}" for name, number in comparison.counts.items())
    exact = "exact" if comparison.is_exact else "not exact!"
    print(f"  {'server':<25}{server}\n  {source:<25}{reported}")
    lag_ms = [percentile(run.lag_ms, fraction) or 0.0 for fraction in (0.5, 0.95, 0.99)]
    print(f"    {counts}: {exact}")
    print(f"    Locust CPU {run.cpu_cores:.2f}, waited for a core {run.waited_cores:.3f}, ", end="")
    print(f"lag p50/p95/p99 {' / '.join(f'{ms:.2g}' for ms in lag_ms)} ms", flush=True)


def print_summary(measured: list[MeasuredRow]) -> int:
    """Print the rows that exceed a limit, and return the exit code."""
    exceeded = [row for row in measured if not row.is_within_limits]
    valid = [row for row in measured if row.run.cell.verdict is Verdict.VALID]
    if valid:
        worst = max(valid, key=lambda row: row.comparison.error_ratio)
        print(f"Largest error of the valid rows: {worst.row.name}, ", end="")
        print(f"{worst.comparison.error_ratio:.2f} times the limit")
    print(f"{len(measured) - len(exceeded)} of {len(measured)} rows are within the limits")
    for row in exceeded:
        counts = "exact" if row.comparison.is_exact else "not exact"
        ratio = row.comparison.error_ratio
        print(f"  {row.row.name}: {ratio:.2f} times the limit, counts {counts}, ", end="")
        print(f"Locust CPU {row.run.cpu_cores:.2f}, ", end="")
        print(f"other processes {row.run.others_cores:.2f}: {row.verdict}")
    errors = [row.row.name for row in measured if row.is_tool_error]
    print(f"FAILED: {', '.join(errors)}" if errors else "Passed")
    return 1 if errors else 0


if __name__ == "__main__":
    main()
