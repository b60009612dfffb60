"""Check that saving the summary costs the same per cell in long runs as in short ones.

    .venv/bin/python -m bench.summary_cost [--seed 20] [--cells 10 100 1000 10000]

Simulates sweeps with the control loop of the runner, its journal and its summaries, but without a
service. For each number of cells, it prints the CPU seconds per cell spent on the summary, and on
everything else in the control loop. The ratios are to the smallest sweep of the same run. A ratio
above `MAX_RATIO` is an error. Writing all of it after every cell, which is quadratic, must be one.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.decision_shapes import SHAPES, CellPlan, events_of
from loadbench.engine.journal.events import CellFinished, Event, RunFinished
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.report.export.summary import (
    CSV_NAME,
    JSON_NAME,
    summary_csv,
    summary_json,
    write_summary,
)
from loadbench.engine.run.control_loop import ControlLoop

DEFAULT_SEED = 20
MAX_RATIO = 2.0
"""Largest ratio between the seconds per cell of a long and the shortest sweep."""

REPEATS = 5
MODELS = 2
"""The smallest sweep has 2 models × 1 load × 5 repeats."""

PLANTED_CELLS = 200
MIN_CELLS = 200
"""A short sweep is repeated until this number of cells has been simulated."""

SAMPLES = 300
"""Requests per cell, so that a cell has about 100 different latencies."""


@dataclass(slots=True)
class Cost:
    """CPU time per cell of a simulated sweep, in seconds."""

    cells: int
    summary_s: float = 0.0
    rest_s: float = 0.0


def main() -> None:
    """Simulate all sweeps, and exit with 1 if one is too slow or the planted one is not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--cells", type=int, nargs="+", default=[10, 100, 1000, 10_000])
    options = parser.parse_args()
    print(f"seed {options.seed}, {REPEATS} repeats, {SAMPLES} requests per cell")
    costs = [simulate(cells, options.seed) for cells in options.cells]
    planted = simulate(PLANTED_CELLS, options.seed, always=True)
    for cost, name in [*((cost, "") for cost in costs), (planted, "planted: saved after each")]:
        print(_line(cost, costs[0], name))
    slow = [cost.cells for cost in costs if _ratio(cost, costs[0]) > MAX_RATIO]
    is_refused = _ratio(planted, costs[0]) > MAX_RATIO
    print(f"too slow: {slow or 'none'}; planted one: {'refused' if is_refused else 'accepted'}")
    sys.exit(bool(slow) or not is_refused)


def simulate(cells: int, seed: int, *, always: bool = False) -> Cost:
    """Simulate a sweep and return what it cost.

    Args:
        cells: Number of cells.
        seed: Seed of the latencies.
        always: Whether to write the summary after every cell, as the planted case.

    Raises:
        AssertionError: The files are not those that `report` would write.
    """
    cost = Cost(cells)
    sweeps = max(1, MIN_CELLS // cells)
    for number in range(sweeps):
        _simulate(cost, _events(cells, seed + number), always=always)
    cost.summary_s /= sweeps * cells
    cost.rest_s /= sweeps * cells
    return cost


def _simulate(cost: Cost, events: Iterable[Event], *, always: bool) -> None:
    """Add the CPU time of one sweep to a cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = JournalWriter(folder)
        control = ControlLoop(folder, journal, EMPTY)
        for event in events:
            start = time.process_time()
            if isinstance(event, RunFinished):
                control.finish(event.result, event.reason)
                cost.summary_s += time.process_time() - start
                continue
            control.emit(event)
            cost.rest_s += time.process_time() - start
            if isinstance(event, CellFinished):
                start = time.process_time()
                if always:
                    write_summary(control.state, folder)
                else:
                    control.cell_ended()
                cost.summary_s += time.process_time() - start
        journal.close()
        assert (folder / CSV_NAME).read_text() == summary_csv(control.state)
        assert (folder / JSON_NAME).read_text() == summary_json(control.state)


def _events(cells: int, seed: int) -> list[Event]:
    loads = cells // (MODELS * REPEATS)
    shape = replace(
        SHAPES["linear"],
        models=tuple(range(1, MODELS + 1)),
        users=tuple(range(1, loads + 1)),
        repeats=REPEATS,
        change=lambda _cell: CellPlan(samples=SAMPLES),
    )
    return events_of("summary_cost", shape, seed)


def _line(cost: Cost, base: Cost, name: str) -> str:
    return (
        f"{cost.cells:6} cells  summary {cost.summary_s:.5f} s/cell (× {_ratio(cost, base):.2f}), "
        f"rest {cost.rest_s:.5f} s/cell (× {cost.rest_s / base.rest_s:.2f}) {name}".rstrip()
    )


def _ratio(cost: Cost, base: Cost) -> float:
    return cost.summary_s / base.summary_s


if __name__ == "__main__":
    main()
