"""Check that the memory of the runner and the TUI stays bounded in a cell that lasts a day.

    .venv/bin/python -m bench.memory [--seconds 86400] [--containers 8] [--seed 16]

One cell is simulated second by second without waiting. Each part runs in a separate process:

- runner: the real attempt, control loop and journal, with simulated load and containers.
- follow: the real app, headless, opened on the cell after its first minute. The journal of the rest
  of the day is then appended in chunks of ten minutes.
- attach: the same app, opened at the end of the day. The cell then finishes and is read again.
- unbounded: the reader with compaction disabled. It must exceed the limit, which shows that the
  test can fail, and its charts are the reference.

The growth of the resident memory since just before the day is measured at the end and at the peak.
The benchmark also checks that the app counts every request, and that the charts of the whole day
and of its last ten minutes match the reference. Exits with code 1 if a check fails.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.memory_day import DayContainers, DayLoad, DayMetrics
from loadbench.engine.journal.codec import CELL_ENDED_PREFIXES, FILE_NAME, SAMPLE_PREFIX
from loadbench.engine.journal.samples import Samples
from loadbench.engine.journal.state import EMPTY, RunState, fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.measure.buckets import count, failures, successes
from loadbench.engine.report.metrics import goals_of
from loadbench.engine.report.running_totals import Accumulator
from loadbench.engine.report.slices import Slices
from loadbench.engine.run.attempt import CellAttempt, Equipment
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run_reader import RunReader
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.cell.screen import CellScreen
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.lines.charts.series import latency_chart, throughput_chart
from loadbench.ui.messages import OpenRun
from loadbench.ui.profiles.screen import ProfilesScreen
from tests.support.builders import cell_started, make_profile, run_started
from tests.support.fakes import FakeStack
from tests.support.ui_harness import WIDE, Stage, held

MAX_GROWTH_MB = 40
"""Maximum memory growth of the runner and of the TUI, in MiB."""
LAST_S = 600
"""Seconds at the end of the day whose charts must be exact."""
FIRST_LINES = 60
"""Number of journal lines, about one minute of measuring, that exist when the app is opened."""
TIMEOUT_S = 1200.0
POLL_INTERVAL_S = 0.1
CELL, RUN = "m1_u2_s2", "20261122-111101"


def main() -> None:
    """Run every part and check the limits."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=86_400)
    parser.add_argument("--containers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part = Part(options.root, options.seconds, options.containers, options.seed)
        print(json.dumps(PARTS[options.part](part)))
        return
    print(f"seed {options.seed}, {options.seconds} s × {options.containers} containers")
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        found = {name: perform(name, Path(root)) for name in PARTS}
    sys.exit(not judge(found))


def perform(part: str, root: Path) -> dict[str, Any]:
    """Run a part in a separate process, and return its results."""
    argv = [
        sys.executable,
        "-m",
        "bench.memory",
        *sys.argv[1:],
        "--part",
        part,
        "--root",
        str(root),
    ]
    completed = subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
    figures = {name: value for name, value in found.items() if name != "charts"}
    print(
        f"{part:10}", "  ".join(f"{name} {value:,}" for name, value in figures.items()), flush=True
    )
    return found


def judge(found: dict[str, dict[str, Any]]) -> bool:
    """Print one line per check; return whether all passed."""
    runner, unbounded = found["runner"], found["unbounded"]
    lines = []
    for name in ("runner", "follow", "attach"):
        growth = max(found[name]["grown_mb"], found[name]["peak_mb"])
        text = f"{name}: memory growth {growth} MiB, limit {MAX_GROWTH_MB} MiB"
        lines.append((text, growth <= MAX_GROWTH_MB))
    for name in ("follow", "attach"):
        results = found[name]
        is_complete = all(
            results[field] == runner[field] for field in ("seconds", "successes", "failures")
        )
        lines.append((f"{name}: every second, success and failure is counted", is_complete))
        for chart, points in unbounded["charts"].items():
            is_same = results["charts"][chart] == points and len(str(points)) > LAST_S
            lines.append((f"{name}: charts of {chart} match the reference", is_same))
    has_exceeded = unbounded["peak_mb"] > MAX_GROWTH_MB
    text = f"unbounded: memory growth {unbounded['peak_mb']} MiB, must exceed {MAX_GROWTH_MB} MiB"
    lines.append((text, has_exceeded))
    for text, is_passed in lines:
        print("passed" if is_passed else "FAILED", text)
    return all(is_passed for _, is_passed in lines)


@dataclass(frozen=True, slots=True)
class Part:
    """Parameters of the process that runs a part."""

    root: Path
    seconds: int
    containers: int
    seed: int

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return self.root / "reports" / "demo" / RUN

    @property
    def day(self) -> Path:
        """Complete journal written by the runner."""
        return self.root / "day.jsonl"

    def start_journal(self, lines: Iterable[bytes], *, run: str = RUN) -> Path:
        """Create a run whose journal has these lines, and return its folder."""
        folder = self.folder.with_name(run)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / FILE_NAME).open("wb") as journal:
            journal.writelines(lines)
        return folder


