"""Measure the start-up time of the TUI, and the time to open a run of 100,000 events.

    python -m bench.screens [--rounds 5]

Every round measures these programs on a 120×40 terminal with 256 colours:

- a Textual app that shows one word;
- `loadbench-tui`, until the list of profiles appears;
- `attach`, until the statistics appear, to a run with 220 cells and to a run with a single cell
  that has been measured for a day. Each run has 100,000 events.

Prints the seconds since the start of the process and their ratio to those of the one-word app, then
the bytes written in ten idle seconds.
"""

import argparse
import json
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock, ioctl
from pathlib import Path

from loadbench.workspace import bundled_root

EVENTS = 100_000
GOLDEN = bundled_root() / "tests" / "journals" / "demo.jsonl"
ONE_WORD = """
from textual.app import App
from textual.widgets import Static
class OneWord(App):
    def compose(self):
        yield Static("readyword")
OneWord().run()
"""


def main() -> None:
    """Measure all programs in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        many_cells, one_cell = _make_workspace(root)
        tui = [sys.executable, "-m", "loadbench"]
        programs = {
            "one-word Textual app": ([sys.executable, "-c", ONE_WORD], b"readyword"),
            "list of profiles": (tui, b"with_cpu"),
            "attach, 220 cells": ([*tui, "attach", str(many_cells)], b"/predict"),
            "attach, one cell": ([*tui, "attach", str(one_cell)], b"/predict"),
        }
        with _held(many_cells), _held(one_cell):
            times: dict[str, list[float]] = {label: [] for label in programs}
            for _ in range(rounds):
                for label, (command, mark) in programs.items():
                    times[label].append(_seconds_until(command, mark, root))
        base = statistics.median(times["one-word Textual app"])
        print(f"{'':22} {'median':>7} {'min':>7} {'max':>7} {'ratio':>6}")
        for label, seconds in times.items():
            median = statistics.median(seconds)
            print(
                f"{label:22} {median:7.2f} {min(seconds):7.2f} {max(seconds):7.2f} "
                f"{median / base:6.2f}"
            )
        print(f"Bytes written in 10 idle seconds: {_idle_bytes(tui, root)}")


def _make_workspace(root: Path) -> tuple[Path, Path]:
    (root / "stack").mkdir()
    (root / "profiles").symlink_to(bundled_root() / "profiles")
    return _make_run(root, "20261122-000001", 220), _make_run(root, "20261122-000002", 1)


def _make_run(root: Path, run: str, cells: int) -> Path:
    """Write a journal in which the last cell is being measured, and return the run folder."""
    golden = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    sample = [entry for entry in golden if entry["type"] == "sample"][10]
    finished = next(entry for entry in golden if entry["type"] == "cell_finished")
    grid = [
        {"models": 1 + i % 10, "users": 1 + i // 10, "spawn_rate": 8, "repeat": 1}
        for i in range(cells)
    ]
    entries = [{**golden[0], "run": run, "cells": grid}]
    for number, cell in enumerate(grid):
        head = {"at": sample["at"], "cell": f"m{cell['models']}_u{cell['users']}_s8"}
        entries.append({"type": "cell_started", **head, "elapsed_s": 0.0, "attempt": 1})
        entries.append({"type": "cell_phase", **head, "elapsed_s": 0.0, "phase": "measuring"})
        entries += [
            {**sample, **head, "second": second, "elapsed_s": float(second)}
            for second in range(EVENTS // cells)
        ]
        if number < cells - 1:
            entries.append({**finished, **head})
    folder = root / "reports" / "demo" / run
    folder.mkdir(parents=True)
    with (folder / "journal.jsonl").open("w") as file:
        for seq, entry in enumerate(entries, start=1):
            order = ("type", "seq", "at", "elapsed_s", "cell")
            fields = {"seq": seq, **{k: v for k, v in entry.items() if k != "seq"}}
            first = {k: fields[k] for k in order if k in fields}
            file.write(json.dumps({**first, **fields}, separators=(",", ":")) + "\n")
    return folder


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    fd = os.open(folder / "journal.jsonl", os.O_RDWR)
    flock(fd, LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


@contextmanager
def _open_terminal(command: list[str], folder: Path) -> Iterator[int]:
    pid, fd = pty.fork()
    if not pid:
        os.chdir(folder)
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.environ.pop("COLORTERM", None)
        os.execvp(command[0], command)
    ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    try:
        yield fd
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)


def _read(fd: int, seconds: float) -> bytes:
    ready, _, _ = select.select([fd], [], [], seconds)
    return os.read(fd, 65536) if ready else b""


def _seconds_until(command: list[str], mark: bytes, folder: Path) -> float:
    """Return the seconds until a program writes a text."""
    started, output = time.monotonic(), b""
    with _open_terminal(command, folder) as fd:
        while mark not in output:
            output = output[-1000:] + _read(fd, 30.0)
        return time.monotonic() - started


def _idle_bytes(command: list[str], folder: Path) -> int:
    with _open_terminal(command, folder) as fd:
        while _read(fd, 3.0):
            pass
        deadline, written = time.monotonic() + 10, 0
        while (left := deadline - time.monotonic()) > 0:
            written += len(_read(fd, left))
        return written


if __name__ == "__main__":
    main()
