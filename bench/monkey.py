"""Ten thousand random keys, clicks and sizes on real terminals: does it hold, is it drawn rightly?

    .venv/bin/python -m bench.monkey [--keys 10000] [--seed 1] [--same]

Half of the keys go to two screens at once, of which one has LOADBENCH_CELL_DIFF=0 and is drawn by
Textual as it is: both look at recorded runs that are over, and both must show the same text in the
same styles whenever they are at rest. With `--same` both are drawn by Textual, which shows whether
the comparison can be trusted. The other half goes, as fast as it is written, to a screen of a run
that happens again meanwhile. Nothing that these keys ask for can be done: there is no service to
start, and the runner that may be killed is a process that does nothing.

Exits with 1 if a screen differs, does not answer, or ends by a mistake.
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
RESTING = ("demo", "faults", "containers", "interrupted", "eight")
BROKEN = "models: [1, 2]\nusers: [5, ten]\nspawn_rates: [5]\nbach_size: 4\n"
SWITCH = "LOADBENCH_CELL_DIFF"
ESCAPE = "\x1b"
KEYS = (
    *"abceodfghjklnrstvwxyzGS123456/?+[] ",
    *(f"\x1b[{end}" for end in ("A", "B", "C", "D", "H", "F", "5~", "6~", "Z")),
    *("\t", "\r", ESCAPE, "\x10", "\x0c", "\x7f", "\x03"),
)
LEAVE = "q"
LEAVE_SHARE, MOUSE_SHARE = 0.003, 0.12
LEAST, MOST = (20, 5), (200, 60)
USUAL = ((120, 40), (80, 24), (60, 20), (59, 14), (200, 60), (20, 5))
BATCH = 40
"""So many keys are pressed between two looks."""
BURST = 25
QUIET_S = 0.06
EFFECT_S = {ESCAPE: 0.2, "r": 0.5, "\r": 0.5, "e": 0.5, "a": 0.5}
"""What is seen later only: an escape may begin a longer sequence, the others work in threads."""
FOLDERS = ("β", "γ")
"""The workspaces of the two screens differ in one sign, which is nowhere else."""
SCREEN = b"\x1b[?1049h"
PATIENCE_S = 20.0
"""Messages stay for up to 15 s."""
OPEN_FOR_S = 75.0
STACKS_S = 2.0


@dataclass
class Tally:
    """What happened."""

    keys: int = 0
    sizes: int = 0
    starts: int = 0
    comparisons: int = 0
    problems: list[str] = field(default_factory=list)

    def trouble(self, told: str) -> None:
        """Note a problem, and tell it at once."""
        self.problems.append(told)
        print(told, flush=True)


class Monkey:
    """Presses keys by chance.

    Args:
        seed: The same one presses the same.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.size = USUAL[0]

    def key(self) -> str:
        """Return what a key or the mouse sends."""
        chance = self._dice.random()
        if chance < LEAVE_SHARE:
            return LEAVE
        if chance < LEAVE_SHARE + MOUSE_SHARE:
            return self._mouse()
        return str(self._dice.choice(KEYS))

    def resized(self) -> tuple[int, int]:
        """Return another size than the last one."""
        before = self.size
        while self.size == before:
            if self._dice.random() < 0.5:
                self.size = self._dice.choice(USUAL)
            else:
                columns, rows = (self._dice.randint(*it) for it in zip(LEAST, MOST, strict=True))
                self.size = columns, rows
        return self.size

    def burst(self, most: int) -> int:
        """Return how many keys come at once."""
        return self._dice.randint(1, most)

    def _mouse(self) -> str:
        columns, rows = self.size
        at = f"{self._dice.randint(1, columns)};{self._dice.randint(1, rows)}"
        button = self._dice.choice((0, 0, 0, 35, 64, 65))
        pressed = f"\x1b[<{button};{at}M"
        return f"{pressed}\x1b[<0;{at}m" if button == 0 else pressed


