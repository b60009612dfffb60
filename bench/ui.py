"""Measure the cost of the run screen, compared with a plain Textual dashboard and htop.

    .venv/bin/python -m bench.ui [--only bytes,idle,start,keys,slow,unread,exit]

A recorded run with eight containers is replayed in real time, on 120×40 terminals with 256 colours
unless another size is given. `plain` is bench/ui_plain.py, which shows the same data. htop shows
this machine instead; `-` means that there is no comparison. All figures are of the viewer process
alone. Prints a line for every target, and exits with code 1 if one is missed.
"""

import argparse
import math
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.event_loop_lag import age_s
from bench.link import Link, forget_connection
from loadbench.workspace import bundled_root
from tests.support.replay import Replay

GOLDEN = bundled_root() / "tests" / "journals" / "eight.jsonl"
BENCH = Path(__file__).parent
RUN = Path("reports", "eight", "20261127-024929")
SIZE, SMALL = (120, 40), (80, 24)
BEGIN_S = 40.0
"""Position in seconds at which the replay starts; its only cell is measured from 17 s to 87 s."""
MEASURING_SINCE_S = 16.77
MAX_DELAY_S = 3.0
"""Maximum age of the data shown, in seconds. A sample is complete after its second has ended."""
WARM_UP_S, WINDOW_S, IDLE_S, UNREAD_S, BLOCKED_S = 5.0, 20.0, 10.0, 30.0, 5.0
STARTS, POLL_INTERVAL_S = 9, 1.0
PRESSES, PRESSING_S, TIMEOUT_S = 30, 40.0, 10.0
SLOW_BYTES_PER_S = (16_384, 4_096)
LOCAL_HZ, REMOTE_HZ = 2.0, 1.0
DOWN, UP = "\x1b[B", "\x1b[A"
AXIS = "└┬─"
"""Lower left corner of a chart, which is drawn last."""
TARGETS = {
    "bytes/s, 1 Hz": 1500,
    "bytes/s, 2 Hz": 3500,
    "bytes/s, 2 Hz, 80×24": 1600,
    "bytes/s, 2 Hz, 80×24, charts": 1600,
    "bytes in 10 s, finished run": 0,
    "CPU %, 1 Hz": 6,
    "memory MiB": 70,
    "first paint s": 0.7,
    "bytes until complete": 15_000,
    "key s, a line, p90": 0.06,
    "key s, a cell, p90": 0.06,
    "key s, a line, 16 KB/s, p90": 0.3,
    "key s, a cell, 16 KB/s, p90": 0.3,
    "longest stall s, unread": 0.2,
    "exit s": 0.5,
    "exit s, unread": 0.5,
}

MAX_TIMES_PLAIN = {"first paint s": 1.25}
"""Maximum ratio to the plain dashboard in the same session. Absolute targets assume an idle
machine; ratios hold on any machine."""

Probe = Callable[[Link], object]
"""Reads a part of the screen that changes only when a key is pressed."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Settings for measuring the response to the Up and Down keys.

    Args:
        first: Keys to press once before the test.
        probe: Reads the part of the screen that Up and Down change.
    """

    first: str
    probe: Probe


@dataclass(frozen=True, slots=True)
class Viewer:
    """A program under measurement.

    Args:
        name: Name of its column.
        command: Returns its command line for a workspace and a refresh rate in Hz.
        is_complete: Returns whether the text of its screen is complete.
        measured: Pattern with two groups, the minutes and seconds of measuring.
        keys: Tests of the Up and Down keys, by name.
    """

    name: str
    command: Callable[[Path, float], list[str]]
    is_complete: Callable[[str], bool]
    measured: str = ""
    keys: dict[str, Keys] = field(default_factory=dict)


