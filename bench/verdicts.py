"""Does what disturbs a measurement get its mark, and a good one none? In real runs.

    .venv/bin/python -m bench.verdicts [--only good,frozen,…]

Six runs: a good one, a server far faster than the client, a cell of three seconds, a service that
is frozen for two seconds, and with Docker a worker's container that is killed and one that has a
CPU limit. What other processes used meanwhile is looked up by other means than the tool's, and
decides whether a mark about neighbours was right.
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
from loadbench.engine.hardware import usable_cores
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.limits import MAX_OTHERS_CORES, MAX_OTHERS_SHARE
from loadbench.engine.report.rows import Row, rows

FROZEN_S = 2.0
SAME_CORES = 0.15
"""Two looks at what others use, not at quite the same time, differ by so much."""

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
KILLED = ("model-2", 137)
"""What the case that kills a container kills, and what it ends with."""
LIMITED = """
services:
  model:
    cpus: 0.4
"""


def main() -> None:
    """Make the runs that were asked for, and say which got the wrong marks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help=f"of {', '.join(CASES)}")
    names = parser.parse_args().only
    wrong = []
    for name in names.split(",") if names else CASES:
        wanted, measure = CASES[name]
        sweep = measure()
        for row in rows(sweep.state):
            others = sweep.others_cores.get(row.cell, 0.0)
            marks = marks_of(row, others)
            print(f"{name:10} {row.cell:12} {row.verdict:8} others {others:4.2f}  {row.reasons}")
            failed = sweep.state.cells[row.cell].failed
            right = wanted in marks if wanted else not marks
            if failed and (failed.container, failed.exit_code) != KILLED:
                right = False
            if not right:
                wrong.append(f"{name}: {wanted or 'no mark'!r} was wanted")
    print("every mark is right" if not wrong else "\n".join(wrong))
    sys.exit(bool(wrong))


def marks_of(row: Row, others_cores: float) -> set[str]:
    """Return the rules that applied to a cell, and `failed` if it did.

    That of other processes is left out if there were some.
    """
    most = max(MAX_OTHERS_CORES, MAX_OTHERS_SHARE * usable_cores())
    marks = {it.rule for it in row.findings} | ({FAILED} if row.verdict == FAILED else set())
    return marks - ({"neighbours", "stolen"} if others_cores > most - SAME_CORES else set())


def good() -> Sweep:
    """The embedded stack, as it is."""
    with workspace(profile()) as root:
        return perform(root)


def fast() -> Sweep:
    """A server that answers at once, and fifty users who wait for nothing else."""
    with workspace("") as root, serving("at-once", root / "log.json") as (host, _):
        (root / "fast.py").write_text(FAST_USERS)
        (root / "profiles" / "bench.yaml").write_text(FAST.format(host=host))
        return perform(root)


def short() -> Sweep:
    """Three seconds of one user."""
    with workspace(profile(users=1, seconds=3)) as root:
        return perform(root)


def frozen() -> Sweep:
    """The API is stopped for two seconds."""

    def freeze(state: RunState) -> None:
        runner = psutil.Process(state.pid)
        pids = [it.pid for it in runner.children(recursive=True) if "gunicorn" in str(it.cmdline())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(FROZEN_S)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    with workspace(profile()) as root:
        return perform(root, freeze)


def killed() -> Sweep:
    """A worker's container is killed."""

    def kill(state: RunState) -> None:
        assert state.started is not None
        assert state.started.project is not None
        name = f"{state.started.project.name}-model-2"
        subprocess.run(["docker", "kill", name], check=True, capture_output=True)

    with workspace(profile("compose", models=2)) as root:
        return perform(root, kill)


def limited() -> Sweep:
    """The model may use 0.4 of a core."""
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
"""The rule that must apply, and the run; an empty text: none."""

if __name__ == "__main__":
    main()