def main() -> None:
    """Press all keys, and tell what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--same", action="store_true", help="draw both screens by Textual")
    options = parser.parse_args()
    forget_connection()
    tally, monkey = Tally(), Monkey(options.seed)
    switches = ("0", "0") if options.same else ("1", "0")
    with tempfile.TemporaryDirectory(prefix="bench-") as name, harmless_runner() as pid:
        roots = [_make_workspace(Path(name) / it) for it in FOLDERS]
        started = time.monotonic()
        compare(roots, options.keys // 2, monkey, tally, switches)
        between, at_rest = time.monotonic(), tally.keys
        rush(roots[0], options.keys, monkey, tally, pid)
        ended = time.monotonic()
    print(f"{tally.keys} keys, {tally.sizes} sizes, {tally.starts} starts")
    print(f"keys a second: {at_rest / (between - started):.1f} at rest", end="")
    print(f", {(tally.keys - at_rest) / (ended - between):.1f} while it is live")
    print(f"{tally.comparisons} comparisons, {len(tally.problems)} problems")
    sys.exit(bool(tally.problems))


# Two screens at once


def compare(
    roots: list[Path], keys: int, monkey: Monkey, tally: Tally, switches: tuple[str, str]
) -> None:
    """Press so many keys on two screens, and compare them after each."""
    while tally.keys < keys:
        pair = [_opened(root, monkey.size, s) for root, s in zip(roots, switches, strict=True)]
        tally.starts += 1
        try:
            for link in pair:
                _wait_for_screen(link, tally)
            _wait_until_read(pair)
            while tally.keys < keys and _batch(pair, monkey, tally):
                pass
            _note_end(pair, tally)
        finally:
            for link in pair:
                link.close()


def _batch(pair: list[Link], monkey: Monkey, tally: Tally) -> bool:
    """Press some keys and take another size, and return whether to go on."""
    pressed = []
    for _ in range(BATCH):
        key = monkey.key()
        pressed.append(key)
        tally.keys += 1
        for link in pair:
            link.press(key)
        time.sleep(EFFECT_S.get(key, 0.0))
        if not _same(pair, f"these keys: {''.join(pressed)!r}", tally):
            return False
    size, before = monkey.resized(), [link.bytes_read for link in pair]
    tally.sizes += 1
    for link in pair:
        link.resize(*size)
    for link, read in zip(pair, before, strict=True):
        if not _answers(link, read):
            tally.trouble(f"it does not answer, after {''.join(pressed)!r}\n{_doing(link)}")
            return False
    return _same(pair, f"{size[0]}×{size[1]}", tally)


def _same(pair: list[Link], after: str, tally: Tally) -> bool:
    """Wait until both show the same; tell of it if they do not come to that."""
    tally.comparisons += 1
    deadline = time.monotonic() + PATIENCE_S
    while not _quiet(pair) or _cells(pair[0]) != _cells(pair[1]):
        if any(link.ended for link in pair):
            return False
        if time.monotonic() > deadline:
            tally.trouble(_difference(pair, after))
            return False
    return not any(link.ended for link in pair)


def _wait_until_read(pair: list[Link]) -> None:
    """Wait until both have read the workspace: a key may do what it did not before."""
    deadline = time.monotonic() + PATIENCE_S
    while not _quiet(pair) or any("loading" in link.text for link in pair):
        if time.monotonic() > deadline or any(link.ended for link in pair):
            return


def _quiet(pair: list[Link]) -> bool:
    """Take in what is written meanwhile; return whether that was nothing, and nothing is done."""
    before = [link.bytes_read for link in pair]
    busy = not all(link.sleeps for link in pair)
    time.sleep(QUIET_S)
    for link in pair:
        for _ in link.taken_in():
            pass
    busy = busy or not all(link.sleeps for link in pair)
    return not busy and [link.bytes_read for link in pair] == before


def _difference(pair: list[Link], after: str) -> str:
    both = zip(*map(_cells, pair), strict=True)
    rows = [number for number, (one, other) in enumerate(both) if one != other]
    shown = (f"--- {SWITCH}={link.environment[SWITCH]}\n{link.text}" for link in pair)
    return "\n".join([f"the screens differ in rows {rows} after {after}", *shown])


def _cells(link: Link) -> list[list[object]]:
    return [[_called_the_same(cell) for cell in row] for row in link.cells]


def _called_the_same(cell: tuple[object, ...]) -> object:
    return (FOLDERS[0], *cell[1:]) if cell[0] == FOLDERS[1] else cell


def _note_end(pair: list[Link], tally: Tally) -> None:
    if all(not link.ended for link in pair):
        return
    deadline = time.monotonic() + PATIENCE_S
    while not all(link.ended for link in pair) and time.monotonic() < deadline:
        time.sleep(QUIET_S)
    if not all(link.ended for link in pair):
        tally.trouble("one has ended, the other has not\n" + "\n".join(it.text for it in pair))
    for link in pair:
        _note_mistake(link, tally)


# One screen in a hurry


def rush(root: Path, keys: int, monkey: Monkey, tally: Tally, pid: int) -> None:
    """Press keys up to so many in bursts, on a run that happens again meanwhile."""
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
        link = _opened(root, monkey.size, "1", "attach", str(run))
        tally.starts += 1
        try:
            _wait_for_screen(link, tally)
            while tally.keys < keys and time.monotonic() < deadline and not link.ended:
                burst = [monkey.key() for _ in range(monkey.burst(BURST))]
                tally.keys += len(burst)
                read, pressed = link.bytes_read, "".join(burst)
                link.press(pressed)
                link.resize(*monkey.resized())
                tally.sizes += 1
                if not _answers(link, read):
                    tally.trouble(f"it does not answer, after {pressed!r}\n{_doing(link)}")
                    break
            _note_mistake(link, tally)
        finally:
            link.close()


# Both


def _answers(link: Link, read: int) -> bool:
    """Wait until it has written more than so many bytes, or has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while link.bytes_read <= read and not link.ended:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _wait_for_screen(link: Link, tally: Tally) -> None:
    """Wait until it has the terminal: until then, keys are not its own."""
    if link.seen(lambda: SCREEN in link.said and link.text.strip(), within_s=PATIENCE_S) is None:
        tally.trouble(f"no screen comes\n{link.text}")


