"""Check in real runs that disturbed measurements get the right finding, and good ones get none.

    .venv/bin/python -m bench.verdicts [--only good,frozen,…]

Executes six runs: an undisturbed one, a server far faster than the client, a cell of three seconds,
a service frozen for two seconds, and (with Docker) a killed container and a CPU limit. The
benchmark measures the CPU used by other processes independently of the tool, and accepts findings
about them accordingly.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from bench.sweeps import Sweep, perform, workspace
from bench.truth_runs import serving
from loadbench.engine.hardware.cpu import usable_cores
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.limits import MAX_OTHERS_CORES, MAX_OTHERS_SHARE
from loadbench.engine.report.rows import Row, rows

FROZEN_S = 2.0
TOLERANCE_CORES = 0.15
"""Tolerance for the two measurements of other processes, which are not simultaneous."""

PROFILE = """
models: [{models}]
users: [{users}]
spawn_rates: [50]
run_time: {seconds}s
settle: {{max: 12s, window: 2s}}
stack: {{driver: {driver}, compose: [stack/compose.yaml{more}]}}
"""
FAST = """
models: [1]
users: [50]
spawn_rates: [50]
run_time: 10s
host: {host}
load: {{locustfile: fast.py}}
stack: {{driver: external}}
"""
FAST_USERS = """
from locust import FastHttpUser, task

class User(FastHttpUser):
    @task
    def get(self):
        self.client.get("/r/0", name="/r")
"""
FAILED = "failed"
OTHERS_RULES = {"neighbours", "stolen"}
KILLED = ("model-2", 137)
"""Container that the case `killed` kills, and its exit code."""
LIMITED = """
services:
  model:
    cpus: 0.4
"""


def main() -> None:
    """Execute the selected runs, and print wrong findings."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help=f"comma-separated list of {', '.join(CASES)}")
    names = parser.parse_args().only
    errors = []
    for name in names.split(",") if names else CASES:
        expected, measure = CASES[name]
        sweep = measure()
        for row in rows(sweep.state):
            others = sweep.others_cores.get(row.cell, 0.0)
            found = rules_of(row, others)
            print(f"{name:10} {row.cell:12} {row.verdict:8} others {others:4.2f}  {row.reasons}")
            failed = sweep.state.cells[row.cell].failed
            is_correct = expected in found if expected else not found
            if failed and (failed.container, failed.exit_code) != KILLED:
                is_correct = False
            if not is_correct:
                errors.append(f"{name}: expected {expected or 'no finding'}")
    print("All findings are correct" if not errors else "\n".join(errors))
    sys.exit(bool(errors))


def rules_of(row: Row, others_cores: float) -> set[str]:
    """Return the rule ids of a cell's findings, and `failed` for a failed cell.

    Rules about other processes are omitted if other processes were in fact active.
    """
    limit = max(MAX_OTHERS_CORES, MAX_OTHERS_SHARE * usable_cores())
    found = {finding.rule for finding in row.findings}
    found |= {FAILED} if row.verdict == FAILED else set()
    return found - (OTHERS_RULES if others_cores > limit - TOLERANCE_CORES else set())


def good() -> Sweep:
    """Run the included service without a disturbance."""
    with workspace(profile()) as root:
        return perform(root)


def fast() -> Sweep:
    """Run 50 users against a server that responds immediately."""
    with workspace("") as root, serving("at-once", root / "log.json") as (host, _):
        (root / "fast.py").write_text(FAST_USERS)
        (root / "profiles" / "bench.yaml").write_text(FAST.format(host=host))
        return perform(root)


def short() -> Sweep:
    """Run one user for three seconds."""
    with workspace(profile(users=1, seconds=3)) as root:
        return perform(root)


def frozen() -> Sweep:
    """Freeze the API for two seconds."""

    def freeze(state: RunState) -> None:
        children = psutil.Process(state.pid).children(recursive=True)
        pids = [process.pid for process in children if "gunicorn" in str(process.cmdline())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(FROZEN_S)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    with workspace(profile()) as root:
        return perform(root, freeze)


def killed() -> Sweep:
    """Kill the container of a worker."""

    def kill(state: RunState) -> None:
        assert state.started is not None
        assert state.started.project is not None
        name = f"{state.started.project.name}-model-2"
        subprocess.run(["docker", "kill", name], check=True, capture_output=True)

    with workspace(profile("compose", models=2)) as root:
        return perform(root, kill)


def limited() -> Sweep:
    """Limit the model container to 0.4 cores."""
    with workspace(profile("compose", more=", limited.yaml")) as root:
        (root / "limited.yaml").write_text(LIMITED)
        return perform(root)


def profile(
    driver: str = "local", *, models: int = 1, users: int = 2, seconds: int = 15, more: str = ""
) -> str:
    """Return a profile of one cell."""
    return PROFILE.format(driver=driver, models=models, users=users, seconds=seconds, more=more)


CASES: dict[str, tuple[str, Callable[[], Sweep]]] = {
    "good": ("", good),
    "fast": ("client_bound", fast),
    "short": ("few_samples", short),
    "frozen": ("stalls", frozen),
    "killed": (FAILED, killed),
    "limited": ("throttled", limited),
}
"""Rule id of the expected finding, empty for none, and the function that executes the run."""

if __name__ == "__main__":
    main()
