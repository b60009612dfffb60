"""Compare the overhead of a whole run with that of a plain loop of headless Locust.

    .venv/bin/python -m bench.overhead [--rounds 5]

Both measure a grid of three numbers of users and two spawn rates with one unchanged model, which
runs during the whole comparison, in turn. The overhead is the wall time from start to exit without
the time of the cells: for the tool, without the ramping, settling and measuring that its journal
records; for the loop, without Locust's `--run-time`, which includes the ramp. The tool's summary,
its page with charts and its verdicts are part of its overhead.

A planted case, a run of a single cell, cannot spread its start over several cells and must exceed
the limit. Exits with code 1 if the grid exceeds the limit, or if the planted case does not.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from loadbench.engine.drivers.local.stack import LocalStack
from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CellFinished, CellPhase, Phase
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.plan import Cell, plan_cells
from loadbench.engine.requests.pages import is_current

REPOSITORY = Path(__file__).resolve().parents[1]
MEASURING = (Phase.RAMPING, Phase.SETTLING, Phase.MEASURING)
MAX_RATIO = 0.9
"""Largest ratio of the overheads, from the acceptance of this comparison."""
RUN_TIME_S = 3.0
PROFILE = """
models: [1]
users: [1, 2, 4]
spawn_rates: [5, 10]
run_time: {run_time_s:g}s
settle: {{max: 0s}}
host: {host}
stack: {{driver: external}}
"""
SERVICE = """
models: [1]
users: [1]
spawn_rates: [10]
run_time: 1s
stack: {driver: local}
"""
GRID: tuple[str, ...] = ()
SINGLE_CELL = ("users=4", "spawn_rates=10")
"""Overrides of the planted case."""


def main() -> None:
    """Measure both in turn, print every figure, and exit with code 1 on a wrong ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="number of runs by each of the two")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="loadbench-overhead-") as folder:
        workspace = Path(folder)
        for part in ("stack", "images", "locustfile.py"):
            (workspace / part).symlink_to(REPOSITORY / part)
        (workspace / "profiles").mkdir()
        save(workspace, "service", SERVICE)
        service = load_profile(workspace / "profiles" / "service.yaml")
        stack = LocalStack(workspace / "stack", service, log=workspace / "stack.log")
        try:
            stack.scale(1, lambda _step, _line: None)
            while stack.missing(1):
                time.sleep(0.05)
            save(workspace, "overhead", PROFILE.format(run_time_s=RUN_TIME_S, host=stack.host))
            grid = compare("grid", workspace, stack.host, GRID, rounds)
            planted = compare("planted", workspace, stack.host, SINGLE_CELL, 1)
        finally:
            stack.close()
    print(f"\nGrid: median ratio {grid:.2f} (limit: at most {MAX_RATIO})")
    print(f"Planted, one cell: {planted:.2f} (must exceed the limit)")
    sys.exit(0 if grid <= MAX_RATIO < planted else 1)


def save(workspace: Path, name: str, text: str) -> None:
    """Write a profile."""
    (workspace / "profiles" / f"{name}.yaml").write_text(text)


def compare(name: str, workspace: Path, host: str, overrides: Sequence[str], rounds: int) -> float:
    """Measure both in turn, the first one alternating, and return the median ratio."""
    file = workspace / "profiles" / "overhead.yaml"
    cells = plan_cells(load_profile(file, overrides))
    # Both once before: modules are compiled, and files are in the page cache.
    run_tool(workspace, SINGLE_CELL)
    run_headless(workspace, cells[0], host)
    ratios = []
    for number in range(rounds):
        seconds: dict[str, float] = {}
        for one in ("tool", "loop") if number % 2 else ("loop", "tool"):
            if one == "tool":
                seconds[one] = overhead_of_tool(workspace, overrides, len(cells))
            else:
                seconds[one] = overhead_of_loop(workspace, cells, host)
        ratios.append(seconds["tool"] / seconds["loop"])
        print(
            f"{name}, round {number + 1}: tool {seconds['tool']:.2f} s, loop "
            f"{seconds['loop']:.2f} s, ratio {ratios[-1]:.2f}, {len(cells)} cells",
            flush=True,
        )
    return statistics.median(ratios)


def overhead_of_tool(workspace: Path, overrides: Sequence[str], num_cells: int) -> float:
    """Return the seconds of a run that are not spent in its cells.

    Raises:
        SystemExit: The run has not measured all cells, or has no page with charts.
    """
    started_at = time.monotonic()
    run_tool(workspace, overrides)
    seconds = time.monotonic() - started_at
    folder = (workspace / "reports" / "overhead" / "latest").resolve()
    entries = JournalReader(folder).poll()
    finished = [entry for entry in entries if isinstance(entry.event, CellFinished)]
    if len(finished) != num_cells or not is_current(folder):
        sys.exit(f"{folder}: {len(finished)} of {num_cells} cells, or no page with charts")
    return seconds - measuring_s(entries)


def measuring_s(entries: Sequence[Entry]) -> float:
    """Return the seconds of a run that are spent in ramping, settling and measuring."""
    steps = [entry for entry in entries if isinstance(entry.event, CellPhase | CellFinished)]
    return sum(
        following.elapsed_s - entry.elapsed_s
        for entry, following in pairwise(steps)
        if isinstance(entry.event, CellPhase) and entry.event.phase in MEASURING
    )


def run_tool(workspace: Path, overrides: Sequence[str]) -> None:
    """Execute a run as a user would, without the terminal UI."""
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(workspace)]
    argv += ["run", "overhead", "--plain"]
    for override in overrides:
        argv += ["--set", override]
    subprocess.run(argv, env=environment(), check=True, capture_output=True)


def environment() -> dict[str, str]:
    """Return the environment of both, in which Python keeps compiled modules, as by default."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def overhead_of_loop(workspace: Path, cells: Sequence[Cell], host: str) -> float:
    """Return the seconds of a loop over all cells beyond Locust's run times."""
    started_at = time.monotonic()
    for cell in cells:
        run_headless(workspace, cell, host)
    return time.monotonic() - started_at - len(cells) * RUN_TIME_S


def run_headless(workspace: Path, cell: Cell, host: str) -> None:
    """Measure a cell with headless Locust, as a shell script would."""
    level = cell.level.fields
    argv = [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--only-summary"]
    argv += ["-u", f"{level['users']:g}", "-r", f"{level['spawn_rate']:g}"]
    argv += ["-t", f"{RUN_TIME_S:g}s", "--host", host, "--html", cell.report_name]
    subprocess.run(
        argv,
        cwd=workspace,
        env=environment(),
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
