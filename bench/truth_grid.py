"""Check the rules about the load generator's own delay with the log of a server.

    .venv/bin/python -m bench.truth --grid [--seed N] [--runs N] [--out FILE] [--keep FOLDER]

2, 8 and 50 users, latencies of 2, 20 and 100 ms, three distributions, with and without another
process on the core of the load generator: at least 120 cells with windows from 3 s, most of them
without settling, in about 25 minutes. The server (truth_server.c) is compiled at run time and runs
on its own core, and its log gives the latency of exactly the requests that a cell reports. The
difference is what the load generator adds. It must be within the limits at every percentile, or
the cell must be marked by a rule about the load generator; other findings excuse nothing. Of the
cells within the limits, at most 10 % may be marked. p99.9 with fewer than 10,000 successes, which
the tool marks as an estimate, is counted apart.

A planted cell, whose locustfile blocks the event loop, must be marked. It is judged again without
the evidence in its journal, and the check must then refuse it.

`--keep` keeps the runs in a folder. If the folder already has a run, it is only judged again. The
seed determines the windows, settling, the order of runs, the latencies and the other process.

Exits with code 1 if there is an unmarked miss, if too many cells are marked, if a number of
requests is wrong, or if the planted cell is not refused.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from bench.truth_cells import (
    Log,
    MeasuredCell,
    Summary,
    as_json,
    compare_cell,
    finished_cells,
    header,
    measured_cells,
    read_log,
    row,
    without_evidence,
)
from bench.truth_runs import BENCH, SERVER_CORE, USERS, use_client_core
from loadbench.engine.journal.state import RunState
from loadbench.engine.run_reader import read_run

NUM_USERS = (2, 8, 50)
LATENCIES_MS = (2, 20, 100)
DISTRIBUTIONS = ("bimodal", "lognormal", "constant")
MEAN_FACTOR = {"bimodal": 1 + 0.015 * 14, "lognormal": 1.03, "constant": 1.0}
"""Mean latency divided by the nominal one: truth_server.c has the parameters."""
MIN_CELLS = 120
"""Number of cells that must count. This number, the points of the grid and the lengths of windows
are those of the acceptance of the rules."""
MAX_EXTRA_RUNS = 4
"""Further runs that replace cells in which the server was late."""
WINDOW_S = (3.0, 10.0)
SETTLING_SHARE = 1 / 3
"""Share of the runs that settle. Settling takes 3 to 6 s for each cell, and errors are more likely
without it."""
MIN_SUCCESSES = 200
"""Successes that each cell should have: as many as the tool requires for p95. Users with a high
latency need longer windows."""
DELAY_FACTOR = 1.05
"""How much longer windows are for the time between responses and the next requests."""
TIMEOUT_S = 600
"""Time after which a run, which takes less than two minutes, is given up."""

PROFILE = """
models: [1]
users: {users}
spawn_rates: [50]
repeats: {repeats}
run_time: {window_s:.2f}s
settle: {settle}
host: {host}
stack: {{driver: external}}
load: {{locustfile: {locustfile}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run of the tool."""

    latency_ms: int
    distribution: str
    is_shared: bool
    window_s: float
    is_settling: bool
    repeats: int
    seed: int
    users: tuple[int, ...] = NUM_USERS
    block: str = ""
    """How the locustfile blocks the event loop, see `truth_users.py`."""
    number: int = 1
    """1 for the first run with the same latency, distribution and core."""

    @property
    def name(self) -> str:
        """Name in rows, which further runs share."""
        core = "shared" if self.is_shared else "alone"
        name = f"{self.distribution}-{self.latency_ms}-{core}"
        return f"planted-{name}" if self.block else name

    @property
    def folder(self) -> str:
        """Name of the folder."""
        return f"{self.name}-{self.number}" if self.number > 1 else self.name


PLANTED = Plan(
    latency_ms=20,
    distribution="constant",
    is_shared=False,
    window_s=5.0,
    is_settling=False,
    repeats=1,
    seed=1,
    users=(8,),
    block="18,4",
)
"""The event loop is blocked for 4 ms before every tenth of about 350 responses a second, for 14 %
of the time. Users wait for it together, so that all percentiles exceed their limits."""


def main() -> None:
    """Measure the grid and the planted cell, and exit with code 1 if the rules fail."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--runs", type=int, metavar="N", help="only N of the 18 runs")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write all rows as JSON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep and reuse the runs")
    options = parser.parse_args()
    use_client_core()
    plans = all_plans(options.seed)
    runs = plans[: options.runs]
    print(f"Seed {options.seed}, {len(runs)} of {len(plans)} runs\n\n{header()}", flush=True)
    with folder_of(options.keep) as folder:
        server = compile_server(folder)
        cells = [cell for plan in runs for cell in measure(plan, server, folder)]
        if options.runs is None:
            cells += measure_again(cells, plans, server, folder)
        refused = is_planted_refused(server, folder)
    summary = Summary.of(cells)
    errors = summary.errors() + ([] if refused else ["the planted cell was not refused"])
    if options.runs is None and not is_complete(summary):
        errors.append(f"fewer than {MIN_CELLS} cells, or a point of the grid without any")
    print("\n" + "\n".join(summary.lines()))
    for cell in summary.unmarked:
        print(f"unmarked miss: {row(cell)}")
    print(f"planted: {'refused' if refused else 'NOT REFUSED'}")
    if options.out:
        rows = [as_json(cell) for cell in cells]
        options.out.write_text(json.dumps({"seed": options.seed, "cells": rows}, indent=1))
    print(f"FAILED: {', '.join(errors)} (seed {options.seed})" if errors else "Passed")
    sys.exit(bool(errors))


def all_plans(seed: int) -> list[Plan]:
    """Draw the runs of the grid, in random order."""
    generator = random.Random(seed)
    grid = product(LATENCIES_MS, DISTRIBUTIONS, (False, True))
    plans = [draw_plan(generator, *point) for point in grid]
    generator.shuffle(plans)
    return plans


def draw_plan(
    generator: random.Random, latency_ms: int, distribution: str, is_shared: bool
) -> Plan:
    """Draw the run of one point of the grid."""
    mean_s = latency_ms / 1000 * MEAN_FACTOR[distribution]
    min_s = MIN_SUCCESSES * mean_s / min(NUM_USERS) * DELAY_FACTOR
    return Plan(
        latency_ms=latency_ms,
        distribution=distribution,
        is_shared=is_shared,
        window_s=round(max(min_s, generator.uniform(*WINDOW_S)), 2),
        is_settling=generator.random() < SETTLING_SHARE,
        # The delay of the load generator matters most at low latencies.
        repeats=3 if latency_ms == min(LATENCIES_MS) else 2,
        seed=generator.randrange(2**31),
    )


def is_complete(summary: Summary) -> bool:
    """Return whether enough cells count, and at least one for each point of the grid."""
    points = len(LATENCIES_MS) * len(DISTRIBUTIONS) * 2 * len(NUM_USERS)
    return len(summary.cells) >= MIN_CELLS and len(summary.points) == points


def measure_again(
    cells: Sequence[MeasuredCell], plans: Sequence[Plan], server: Path, folder: Path
) -> list[MeasuredCell]:
    """Repeat the runs that have the most cells that do not count, until enough cells count."""
    excluded = Counter(cell.plan for cell in cells if not cell.is_counted)
    by_name = {plan.name: plan for plan in plans}
    more: list[MeasuredCell] = []
    for name, _ in excluded.most_common(MAX_EXTRA_RUNS):
        if is_complete(Summary.of([*cells, *more])):
            break
        plan = by_name[name]
        more += measure(replace(plan, seed=plan.seed + 1, number=2), server, folder)
    return more


def measure(plan: Plan, server: Path, folder: Path) -> list[MeasuredCell]:
    """Measure the cells of a run, and print their rows."""
    state, log = run_tool(plan, server, folder / plan.folder)
    cells = measured_cells(plan.name, state, log)
    for cell in cells:
        print(row(cell), flush=True)
    late = max((cell.server_late_max_ms for cell in cells), default=0.0)
    settling = "settling" if plan.is_settling else "no settling"
    print(
        f"  run {plan.number}, {settling}, seed {plan.seed}, server late by at most {late:.2f} ms",
        flush=True,
    )
    return cells


def is_planted_refused(server: Path, folder: Path) -> bool:
    """Return whether the planted cell is marked, and refused if its evidence is removed."""
    state, log = run_tool(PLANTED, server, folder / PLANTED.folder)
    [(cell, finished)], [window] = finished_cells(state), log.windows
    rows = {
        evidence: compare_cell(PLANTED.name, state, cell, judged, log, window)
        for evidence, judged in (("as recorded", finished), ("none", without_evidence(finished)))
    }
    print("\nPlanted cell, judged with the evidence as recorded, and with none:")
    print("\n".join(row(one) for one in rows.values()))
    recorded, without = (Summary([one], excluded=0) for one in rows.values())
    return bool(recorded.missing and not recorded.unmarked and without.unmarked)


def run_tool(plan: Plan, server: Path, folder: Path) -> tuple[RunState, Log]:
    """Execute a run of the tool, unless the folder has it, and read its results and logs."""
    notes, log = folder / "notes.json", folder / "log.json"
    if not log.exists():
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("profiles", "stack", "images"):
            (folder / name).mkdir(parents=True)
        with compiled_server(server, plan, log) as host, other_process(plan):
            profile = PROFILE.format(
                users=list(plan.users),
                repeats=plan.repeats,
                window_s=plan.window_s,
                settle="{max: 6s, window: 1s}" if plan.is_settling else "{max: 0s}",
                host=host,
                locustfile=USERS,
            )
            (folder / "profiles" / "truth.yaml").write_text(profile)
            execute(folder, {"TRUTH_NOTES": str(notes), "TRUTH_BLOCK": plan.block})
    state = read_run((folder / "reports" / "truth" / "latest").resolve()).state
    return state, read_log(notes, log)


def execute(folder: Path, environment: dict[str, str]) -> None:
    """Run the tool in a workspace until it exits."""
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(folder)]
    argv += ["run", "truth", "--plain"]
    output = folder / "output.txt"
    with output.open("w") as file:
        tool = subprocess.Popen(argv, stdout=file, stderr=file, env={**os.environ, **environment})
        try:
            tool.wait(TIMEOUT_S)
        finally:
            if tool.poll() is None:
                tool.send_signal(signal.SIGINT)
                tool.wait()
    # 3: cells are suspect.
    if tool.returncode:
        print(f"  the tool exited with code {tool.returncode}: {output.read_text()[-2000:]}")


