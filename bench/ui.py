"""What the screen of a run costs, beside a plain Textual dashboard and htop.

    .venv/bin/python -m bench.ui [--only bytes,rest,start,keys,slow,unread,exit]

A recorded run with eight containers happens again at its own pace, on terminals of 120×40 with 256
colours unless another size is told. `plain` is bench/ui_plain.py, which shows the same of it. htop
shows this machine instead; `-` stands where there is nothing to compare. The numbers are of the
viewer alone. Ends with a line for every target, and with exit code 1 if one is missed.
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
"""Of the recorded run, whose one cell is measured from 17 to 87 s."""
MEASURING_SINCE_S = 16.77
BEHIND_S = 3.0
"""So much older than the run may be what is shown of it: a second is told when it is over."""
WARM_UP_S, WINDOW_S, REST_S, UNREAD_S, BLOCKED_S = 5.0, 20.0, 10.0, 30.0, 5.0
STARTS, LOOK_S = 9, 1.0
PRESSES, PRESSING_S, PATIENCE_S = 30, 40.0, 10.0
SLOW_BYTES_S = (16_384, 4_096)
LOCAL_HZ, REMOTE_HZ = 2.0, 1.0
DOWN, UP = "\x1b[B", "\x1b[A"
AXIS = "└┬─"
"""The lower left corner of a chart, which is drawn last."""
TARGETS = {
    "bytes/s, 1 Hz": 1500,
    "bytes/s, 2 Hz": 3500,
    "bytes/s, 2 Hz, 80×24": 1600,
    "bytes/s, 2 Hz, 80×24, charts": 1600,
    "bytes in 10 s, run over": 0,
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
"""As many times that of the plain dashboard, in the same run. The absolute numbers are targets for
a machine at rest, the ratio holds on any."""

Look = Callable[[Link], object]
"""What a key changes of a screen, and nothing else does."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Two keys that undo each other, and what to look at.

    Args:
        first: What is pressed once, before.
        look: What they change.
    """

    first: str
    look: Look


@dataclass(frozen=True, slots=True)
class Viewer:
    """A program that is measured.

    Args:
        name: What it is called.
        command: From the workspace and the refreshes a second.
        whole: Whether its screen is complete.
        measured: How it tells the minutes and seconds that were measured.
        keys: What the keys down and up are used for, by name.
    """

    name: str
    command: Callable[[Path, float], list[str]]
    whole: Callable[[str], bool]
    measured: str = ""
    keys: dict[str, Keys] = field(default_factory=dict)


@dataclass
class Table:
    """Numbers by row and viewer, told as soon as they are known."""

    rows: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, row: str, viewer: Viewer, value: float) -> None:
        """Add a number."""
        self.rows.setdefault(row, {})[viewer.name] = value

    def __str__(self) -> str:
        """Return it with ratios: the screen's to the others'."""
        lines = [f"{'':32}{'ours':>10}{'plain':>10}{'ratio':>7}{'htop':>10}{'ratio':>7}"]
        for row, values in self.rows.items():
            ours = values.get("ours")
            line = f"{row:32}{_number(ours):>10}"
            for other in (values.get("plain"), values.get("htop")):
                finite = ours is not None and other and math.isfinite(ours + other)
                ratio = f"{ours / other:.2f}" if finite and ours is not None and other else "-"
                line += f"{_number(other):>10}{ratio:>7}"
            lines.append(line)
        return "\n".join(lines)

    def verdicts(self) -> list[tuple[bool, str]]:
        """Return for every target that was measured whether it is held, in a line."""
        lines = []
        for row, most in TARGETS.items():
            if (value := self.rows.get(row, {}).get("ours")) is not None:
                held = value <= most
                told = f"{row}: {_number(value)}, at the most {_number(most)}"
                lines.append((held, f"{'held  ' if held else 'MISSED'}  {told}"))
        for row, most in MAX_TIMES_PLAIN.items():
            values = self.rows.get(row, {})
            if "ours" in values and "plain" in values:
                ratio = values["ours"] / values["plain"]
                text = f"{row}: {ratio:.2f} times plain, at the most {most:g}"
                lines.append((ratio <= most, f"{'held  ' if ratio <= most else 'MISSED'}  {text}"))
        return lines


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if math.isinf(value):
        return f">{PATIENCE_S:g}"
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"


# Who is measured


def ours(root: Path, refresh_hz: float) -> list[str]:
    """Return the command of the screen of a run."""
    python = [sys.executable, "-m", "loadbench", "--workspace", str(root)]
    return [*python, f"--refresh={refresh_hz:g}", "attach", "eight"]


def plain(root: Path, refresh_hz: float) -> list[str]:
    """Return the command of the plain dashboard."""
    return [sys.executable, str(BENCH / "ui_plain.py"), str(root / RUN), f"--refresh={refresh_hz}"]


def whole_ours(text: str) -> bool:
    """Return whether the screen of a run is complete: panels, numbers and both charts."""
    words = ("POST /predict", "model-6", "network", "help")
    return all(word in text for word in words) and text.count(AXIS) == 2


def whole_plain(text: str) -> bool:
    """Return whether the plain dashboard is complete."""
    words = ("POST /pre", "model-6", "the run pauses", "Quit")
    return all(word in text for word in words) and text.count(AXIS) == 2


def chosen_cell(link: Link) -> object:
    """Return the row of the matrix that the cursor is in."""
    lines = link.screen.display
    return next((row for row in range(2, 8) if "[" in lines[row][:42]), None)


def first_event(link: Link) -> object:
    """Return the uppermost line of the events."""
    lines = link.screen.display
    title = next((row for row, told in enumerate(lines) if "─ Events" in told[:42]), 0)
    return lines[title + 1][:42]


def chosen_row(link: Link) -> object:
    """Return the row of the plain dashboard's table whose background is unlike the others'."""
    backgrounds = [link.screen.buffer[row][2].bg for row in range(2, 10)]
    return next((row for row, it in enumerate(backgrounds) if backgrounds.count(it) == 1), None)


OURS = Viewer(
    "ours",
    ours,
    whole_ours,
    r"measurement window so far, ()(\d+) s",
    {"a cell": Keys("", chosen_cell), "a line": Keys("4", first_event)},
)
ROW = Keys("", chosen_row)
PLAIN = Viewer(
    "plain", plain, whole_plain, r"measuring (\d+):(\d+)", {"a cell": ROW, "a line": ROW}
)
HTOP = Viewer("htop", lambda _, hz: ["htop", "-d", f"{10 / hz:.0f}"], lambda text: "Quit" in text)
VIEWERS = [OURS, PLAIN, *([HTOP] if shutil.which("htop") else [])]
WITH_RUNS = [OURS, PLAIN]


@contextmanager
def live() -> Iterator[tuple[Path, Replay]]:
    """Have a workspace in which the recorded run happens again."""
    with workspace() as root:
        replay = Replay(GOLDEN, root / RUN, until_s=BEGIN_S)
        try:
            with replay.playing():
                yield root, replay
        finally:
            replay.close()


@contextmanager
def over() -> Iterator[Path]:
    """Have a workspace in which the recorded run is over."""
    with workspace() as root:
        replay = Replay(GOLDEN, root / RUN)
        replay.advance(math.inf)
        replay.close()
        yield root


@contextmanager
def workspace() -> Iterator[Path]:
    """Have a workspace without a run."""
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
    """Have a program on a terminal."""
    link = Link(command, root, size, bytes_per_s=bytes_per_s)
    try:
        yield link
    finally:
        link.close()


# What is measured


def measure_bytes(table: Table) -> None:
    """Bytes written and CPU used while the run goes on, and memory then."""
    charts = (SMALL, 2.0, ", charts", "6", [OURS])
    for size, hz, what, key, viewers in (
        (SIZE, 1.0, "", "", VIEWERS),
        (SIZE, 2.0, "", "", VIEWERS),
        (SMALL, 2.0, "", "", VIEWERS),
        charts,
    ):
        of = f", {hz:g} Hz" + (f", {size[0]}×{size[1]}" if size != SIZE else "") + what
        for viewer in viewers:
            with live() as (root, _), opened(viewer.command(root, hz), root, size=size) as link:
                time.sleep(WARM_UP_S)
                link.press(key)
                time.sleep(LOOK_S)
                written, used_s, started = link.bytes_read, link.cpu_s, time.monotonic()
                time.sleep(WINDOW_S)
                elapsed = time.monotonic() - started
                table.add(f"bytes/s{of}", viewer, (link.bytes_read - written) / elapsed)
                table.add(f"CPU %{of}", viewer, 100 * (link.cpu_s - used_s) / elapsed)
                if (size, hz) == (SIZE, 2.0):
                    table.add("memory MiB", viewer, link.rss_mib)


def measure_rest(table: Table) -> None:
    """Bytes written while a run that is over is shown."""
    for viewer in WITH_RUNS:
        with over() as root, opened(viewer.command(root, LOCAL_HZ), root) as link:
            time.sleep(WARM_UP_S)
            written = link.bytes_read
            time.sleep(REST_S)
            table.add(f"bytes in {REST_S:g} s, run over", viewer, link.bytes_read - written)


def measure_start(table: Table) -> None:
    """How soon there is something, and everything; medians."""
    starts: dict[str, list[tuple[float, float, float]]] = {it.name: [] for it in VIEWERS}
    for _ in range(STARTS):
        # In turns, so that what else goes on slows all of them.
        for viewer in VIEWERS:
            with live() as (root, _), opened(viewer.command(root, LOCAL_HZ), root) as link:
                starts[viewer.name].append(_start(link, viewer))
    for viewer in VIEWERS:
        columns = zip(*starts[viewer.name], strict=True)
        first, whole, written = (statistics.median(it) for it in columns)
        table.add("first paint s", viewer, first)
        table.add("complete s", viewer, whole)
        table.add("bytes until complete", viewer, written)


def _start(link: Link, viewer: Viewer) -> tuple[float, float, float]:
    first, written = math.inf, 0
    while time.monotonic() < link.started_at + PATIENCE_S:
        # Looked at now and then alone, since to look takes the processor from who is measured.
        time.sleep(LOOK_S)
        for at, size in link.taken_in():
            written += size
            if math.isinf(first) and link.text.strip():
                first = at - link.started_at
            if viewer.whole(link.text):
                return first, at - link.started_at, written
    sys.exit(f"{viewer.name} was not complete in {PATIENCE_S:g} s:\n{link.text}")


def measure_keys(table: Table) -> None:
    """From a key to the screen, as fast as the screen is read."""
    _press_keys(table, LOCAL_HZ, None)


def measure_slow(table: Table) -> None:
    """From a key to the screen, over slow links."""
    for bytes_per_s in SLOW_BYTES_S:
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
                taken = sorted(_seconds(link, viewer, keys))
            for share in (0.5, 0.9):
                row = f"key s, {name}{over_link}, p{100 * share:.0f}"
                table.add(row, viewer, taken[math.ceil(share * len(taken)) - 1])


def _seconds(link: Link, viewer: Viewer, keys: Keys) -> Iterator[float]:
    """Press keys at moments that nothing else goes by; infinite is what was not seen in time."""
    deadline = time.monotonic() + PRESSING_S
    if link.seen(lambda: viewer.whole(link.text), within_s=PRESSING_S / 2) is None:
        yield math.inf
        return
    link.press(keys.first)
    dice = random.Random(1)
    for number in range(PRESSES):
        link.seen(lambda: False, within_s=dice.uniform(0.4, 0.9))
        if time.monotonic() > deadline:
            return
        before, pressed_at = keys.look(link), time.monotonic()
        link.press(UP if number % 2 else DOWN)
        changed = partial(_changed, link, keys, before)
        seen_at = link.seen(changed, within_s=PATIENCE_S)
        yield seen_at - pressed_at if seen_at else math.inf


def _changed(link: Link, keys: Keys, before: object) -> bool:
    return keys.look(link) != before


def measure_unread(table: Table) -> None:
    """Nobody reads for a while: does it stay alive, and what comes then?"""
    for viewer in WITH_RUNS:
        with live() as (root, replay):
            beat = root / "beat"
            python, *program = viewer.command(root, LOCAL_HZ)
            with opened([python, str(BENCH / "beat.py"), str(beat), *program], root) as link:
                time.sleep(WARM_UP_S)
                list(link.taken_in())
                before_mib = link.rss_mib
                link.stand_still()
                table.add("longest stall s, unread", viewer, _longest_stall(beat, UNREAD_S))
                table.add("memory grown MiB, unread", viewer, link.rss_mib - before_mib)
                newest_s = replay.elapsed_s - MEASURING_SINCE_S - BEHIND_S
                resumed_at, written = time.monotonic(), link.bytes_read
                link.flow()
                newest_at = link.seen(partial(_shows, link, viewer, newest_s), within_s=PATIENCE_S)
                table.add("newest again s, unread", viewer, (newest_at or math.inf) - resumed_at)
                table.add("bytes until then, unread", viewer, link.bytes_shown - written)


def _longest_stall(beat: Path, seconds: float) -> float:
    ends_at, longest_s = time.monotonic() + seconds, 0.0
    while time.monotonic() < ends_at:
        longest_s = max(longest_s, age_s(beat))
        time.sleep(0.01)
    return longest_s


def _shows(link: Link, viewer: Viewer, measured_s: float) -> bool:
    """Return whether a screen tells of so many seconds of measuring."""
    found = re.search(viewer.measured, link.text)
    if not found:
        return False
    return 60 * int(found[1] or 0) + int(found[2]) >= measured_s


def measure_exit(table: Table) -> None:
    """From the key to the end of the process."""
    for viewer in VIEWERS:
        for unread in (False, True):
            with live() as (root, _), opened(viewer.command(root, LOCAL_HZ), root) as link:
                time.sleep(WARM_UP_S)
                if unread:
                    link.stand_still()
                    time.sleep(BLOCKED_S)
                ended_s = link.seconds_to_end("q", within_s=PATIENCE_S)
                row = "exit s, unread" if unread else "exit s"
                table.add(row, viewer, math.inf if ended_s is None else ended_s)


PARTS = {
    "bytes": measure_bytes,
    "rest": measure_rest,
    "start": measure_start,
    "keys": measure_keys,
    "slow": measure_slow,
    "unread": measure_unread,
    "exit": measure_exit,
}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", help=f"of {','.join(PARTS)}")
    names = parser.parse_args().only
    forget_connection()
    table = Table()
    for name in names.split(",") if names else PARTS:
        PARTS[name](table)
        print(f"measured: {name}", file=sys.stderr)
    print(table)
    if HTOP not in VIEWERS:
        print("htop is not installed")
    verdicts = table.verdicts()
    print("\n".join(told for _, told in verdicts))
    sys.exit(not all(held for held, _ in verdicts))


if __name__ == "__main__":
    main()
