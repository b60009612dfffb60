"""Check whether attached viewers affect the measurement of a cell.

    .venv/bin/python -m bench.viewers [--repeats 3] [--seconds 20] [--users 4]

One run of the included service repeats a cell with no viewer, one viewer and three viewers in turn.
Each viewer is an attached TUI on a 120×40 terminal with 256 colours, which is read without delay.
For each number of viewers the benchmark prints the median, minimum and maximum of every metric. It
also prints whether the medians differ by less than the spread of the repeats.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from bench.link import Link, forget_connection
from bench.sweeps import NAME, OUTPUT, POLL_INTERVAL_S, workspace
from loadbench.engine.journal.events import CellStarted
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY, RunState
from loadbench.engine.report.rows import Row, rows

SCREENS = (0, 1, 3)
METRICS = {"req/s": "rps", "p50 ms": "p50_ms", "p90 ms": "p90_ms"}
PROFILE = """
models: [1]
users: [{users}]
spawn_rates: [{users}]
run_time: {seconds}s
repeats: {repeats}
settle: {{max: 12s, window: 2s}}
stack: {{driver: local}}
"""


def main() -> None:
    """Measure all cells, and print whether viewers make a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--users", type=int, default=4)
    options = parser.parse_args()
    forget_connection()
    cells = options.repeats * len(SCREENS)
    profile = PROFILE.format(users=options.users, seconds=options.seconds, repeats=cells)
    with workspace(profile) as root:
        state = perform(root)
    measured: dict[int, list[Row]] = defaultdict(list)
    for number, row in enumerate(rows(state)):
        print(f"{screens(number)} viewers  {row.cell:12} {row.verdict:8} {row.reasons}")
        measured[screens(number)].append(row)
    for title, name in METRICS.items():
        print(f"\n{title:10}{'median':>8}{'min':>8}{'max':>8}")
        print_metric(name, measured)


def screens(number: int) -> int:
    """Return the number of viewers for a cell, by its index from 0."""
    return SCREENS[number % len(SCREENS)]


def perform(root: Path) -> RunState:
    """Run the profile of a workspace, and change the number of viewers with each cell."""
    tui = [sys.executable, "-m", "loadbench", "--workspace", str(root)]
    links: list[Link] = []
    cell = 0
    with (root / OUTPUT).open("w") as output:
        tool = subprocess.Popen(
            [*tui, "run", NAME, "--plain"], stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    latest, reader, state = root / "reports" / NAME / "latest", None, EMPTY
    try:
        while state.finished is None and tool.poll() is None:
            time.sleep(POLL_INTERVAL_S)
            if reader is None and latest.exists():
                reader = JournalReader(latest.resolve())
            for entry in reader.poll() if reader else ():
                state = state.apply(entry)
                if isinstance(entry.event, CellStarted):
                    _close(links)
                    links = [Link([*tui, "attach", NAME], root) for _ in range(screens(cell))]
                    cell += 1
    finally:
        _close(links)
        if tool.poll() is None:
            tool.terminate()
        tool.wait()
    if state.finished is None:
        sys.exit((root / OUTPUT).read_text())
    return state


def _close(links: list[Link]) -> None:
    for link in links:
        if link.ended:
            sys.exit(f"A viewer exited unexpectedly:\n{link.text}")
        link.close()


def print_metric(name: str, measured: dict[int, list[Row]]) -> None:
    """Print a metric by number of viewers, and whether the difference exceeds the spread."""
    medians, spreads = [], []
    for screen_count, cells in measured.items():
        values = [value for row in cells if (value := getattr(row, name)) is not None]
        if not values:
            sys.exit(f"No cell with {screen_count} viewers has a value for {name}")
        medians.append(statistics.median(values))
        spreads.append(max(values) - min(values))
        figures = f"{medians[-1]:8.1f}{min(values):8.1f}{max(values):8.1f}"
        print(f"{screen_count} viewers {figures}")
    between, within = max(medians) - min(medians), max(spreads)
    word = "less" if between < within else "MORE"
    print(f"Medians differ by {between:.1f}: {word} than the spread of the repeats ({within:.1f})")


if __name__ == "__main__":
    main()