def compile_server(folder: Path) -> Path:
    """Compile the server, and return its path."""
    compiler = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if compiler is None:
        sys.exit("A C compiler is required for the server: install gcc (Debian: apt install gcc)")
    program = folder / "truth_server"
    subprocess.run(
        [compiler, "-O2", "-o", str(program), str(BENCH / "truth_server.c"), "-lm"], check=True
    )
    return program


@contextmanager
def compiled_server(program: Path, plan: Plan, log: Path) -> Iterator[str]:
    """Run the compiled server, and yield its address. It writes the log on exit."""
    argv = [str(program), plan.distribution, str(plan.latency_ms), str(plan.seed), str(log)]
    argv.append(str(SERVER_CORE))
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()
            server.wait()


@contextmanager
def other_process(plan: Plan) -> Iterator[None]:
    """Run another process on the core of the load generator, if the plan has one.

    It has a session of its own, like a process of another user: Linux shares a core equally among
    sessions (`sched_autogroup_enabled`).
    """
    if not plan.is_shared:
        yield
        return
    argv = [sys.executable, str(BENCH / "truth_other_process.py"), str(plan.seed)]
    with subprocess.Popen(argv, start_new_session=True) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def folder_of(keep: Path | None) -> Iterator[Path]:
    """Yield the folder of all runs, by default a temporary one."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory() as folder:
        yield Path(folder).resolve()


if __name__ == "__main__":
    main()
