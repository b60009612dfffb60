"""Send ten thousand random keys, clicks and resizes to the TUI in real terminals.

    .venv/bin/python -m bench.monkey [--keys 10000] [--seed 1] [--control]

Half of the keys go to two instances in parallel, one of which runs with LOADBENCH_CELL_DIFF=0 and
is drawn by Textual alone. Both show finished, recorded runs, and must show the same text and styles
whenever they are idle. With `--control` Textual draws both, which validates the comparison itself.
The other half is sent without pauses to an instance that shows a replayed live run. The keys can do
no harm: there is no service to start, and the runner that may be killed is an idle process.

Exits with code 1 if the screens differ, or if an instance hangs or crashes.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.link import Link, forget_connection
from loadbench.workspace import bundled_root
from tests.support.replay import Replay

GOLDEN = bundled_root() / "tests" / "journals"
FINISHED = ("demo", "faults", "containers", "interrupted", "eight")
BROKEN = "models: [1, 2]\nusers: [5, ten]\nspawn_rates: [5]\nbach_size: 4\n"
SWITCH = "LOADBENCH_CELL_DIFF"
ESCAPE = "\x1b"
KEYS = (
    *"abceodfghjklnrstvwxyzGS123456/?+%[] ",
    *(f"\x1b[{end}" for end in ("A", "B", "C", "D", "H", "F", "5~", "6~", "Z")),
    *("\t", "\r", ESCAPE, "\x10", "\x0c", "\x7f", "\x03"),
)
QUIT = "q"
QUIT_SHARE, MOUSE_SHARE = 0.003, 0.12
MIN_SIZE, MAX_SIZE = (20, 5), (200, 60)
COMMON_SIZES = ((120, 40), (80, 24), (60, 20), (59, 14), (200, 60), (20, 5))
BATCH = 40
"""Keys between two resizes."""
MAX_BURST = 25
QUIET_S = 0.06
DELAY_S = {ESCAPE: 0.2, "r": 0.5, "\r": 0.5, "e": 0.5, "a": 0.5}
"""Delay after keys that take effect late: Esc may start a sequence; the others use threads."""
FOLDERS = ("β", "γ")
"""Names of the two workspaces: they differ in one character that occurs nowhere else."""
ALTERNATE_SCREEN = b"\x1b[?1049h"
TIMEOUT_S = 20.0
"""Longer than the 15 s for which a notification may stay visible."""
OPEN_FOR_S = 75.0
STACKS_S = 2.0


@dataclass
class Tally:
    """Counters of the input, and the problems found."""

    keys: int = 0
    sizes: int = 0
    starts: int = 0
    comparisons: int = 0
    problems: list[str] = field(default_factory=list)

    def add_problem(self, text: str) -> None:
        """Record a problem and print it immediately."""
        self.problems.append(text)
        print(text, flush=True)


class Monkey:
    """Generator of random input.

    Args:
        seed: Seed of the random values.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.size = COMMON_SIZES[0]

    def key(self) -> str:
        """Return the characters of a random key or mouse event."""
        chance = self._random.random()
        if chance < QUIT_SHARE:
            return QUIT
        if chance < QUIT_SHARE + MOUSE_SHARE:
            return self._mouse()
        return str(self._random.choice(KEYS))

    def next_size(self) -> tuple[int, int]:
        """Return a random size that differs from the last one."""
        before = self.size
        while self.size == before:
            if self._random.random() < 0.5:
                self.size = self._random.choice(COMMON_SIZES)
            else:
                limits = zip(MIN_SIZE, MAX_SIZE, strict=True)
                columns, rows = (self._random.randint(*limit) for limit in limits)
                self.size = columns, rows
        return self.size

    def burst(self) -> int:
        """Return the number of keys in the next burst."""
        return self._random.randint(1, MAX_BURST)

    def _mouse(self) -> str:
        columns, rows = self.size
        position = f"{self._random.randint(1, columns)};{self._random.randint(1, rows)}"
        button = self._random.choice((0, 0, 0, 35, 64, 65))
        pressed = f"\x1b[<{button};{position}M"
        return f"{pressed}\x1b[<0;{position}m" if button == 0 else pressed