@dataclass
class Table:
    """Figures by row and viewer."""

    rows: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, row: str, viewer: Viewer, value: float) -> None:
        """Add a figure."""
        self.rows.setdefault(row, {})[viewer.name] = value

    def __str__(self) -> str:
        """Return the table, with the ratios of our screen to the other viewers."""
        lines = [f"{'':32}{'ours':>10}{'plain':>10}{'ratio':>7}{'htop':>10}{'ratio':>7}"]
        for row, values in self.rows.items():
            ours = values.get("ours")
            line = f"{row:32}{_number(ours):>10}"
            for other in (values.get("plain"), values.get("htop")):
                is_finite = ours is not None and other and math.isfinite(ours + other)
                ratio = f"{ours / other:.2f}" if is_finite and ours is not None and other else "-"
                line += f"{_number(other):>10}{ratio:>7}"
            lines.append(line)
        return "\n".join(lines)

    def verdicts(self) -> list[tuple[bool, str]]:
        """Return whether each measured target is met, with a line to print."""
        lines = []
        for row, limit in TARGETS.items():
            if (value := self.rows.get(row, {}).get("ours")) is not None:
                text = f"{row}: {_number(value)}, limit {_number(limit)}"
                lines.append(_verdict(text, is_met=value <= limit))
        for row, limit in MAX_TIMES_PLAIN.items():
            values = self.rows.get(row, {})
            if "ours" in values and "plain" in values:
                ratio = values["ours"] / values["plain"]
                text = f"{row}: {ratio:.2f} times plain, limit {limit:g}"
                lines.append(_verdict(text, is_met=ratio <= limit))
        return lines


def _verdict(text: str, *, is_met: bool) -> tuple[bool, str]:
    return is_met, f"{'met   ' if is_met else 'MISSED'}  {text}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if math.isinf(value):
        return f">{TIMEOUT_S:g}"
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"


# Viewers


def our_command(root: Path, refresh_hz: float) -> list[str]:
    """Return the command line of our run screen."""
    python = [sys.executable, "-m", "loadbench", "--workspace", str(root)]
    return [*python, f"--refresh={refresh_hz:g}", "attach", "eight"]


def plain_command(root: Path, refresh_hz: float) -> list[str]:
    """Return the command line of the plain dashboard."""
    return [sys.executable, str(BENCH / "ui_plain.py"), str(root / RUN), f"--refresh={refresh_hz}"]


def is_ours_complete(text: str) -> bool:
    """Return whether our screen is complete: panels, figures and both charts."""
    words = ("POST /predict", "model-6", "network", "help")
    return all(word in text for word in words) and text.count(AXIS) == 2


def is_plain_complete(text: str) -> bool:
    """Return whether the plain dashboard is complete."""
    words = ("POST /pre", "model-6", "the run pauses", "Quit")
    return all(word in text for word in words) and text.count(AXIS) == 2


def selected_cell(link: Link) -> object:
    """Return the screen row of the selected cell in the matrix."""
    lines = link.screen.display
    return next((row for row in range(2, 8) if "[" in lines[row][:42]), None)


def first_event(link: Link) -> object:
    """Return the first visible line of the events panel."""
    lines = link.screen.display
    title = next((row for row, line in enumerate(lines) if "─ Events" in line[:42]), 0)
    return lines[title + 1][:42]


def selected_row(link: Link) -> object:
    """Return the selected row of the plain dashboard's table, found by its background colour."""
    colours = [link.screen.buffer[row][2].bg for row in range(2, 10)]
    return next((row for row, colour in enumerate(colours) if colours.count(colour) == 1), None)


OURS = Viewer(
    "ours",
    our_command,
    is_ours_complete,
    r"measurement window so far, ()(\d+) s",
    {"a cell": Keys("", selected_cell), "a line": Keys("4", first_event)},
)
ROW = Keys("", selected_row)
PLAIN = Viewer(
    "plain",
    plain_command,
    is_plain_complete,
    r"measuring (\d+):(\d+)",
    {"a cell": ROW, "a line": ROW},
)
HTOP = Viewer("htop", lambda _, hz: ["htop", "-d", f"{10 / hz:.0f}"], lambda text: "Quit" in text)
VIEWERS = [OURS, PLAIN, *([HTOP] if shutil.which("htop") else [])]
WITH_RUNS = [OURS, PLAIN]


@contextmanager
def live() -> Iterator[tuple[Path, Replay]]:
    """Create a workspace in which the recorded run is replayed."""
    with workspace() as root:
        replay = Replay(GOLDEN, root / RUN, until_s=BEGIN_S)
        try:
            with replay.playing():
                yield root, replay
        finally:
            replay.close()


@contextmanager
def finished() -> Iterator[Path]:
    """Create a workspace in which the recorded run has finished."""
    with workspace() as root:
        replay = Replay(GOLDEN, root / RUN)
        replay.advance(math.inf)
        replay.close()
        yield root


