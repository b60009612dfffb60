"""Check that the page of a run with 100 cells is small and quick to write.

    .venv/bin/python -m bench.page [--seed 25] [--rounds 5]

Writes the page of a generated run in a process of its own, as a runner does at its end, and in
turn with it runs a reference: a process with a fixed loop of Python. `REFERENCE_STEPS` is the
number of steps that takes 1.5 s on two quiet cores, the time in which a page of 100 cells could be
written there. It was extrapolated from the fastest of twelve timings on such a machine under other
load (AMD EPYC, Python 3.11). The limit is a ratio, `MAX_RATIO`, which depends little on the machine
or its load. For both processes, it prints wall and CPU seconds and the peak
of resident memory of each round.

A planted page with the charts of every single cell must be too large and too slow.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.run_reader import read_run
from loadbench.page.charts.draw import drawn
from loadbench.page.charts.run_charts import run_charts
from tests.support.hundred_cells import MODELS, SEED, USERS, add_hundred_cells

MAX_KB = 600
MAX_RATIO = 1.25
"""Largest median of the ratios. Processes that do the same differ by up to a quarter on a machine
that does other work, too."""

REFERENCE_S = 1.5
REFERENCE_STEPS = 19_000_000
REFERENCE = f"""
total = 0
for number in range({REFERENCE_STEPS}):
    total += number * number % 7
"""


@dataclass(frozen=True, slots=True)
class ProcessCost:
    """What a process has used."""

    wall_s: float
    cpu_s: float
    peak_mb: float

    def __str__(self) -> str:
        """Return all three with their units."""
        return f"{self.wall_s:.2f} s, {self.cpu_s:.2f} s CPU, {self.peak_mb:.0f} MB"


def main() -> None:
    """Measure the page, the reference and the planted page, and exit with 1 if one is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--draw-planted", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.draw_planted:
        _draw_planted(options.seed)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = add_hundred_cells(Path(name), seed=options.seed)
        _print_run(folder, options.seed)
        page = [sys.executable, "-m", "loadbench.page", str(folder)]
        reference = [sys.executable, "-c", REFERENCE]
        pairs = []
        for _ in range(options.rounds):
            pairs.append((measured(page), measured(reference)))
            print(f"page {pairs[-1][0]}; reference {pairs[-1][1]}", flush=True)
        kb = (folder / "summary.html").stat().st_size / 1000
        ratio = statistics.median(one.wall_s / other.wall_s for one, other in pairs)
        with tempfile.TemporaryFile() as output:
            command = [sys.executable, "-m", "bench.page", "--draw-planted"]
            planted = measured([*command, "--seed", str(options.seed)], output.fileno())
            planted_kb = output.seek(0, os.SEEK_END) / 1000
        planted_ratio = planted.wall_s / statistics.median(one.wall_s for _, one in pairs)
    is_good = kb <= MAX_KB and ratio <= MAX_RATIO
    is_refused = planted_kb > MAX_KB and planted_ratio > MAX_RATIO
    print(
        f"page: {kb:.0f} kB (limit {MAX_KB}), {ratio:.2f} × reference (limit {MAX_RATIO}), "
        f"as on two quiet cores: {ratio * REFERENCE_S:.1f} s: {'passed' if is_good else 'failed'}"
    )
    print(
        f"planted, charts of every cell: {planted_kb:.0f} kB, {planted_ratio:.2f} × reference: "
        f"{'refused' if is_refused else 'accepted'}"
    )
    sys.exit(not (is_good and is_refused))


def measured(command: list[str], output: int | None = None) -> ProcessCost:
    """Run a process and return what it cost.

    Args:
        command: The command.
        output: File descriptor for its output. None discards the output.

    Raises:
        CalledProcessError: It failed.
    """
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL if output is None else output)
    _, status, use = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    # macOS counts in bytes, Linux in KiB.
    per_mb = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    return ProcessCost(wall_s, use.ru_utime + use.ru_stime, use.ru_maxrss / per_mb)


def _print_run(folder: Path, seed: int) -> None:
    run = read_run(folder)
    verdicts = Counter(row.verdict for row in run.rows)
    states = Counter(row.meets_goals or "unchecked" for row in run.rows)
    print(f"seed {seed}, {len(run.rows)} cells: {dict(verdicts)}; goals: {dict(states)}")


def _draw_planted(seed: int) -> None:
    """Draw the charts of every cell as if it were a run of its own."""
    with tempfile.TemporaryDirectory() as name:
        for models in MODELS:
            for users in USERS:
                root = Path(name) / f"{models}-{users}"
                folder = add_hundred_cells(root, seed=seed, models=(models,), users=(users,))
                print(*drawn(run_charts(read_run(folder))).values())


if __name__ == "__main__":
    main()
