"""Whether what the tool prints is what the server did, beside what stock Locust prints.

    .venv/bin/python -m bench.truth [--seconds 12] [--only two-modes,bucket] [--http] [--first]

A server of planned latencies logs every request by its number, on a core of its own; the tool with
its Locust is on another one, and measures one cell against it through the command line. The users
note when each request begins and ends and when the measured window is, so the truth is the
server's own latency of exactly the requests that the tool has to tell of: those that were started
in the window for latency and counts, the successes that ended in it for the rate. Stock Locust
runs with the same users for as long, and everything of its run counts. All percentiles are of the
nearest rank; the truth is that of the successes.

Printed with them is what may explain a miss: Locust's CPU, how late its event loop was (a greenlet
that asks to be woken after 20 ms), for which share of the time it was ready and got no core, and
what processes of others took on the whole machine meanwhile. `!` marks what is beyond the limits.

Where others use the cores too, Locust waits for its own, and its users' latency is longer than
the server's. `--first` asks the kernel to serve the benchmark's processes before others, which
tells what is the tool's own from what is the machine's. It takes the rights of root.

It fails if a row with Locust at 0.3 of a core or less misses the limits, or if any other row
misses them and the tool calls it valid.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.truth_check import LIMITS, Comparison, compare_stock, compare_tool
from bench.truth_runs import SERVER_CORE, Told, ToldByTool, run_stock, run_tool
from loadbench.engine.journal.events import Verdict
from loadbench.engine.measure.buckets import percentile

LIGHT_CORES = 0.3
"""Up to this much CPU in Locust every row must be within the limits."""


@dataclass(frozen=True, slots=True)
class Row:
    """One cell."""

    plan: str
    """What the server does."""
    users: int

    @property
    def name(self) -> str:
        """What it is called on the command line, its plan alone standing for all of that plan."""
        return f"{self.plan}/{self.users}"


ROWS = (
    Row("two-modes", 10),
    Row("around-1.5", 1),
    Row("around-20", 10),
    Row("around-105", 50),
    Row("around-1040", 250),
    Row("failing", 8),
    Row("bucket", 20),
    # From here on Locust has much to do.
    Row("two-modes", 50),
    Row("two-modes", 100),
    Row("around-1.5", 8),
    Row("around-20", 60),
    Row("around-105", 300),
    Row("failing", 60),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row that was measured."""

    row: Row
    run: ToldByTool
    comparison: Comparison

    @property
    def good(self) -> bool:
        """Whether it is within the limits."""
        return self.comparison.miss <= 1 and self.comparison.exact

    @property
    def marks(self) -> str:
        """What the tool says of its own numbers."""
        return f"{self.run.cell.verdict} {'; '.join(self.run.cell.reasons)}".strip()

    @property
    def wrong(self) -> bool:
        """Whether the miss, if it is one, is a fault of the tool."""
        unmarked = self.run.cell.verdict is Verdict.VALID
        return not self.good and (unmarked or self.run.cpu_cores <= LIGHT_CORES)


def main() -> None:
    """Measure row after row, and exit with 1 where the claim does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=12, help="of each cell")
    parser.add_argument("--only", default="", help="plans, or PLAN/USERS, with commas")
    parser.add_argument("--http", action="store_true", help="stock Locust with HttpUser as well")
    parser.add_argument("--first", action="store_true", help="before all others on the machine")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else []
    rows = [it for it in ROWS if not names or {it.name, it.plan} & set(names)]
    if not rows:
        parser.error(f"--only: there are {', '.join(row.name for row in ROWS)}")
    cores = os.sched_getaffinity(0)
    if len(cores - {SERVER_CORE}) == len(cores) or len(cores) < 2:
        sys.exit(f"needs two cores: {SERVER_CORE} for the server, another for Locust")
    os.sched_setaffinity(0, {min(cores - {SERVER_CORE})})
    if options.first:
        # A nicer number would not do: Linux weighs sessions, not processes, against one another.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        print("all processes of the benchmark go before others\n")
    judged = [measure(row, options.seconds, http=options.http) for row in rows]
    sys.exit(sum_up(judged))


def measure(row: Row, seconds: float, *, http: bool) -> Judged:
    """Measure a row both ways, and print it."""
    with tempfile.TemporaryDirectory(prefix="loadbench-truth-") as folder:
        run = run_tool(row.plan, row.users, seconds, Path(folder) / "tool")
        judged = Judged(row=row, run=run, comparison=compare_tool(run))
        print_tool(judged)
        for user in ("FastHttpUser", "HttpUser")[: 1 + http]:
            stock = run_stock(row.plan, row.users, seconds, Path(folder) / user, user)
            print_numbers(f"stock {user}", stock, compare_stock(stock))
    print(flush=True)
    return judged


def print_tool(judged: Judged) -> None:
    """Print what the tool told."""
    run = judged.run
    header = "".join(f"{f'p{fraction * 100:g}':>19}" for fraction in LIMITS)
    print(f"{f'{judged.row.plan}, {judged.row.users} users':<27}{header}")
    print_numbers("the tool", run, judged.comparison)
    within = "yes" if judged.good else "no"
    print(f"  within the limits: {within}; verdict: {judged.marks}; others used ", end="")
    print(f"{run.neighbours_cores:.2f} cores, {run.stolen_cores:.2f} stolen", flush=True)


def print_numbers(who: str, run: Told, comparison: Comparison) -> None:
    """Print three lines: the truth, what was told, the counts and Locust's own state."""
    truth = "".join(f"{it.truth_ms:>19.2f}" for it in comparison.latencies)
    told = "".join(f"{it.told_ms:>9.4g} {it.error:<9}" for it in comparison.latencies)
    counts = ", ".join(f"{name} {it}" for name, it in comparison.counts.items())
    exact = "exact" if comparison.exact else "not exact!"
    print(f"  {'truth':<25}{truth}\n  {who:<25}{told}")
    lag_ms = [percentile(run.lag_ms, fraction) or 0.0 for fraction in (0.5, 0.95, 0.99)]
    print(f"    {counts}: {exact}")
    print(f"    own CPU {run.cpu_cores:.2f}, waited for a core {run.waited_cores:.3f}, ", end="")
    print(f"lag p50/p95/p99 {' / '.join(f'{ms:.2g}' for ms in lag_ms)} ms", flush=True)


def sum_up(judged: list[Judged]) -> int:
    """Print what missed, and return the exit code."""
    missed = [it for it in judged if not it.good]
    valid = [it for it in judged if it.run.cell.verdict is Verdict.VALID]
    if valid:
        worst = max(valid, key=lambda it: it.comparison.miss)
        print(f"worst of the rows without a mark: {worst.row.name}, an error of ", end="")
        print(f"{worst.comparison.miss:.2f} times what is allowed")
    print(f"{len(judged) - len(missed)} of {len(judged)} rows are within the limits")
    for it in missed:
        counts = "exact" if it.comparison.exact else "not exact"
        print(f"  {it.row.name}: {it.comparison.miss:.2f} times, counts {counts}, own CPU ", end="")
        print(f"{it.run.cpu_cores:.2f}, others {it.run.neighbours_cores:.2f}: {it.marks}")
    wrong = [it.row.name for it in judged if it.wrong]
    print(f"the claim does not hold for {', '.join(wrong)}" if wrong else "the claim holds")
    return 1 if wrong else 0


if __name__ == "__main__":
    main()