class Growth:
    """Growth of this process's resident memory since construction."""

    def __init__(self) -> None:
        gc.collect()
        # Reset the peak: proc(5), /proc/pid/clear_refs.
        Path("/proc/self/clear_refs").write_text("5")
        self._before_mb = _memory_mb("VmRSS")

    def figures(self) -> dict[str, float]:
        """Return the current and the peak growth in MiB."""
        gc.collect()
        now, peak = _memory_mb("VmRSS"), _memory_mb("VmHWM")
        return {
            "grown_mb": round(now - self._before_mb, 1),
            "peak_mb": round(peak - self._before_mb, 1),
        }


def _memory_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def perform_cell(part: Part) -> dict[str, Any]:
    """Measure the cell as a runner does, and keep its journal for the other parts."""
    part.folder.mkdir(parents=True)
    profile = make_profile(run_time=part.seconds, settle={"max": "60s", "window": "5s"})
    [cell] = profile_cells = run_started(profile).cells
    assert cell.key == CELL, profile_cells
    journal = JournalWriter(part.folder)
    state = fold([journal.append(run_started(profile)), journal.append(cell_started(CELL))])
    control = ControlLoop(part.folder, journal, state, tick_s=0)
    load = DayLoad(part.seed, part.seconds)
    stack = FakeStack([], show=DayContainers(part.seed, part.containers))
    metrics = DayMetrics(part.seed, part.containers)
    equipment = Equipment(profile=profile, stack=stack, load=load, metrics=metrics)
    growth = Growth()
    attempt = CellAttempt(cell, 1, equipment, control)
    attempt.start()
    attempt.measure()
    figures = growth.figures()
    control.background.shutdown()
    journal.close()
    size = (part.folder / FILE_NAME).stat().st_size
    (part.folder / FILE_NAME).rename(part.day)
    return {
        **figures,
        "journal_mb": round(size / 2**20),
        "seconds": load.seconds,
        "successes": load.successes,
        "failures": load.failures,
    }


def follow(part: Part) -> dict[str, Any]:
    """Open the app on the cell after its first minute, then append ten minutes at a time."""
    return asyncio.run(_follow(part))


async def _follow(part: Part) -> dict[str, Any]:
    journal = part.folder / FILE_NAME
    with part.day.open("rb") as day, held(part.start_journal(list(islice(day, FIRST_LINES)))):
        app = Stage(part.root).app(folder=part.folder)
        async with app.run_test(size=WIDE) as pilot:
            await _wait_until(lambda: _seconds_shown(app) > 0)
            await pilot.press("enter")
            await _wait_until(lambda: isinstance(app.screen, CellScreen))
            growth, shown_s = Growth(), _seconds_shown(app)
            while chunk := list(islice(day, LAST_S)):
                lines = [line for line in chunk if not line.startswith(CELL_ENDED_PREFIXES)]
                if not lines:
                    break
                with journal.open("ab") as file:
                    file.writelines(lines)
                shown_s += sum(line.startswith(SAMPLE_PREFIX) for line in lines)
                await _wait_until_shown(app, shown_s)
            figures = growth.figures()
            return {**figures, **_summary(_attempt(app))}


def attach(part: Part) -> dict[str, Any]:
    """Open the app on the cell at the end of the day, then finish the cell."""
    return asyncio.run(_attach(part))