def _doing(link: Link) -> str:
    """End one that does not answer, and return what its threads were doing."""
    link.signal(signal.SIGABRT)
    link.seen(lambda: False, within_s=STACKS_S)
    return bytes(link.said[-8000:]).decode(errors="replace")


def _note_mistake(link: Link, tally: Tally) -> None:
    list(link.taken_in())
    state = Path(link.environment["XDG_STATE_HOME"])
    crash = state / "loadbench" / "screen-error.txt"
    if crash.exists():
        tally.trouble(crash.read_text())
        crash.unlink()
    elif b"Traceback" in link.said:
        tally.trouble(link.text)


def _opened(root: Path, size: tuple[int, int], switch: str, *arguments: str) -> Link:
    environment = {
        "XDG_STATE_HOME": str(root / "state"),
        "EDITOR": "true",
        "PYTHONFAULTHANDLER": "1",
        SWITCH: switch,
    }
    command = [sys.executable, "-m", "loadbench", "--workspace", str(root), *arguments]
    return Link(command, root, size, environment)


def _make_workspace(root: Path) -> Path:
    """Make a workspace with runs that are over and profiles that cannot be started."""
    for part in ("stack", "profiles"):
        (root / part).mkdir(parents=True)
    for profile in (bundled_root() / "profiles").glob("*.yaml"):
        shutil.copy(profile, root / "profiles")
    (root / "profiles" / "broken.yaml").write_text(BROKEN)
    for name in RESTING:
        run = root / "reports" / name / "20261122-111101"
        run.mkdir(parents=True)
        shutil.copy(GOLDEN / f"{name}.jsonl", run / "journal.jsonl")
    return root


@contextmanager
def harmless_runner() -> Iterator[int]:
    """Have a process that may be killed in place of a runner."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGKILL)


if __name__ == "__main__":
    main()