@contextmanager
def workspace() -> Iterator[Path]:
    """Create a workspace without a run."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        for part in ("stack", "profiles"):
            (Path(name) / part).mkdir()
        yield Path(name)


@contextmanager
def opened(
    command: list[str],
    root: Path,
    *,
    size: tuple[int, int] = SIZE,
    bytes_per_s: float | None = None,
) -> Iterator[Link]:
    """Run a program on a terminal."""
    link = Link(command, root, size, bytes_per_s=bytes_per_s)
    try:
        yield link
    finally:
        link.close()


# Measurements


def measure_bytes(table: Table) -> None:
    """Measure bytes written, CPU and memory during a live run."""
    charts = (SMALL, 2.0, ", charts", "6", [OURS])
    for size, hz, panel, key, viewers in (
        (SIZE, 1.0, "", "", VIEWERS),
        (SIZE, 2.0, "", "", VIEWERS),
        (SMALL, 2.0, "", "", VIEWERS),
        charts,
    ):
        setup = f", {hz:g} Hz" + (f", {size[0]}×{size[1]}" if size != SIZE else "") + panel
        for viewer in viewers:
            with live() as (root, _), opened(viewer.command(root, hz), root, size=size) as link:
                time.sleep(WARM_UP_S)
                link.press(key)
                time.sleep(POLL_INTERVAL_S)
                written, used_s, started = link.bytes_read, link.cpu_s, time.monotonic()
                time.sleep(WINDOW_S)
                elapsed = time.monotonic() - started
                table.add(f"bytes/s{setup}", viewer, (link.bytes_read - written) / elapsed)
                table.add(f"CPU %{setup}", viewer, 100 * (link.cpu_s - used_s) / elapsed)
                if (size, hz) == (SIZE, 2.0):
                    table.add("memory MiB", viewer, link.rss_mib)


def measure_idle(table: Table) -> None:
    """Measure bytes written while a finished run is shown."""
    for viewer in WITH_RUNS:
        with finished() as root, opened(viewer.command(root, LOCAL_HZ), root) as link:
            time.sleep(WARM_UP_S)
            written = link.bytes_read
            time.sleep(IDLE_S)
            table.add(f"bytes in {IDLE_S:g} s, finished run", viewer, link.bytes_read - written)


def measure_start(table: Table) -> None:
    """Measure the time to the first paint and to the complete screen, as medians."""
    starts: dict[str, list[tuple[float, float, float]]] = {viewer.name: [] for viewer in VIEWERS}
    for _ in range(STARTS):
        # Alternate, so that other load on the machine affects all viewers alike.
        for viewer in VIEWERS:
            with live() as (root, _), opened(viewer.command(root, LOCAL_HZ), root) as link:
                starts[viewer.name].append(_start(link, viewer))
    for viewer in VIEWERS:
        columns = zip(*starts[viewer.name], strict=True)
        first, complete, written = (statistics.median(column) for column in columns)
        table.add("first paint s", viewer, first)
        table.add("complete s", viewer, complete)
        table.add("bytes until complete", viewer, written)


def _start(link: Link, viewer: Viewer) -> tuple[float, float, float]:
    first, written = math.inf, 0
    while time.monotonic() < link.started_at + TIMEOUT_S:
        # Poll rarely: emulating the terminal takes CPU time from the viewer.
        time.sleep(POLL_INTERVAL_S)
        for at, size in link.show_received():
            written += size
            if math.isinf(first) and link.text.strip():
                first = at - link.started_at
            if viewer.is_complete(link.text):
                return first, at - link.started_at, written
    sys.exit(f"The screen of {viewer.name} was not complete within {TIMEOUT_S:g} s:\n{link.text}")


def measure_keys(table: Table) -> None:
    """Measure the time from a key press to the screen update."""
    _press_keys(table, LOCAL_HZ, None)


def measure_slow(table: Table) -> None:
    """Measure the time from a key press to the screen update over slow links."""
    for bytes_per_s in SLOW_BYTES_PER_S:
        _press_keys(table, REMOTE_HZ, bytes_per_s)


def _press_keys(table: Table, refresh_hz: float, bytes_per_s: int | None) -> None:
    over_link = f", {bytes_per_s // 1024} KB/s" if bytes_per_s else ""
    for viewer in WITH_RUNS:
        for name, keys in viewer.keys.items():
            command = viewer.command
            with (
                live() as (root, _),
                opened(command(root, refresh_hz), root, bytes_per_s=bytes_per_s) as link,
            ):
                times = sorted(_response_times(link, viewer, keys))
            for fraction in (0.5, 0.9):
                row = f"key s, {name}{over_link}, p{100 * fraction:.0f}"
                table.add(row, viewer, times[math.ceil(fraction * len(times)) - 1])


def _response_times(link: Link, viewer: Viewer, keys: Keys) -> Iterator[float]:
    """Press keys at random times; yield response times in seconds, or infinity on a timeout."""
    deadline = time.monotonic() + PRESSING_S
    if link.wait_until(lambda: viewer.is_complete(link.text), within_s=PRESSING_S / 2) is None:
        yield math.inf
        return
    link.press(keys.first)
    generator = random.Random(1)
    for number in range(PRESSES):
        link.wait_until(lambda: False, within_s=generator.uniform(0.4, 0.9))
        if time.monotonic() > deadline:
            return
        before, pressed_at = keys.probe(link), time.monotonic()
        link.press(UP if number % 2 else DOWN)
        has_changed = partial(_has_changed, link, keys, before)
        changed_at = link.wait_until(has_changed, within_s=TIMEOUT_S)
        yield changed_at - pressed_at if changed_at else math.inf


def _has_changed(link: Link, keys: Keys, before: object) -> bool:
    return keys.probe(link) != before


def measure_unread(table: Table) -> None:
    """Stall the terminal, and measure event-loop stalls, memory growth and recovery."""
    for viewer in WITH_RUNS:
        with live() as (root, replay):
            heartbeat = root / "heartbeat"
            python, *program = viewer.command(root, LOCAL_HZ)
            command = [python, str(BENCH / "event_loop_lag.py"), str(heartbeat), *program]
            with opened(command, root) as link:
                time.sleep(WARM_UP_S)
                list(link.show_received())
                before_mib = link.rss_mib
                link.stall()
                table.add("longest stall s, unread", viewer, _longest_stall(heartbeat, UNREAD_S))
                table.add("memory growth MiB, unread", viewer, link.rss_mib - before_mib)
                newest_s = replay.elapsed_s - MEASURING_SINCE_S - MAX_DELAY_S
                resumed_at, written = time.monotonic(), link.bytes_read
                link.resume()
                is_current = partial(_is_current, link, viewer, newest_s)
                current_at = link.wait_until(is_current, within_s=TIMEOUT_S)
                table.add("recovery s, unread", viewer, (current_at or math.inf) - resumed_at)
                table.add("bytes until recovered, unread", viewer, link.bytes_shown - written)


def _longest_stall(heartbeat: Path, seconds: float) -> float:
    ends_at, longest_s = time.monotonic() + seconds, 0.0
    while time.monotonic() < ends_at:
        longest_s = max(longest_s, age_s(heartbeat))
        time.sleep(0.01)
    return longest_s


def _is_current(link: Link, viewer: Viewer, measured_s: float) -> bool:
    """Return whether the screen shows data up to this second of measuring."""
    found = re.search(viewer.measured, link.text)
    if not found:
        return False
    return 60 * int(found[1] or 0) + int(found[2]) >= measured_s


def measure_exit(table: Table) -> None:
    """Measure the time from the quit key to the exit of the process."""
    for viewer in VIEWERS:
        for is_unread in (False, True):
            with live() as (root, _), opened(viewer.command(root, LOCAL_HZ), root) as link:
                time.sleep(WARM_UP_S)
                if is_unread:
                    link.stall()
                    time.sleep(BLOCKED_S)
                exit_s = link.seconds_to_end("q", within_s=TIMEOUT_S)
                row = "exit s, unread" if is_unread else "exit s"
                table.add(row, viewer, math.inf if exit_s is None else exit_s)


PARTS = {
    "bytes": measure_bytes,
    "idle": measure_idle,
    "start": measure_start,
    "keys": measure_keys,
    "slow": measure_slow,
    "unread": measure_unread,
    "exit": measure_exit,
}


def main() -> None:
    """Run the selected measurements and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", help=f"comma-separated list of {', '.join(PARTS)}")
    names = parser.parse_args().only
    forget_connection()
    table = Table()
    for name in names.split(",") if names else PARTS:
        PARTS[name](table)
        print(f"Measured: {name}", file=sys.stderr)
    print(table)
    if HTOP not in VIEWERS:
        print("htop is not installed")
    verdicts = table.verdicts()
    print("\n".join(text for _, text in verdicts))
    sys.exit(not all(is_met for is_met, _ in verdicts))


if __name__ == "__main__":
    main()