async def _attach(part: Part) -> dict[str, Any]:
    with part.day.open("rb") as day:
        sample_count = sum(line.startswith(SAMPLE_PREFIX) for line in day)
        day.seek(0)
        part.start_journal(line for line in day if not line.startswith(CELL_ENDED_PREFIXES))
        day.seek(0)
        [end] = (line for line in day if line.startswith(CELL_ENDED_PREFIXES))
        day.seek(0)
        minute = part.start_journal(islice(day, FIRST_LINES), run=f"{RUN}-2")
    app = Stage(part.root).app(folder=minute)
    with held(part.folder):
        async with app.run_test(size=WIDE) as pilot:
            # Open the screens on a short cell first: their own memory does not count as growth.
            await _wait_until(lambda: _seconds_shown(app) > 0)
            await pilot.press("enter")
            await _wait_until(lambda: isinstance(app.screen, CellScreen))
            growth = Growth()
            await pilot.press("escape", "escape")
            await _wait_until(lambda: isinstance(app.screen, ProfilesScreen))
            assert isinstance(app.screen, ProfilesScreen)
            app.screen.request(OpenRun(part.folder))
            await _wait_until_shown(app, sample_count)
            await pilot.press("enter")
            await _wait_until(lambda: isinstance(app.screen, CellScreen))
            attached_mb = growth.figures()["peak_mb"]
            with (part.folder / FILE_NAME).open("ab") as journal:
                journal.write(end)
            await _wait_until(lambda: _is_over(app) and _seconds_shown(app) == sample_count)
            figures = growth.figures()
            return {**figures, "attached_mb": attached_mb, **_summary(_attempt(app))}


def _watched(app: LoadbenchApp) -> WatchedRun | None:
    watched: WatchedRun | None = getattr(app.screen, "watched", None)
    return watched if watched and watched.view else None


def _attempt(app: LoadbenchApp) -> RunState:
    watched = _watched(app)
    return (watched and watched.shown(CELL).attempt) or EMPTY


def _seconds_shown(app: LoadbenchApp) -> int:
    return len(_attempt(app).samples)


def _is_over(app: LoadbenchApp) -> bool:
    watched = _watched(app)
    return bool(watched and watched.run and watched.run.state.current is None)


async def _wait_until_shown(app: LoadbenchApp, seconds: int) -> None:
    await _wait_until(lambda: _seconds_shown(app) == seconds)


async def _wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():
            await asyncio.sleep(POLL_INTERVAL_S)


def read_unbounded(part: Part) -> dict[str, Any]:
    """Read the cell with compaction disabled: the expected failure, and the reference."""
    with part.day.open("rb") as day:
        part.start_journal(line for line in day if not line.startswith(CELL_ENDED_PREFIXES))
    growth = Growth()
    with patch("loadbench.engine.journal.state.FULL_RESOLUTION_S", sys.maxsize):
        state = RunReader(part.folder).poll().state
    return {**growth.figures(), **_summary(state)}


def _summary(state: RunState) -> dict[str, Any]:
    """Return the counts and charts of the cell as read from the journal."""
    requests = list(chain.from_iterable(part.requests for part in state.samples.parts()))
    return {
        "seconds": len(state.samples),
        "successes": count(successes(requests)),
        "failures": count(failures(requests)),
        "window_requests": count(successes(Accumulator().of(state).requests)),
        "charts": {
            "the day": _charts(state.samples, state),
            "the last ten minutes": _charts(_last(state.samples), state),
        },
    }


def _last(samples: Samples) -> Samples:
    last = Samples()
    for sample in samples[-LAST_S:]:
        last = last.plus(sample)
    return last


def _charts(samples: Samples, state: RunState) -> list[Any]:
    slices = Slices().of(samples)
    charts = [
        latency_chart(slices, state.phases, goals_of(state), growing=True),
        throughput_chart(slices, state.phases, growing=True),
    ]
    return [
        [[series.name, series.points], chart.x_limits]
        for chart in charts
        for series in chart.series
    ]


PARTS: dict[str, Callable[[Part], dict[str, Any]]] = {
    "runner": perform_cell,
    "follow": follow,
    "attach": attach,
    "unbounded": read_unbounded,
}


if __name__ == "__main__":
    main()