def main() -> None:
    """Send all keys and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", action="store_true", help="draw both screens with Textual")
    options = parser.parse_args()
    forget_connection()
    tally, monkey = Tally(), Monkey(options.seed)
    switches = ("0", "0") if options.control else ("1", "0")
    with tempfile.TemporaryDirectory(prefix="bench-") as name, harmless_runner() as pid:
        roots = [_make_workspace(Path(name) / folder) for folder in FOLDERS]
        started = time.monotonic()
        compare(roots, options.keys // 2, monkey, tally, switches)
        between, compared_keys = time.monotonic(), tally.keys
        rush(roots[0], options.keys, monkey, tally, pid)
        ended = time.monotonic()
    print(f"{tally.keys} keys, {tally.sizes} resizes, {tally.starts} starts")
    print(f"keys/s: {compared_keys / (between - started):.1f} with comparison", end="")
    print(f", {(tally.keys - compared_keys) / (ended - between):.1f} on the live run")
    print(f"{tally.comparisons} comparisons, {len(tally.problems)} problems")
    sys.exit(bool(tally.problems))


# Two instances in parallel


def compare(
    roots: list[Path], keys: int, monkey: Monkey, tally: Tally, switches: tuple[str, str]
) -> None:
    """Send keys to two instances, and compare their screens after each key."""
    while tally.keys < keys:
        pair = [_open(root, monkey.size, s) for root, s in zip(roots, switches, strict=True)]
        tally.starts += 1
        try:
            for link in pair:
                _wait_for_screen(link, tally)
            _wait_until_read(pair)
            while tally.keys < keys and _send_batch(pair, monkey, tally):
                pass
            _check_exit(pair, tally)
        finally:
            for link in pair:
                link.close()


def _send_batch(pair: list[Link], monkey: Monkey, tally: Tally) -> bool:
    """Send a batch of keys and a resize; return whether to continue."""
    pressed = []
    for _ in range(BATCH):
        key = monkey.key()
        pressed.append(key)
        tally.keys += 1
        for link in pair:
            link.press(key)
        time.sleep(DELAY_S.get(key, 0.0))
        if not _is_same(pair, f"the keys {''.join(pressed)!r}", tally):
            return False
    size, before = monkey.next_size(), [link.bytes_read for link in pair]
    tally.sizes += 1
    for link in pair:
        link.resize(*size)
    for link, read in zip(pair, before, strict=True):
        if not _responds(link, read):
            tally.add_problem(f"No response after {''.join(pressed)!r}\n{_stack_traces(link)}")
            return False
    return _is_same(pair, f"a resize to {size[0]}×{size[1]}", tally)


def _is_same(pair: list[Link], after: str, tally: Tally) -> bool:
    """Wait until both screens match; record a problem on a timeout."""
    tally.comparisons += 1
    deadline = time.monotonic() + TIMEOUT_S
    while not _is_idle(pair) or _cells(pair[0]) != _cells(pair[1]):
        if any(link.ended for link in pair):
            return False
        if time.monotonic() > deadline:
            tally.add_problem(_difference(pair, after))
            return False
    return not any(link.ended for link in pair)


def _wait_until_read(pair: list[Link]) -> None:
    """Wait until both instances have loaded the workspace: until then, keys act differently."""
    deadline = time.monotonic() + TIMEOUT_S
    while not _is_idle(pair) or any("loading" in link.text.lower() for link in pair):
        if time.monotonic() > deadline or any(link.ended for link in pair):
            return


def _is_idle(pair: list[Link]) -> bool:
    """Feed received output; return whether there was none and both programs are sleeping."""
    before = [link.bytes_read for link in pair]
    is_busy = not all(link.is_sleeping for link in pair)
    time.sleep(QUIET_S)
    for link in pair:
        for _ in link.show_received():
            pass
    is_busy = is_busy or not all(link.is_sleeping for link in pair)
    return not is_busy and [link.bytes_read for link in pair] == before


def _difference(pair: list[Link], after: str) -> str:
    both = zip(*map(_cells, pair), strict=True)
    rows = [number for number, (left, right) in enumerate(both) if left != right]
    screens = (f"--- {SWITCH}={link.environment[SWITCH]}\n{link.text}" for link in pair)
    return "\n".join([f"The screens differ in rows {rows} after {after}", *screens])


def _cells(link: Link) -> list[list[object]]:
    return [[_normalise(cell) for cell in row] for row in link.cells]


def _normalise(cell: tuple[object, ...]) -> object:
    return (FOLDERS[0], *cell[1:]) if cell[0] == FOLDERS[1] else cell


def _check_exit(pair: list[Link], tally: Tally) -> None:
    if all(not link.ended for link in pair):
        return
    deadline = time.monotonic() + TIMEOUT_S
    while not all(link.ended for link in pair) and time.monotonic() < deadline:
        time.sleep(QUIET_S)
    if not all(link.ended for link in pair):
        screens = "\n".join(link.text for link in pair)
        tally.add_problem(f"One program has exited but the other has not\n{screens}")
    for link in pair:
        _check_crash(link, tally)


# One instance with bursts of keys


def rush(root: Path, keys: int, monkey: Monkey, tally: Tally, pid: int) -> None:
    """Send bursts of keys to a replayed live run until the total number of keys is reached."""
    number = 0
    while tally.keys < keys:
        number += 1
        run = root / "reports" / "eight" / f"20270101-{number:06}"
        replay = Replay(GOLDEN / "eight.jsonl", run, pid=pid)
        try:
            with replay.playing():
                _rush(root, run, keys, monkey, tally)
        finally:
            replay.close()


def _rush(root: Path, run: Path, keys: int, monkey: Monkey, tally: Tally) -> None:
    deadline = time.monotonic() + OPEN_FOR_S
    while tally.keys < keys and time.monotonic() < deadline:
        link = _open(root, monkey.size, "1", "attach", str(run))
        tally.starts += 1
        try:
            _wait_for_screen(link, tally)
            while tally.keys < keys and time.monotonic() < deadline and not link.ended:
                burst = [monkey.key() for _ in range(monkey.burst())]
                tally.keys += len(burst)
                read, pressed = link.bytes_read, "".join(burst)
                link.press(pressed)
                link.resize(*monkey.next_size())
                tally.sizes += 1
                if not _responds(link, read):
                    tally.add_problem(f"No response after {pressed!r}\n{_stack_traces(link)}")
                    break
            _check_crash(link, tally)
        finally:
            link.close()


# Shared by both parts


def _responds(link: Link, read: int) -> bool:
    """Return whether the program writes more than `read` bytes, or exits, before the timeout."""
    deadline = time.monotonic() + TIMEOUT_S
    while link.bytes_read <= read and not link.ended:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _wait_for_screen(link: Link, tally: Tally) -> None:
    """Wait until the program has taken over the terminal: earlier keys would be lost."""

    def has_screen() -> bool:
        return ALTERNATE_SCREEN in link.output and bool(link.text.strip())

    if link.wait_until(has_screen, within_s=TIMEOUT_S) is None:
        tally.add_problem(f"No screen appeared\n{link.text}")


def _stack_traces(link: Link) -> str:
    """Abort a hung program, and return the stack traces of its threads."""
    link.signal(signal.SIGABRT)
    link.wait_until(lambda: False, within_s=STACKS_S)
    return bytes(link.output[-8000:]).decode(errors="replace")


def _check_crash(link: Link, tally: Tally) -> None:
    list(link.show_received())
    state = Path(link.environment["XDG_STATE_HOME"])
    crash = state / "loadbench" / "screen-error.txt"
    if crash.exists():
        tally.add_problem(crash.read_text())
        crash.unlink()
    elif b"Traceback" in link.output:
        tally.add_problem(link.text)


def _open(root: Path, size: tuple[int, int], switch: str, *arguments: str) -> Link:
    environment = {
        "XDG_STATE_HOME": str(root / "state"),
        "EDITOR": "true",
        "PYTHONFAULTHANDLER": "1",
        SWITCH: switch,
    }
    command = [sys.executable, "-m", "loadbench", "--workspace", str(root), *arguments]
    return Link(command, root, size, environment)


def _make_workspace(root: Path) -> Path:
    """Create a workspace with finished runs, and profiles that cannot be started."""
    for part in ("stack", "profiles"):
        (root / part).mkdir(parents=True)
    for profile in (bundled_root() / "profiles").glob("*.yaml"):
        shutil.copy(profile, root / "profiles")
    (root / "profiles" / "broken.yaml").write_text(BROKEN)
    for name in FINISHED:
        run = root / "reports" / name / "20261122-111101"
        run.mkdir(parents=True)
        shutil.copy(GOLDEN / f"{name}.jsonl", run / "journal.jsonl")
    return root


@contextmanager
def harmless_runner() -> Iterator[int]:
    """Run an idle process that may be killed in place of a runner."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGKILL)


if __name__ == "__main__":
    main()
