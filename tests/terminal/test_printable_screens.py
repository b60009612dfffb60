"""Text that would take over a terminal, on the screens of the TUI."""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness import Bench
from tests.support.hostile import (
    HOSTILE,
    QUOTED,
    SHORT,
    hostile_profile,
    save_hostile_run,
    unsafe_characters,
)
from tests.support.pty_harness import Terminal
from tests.support.ui_harness import Open

ESC, DOWN, ENTER, PALETTE, NOTIFICATIONS = "\x1b", "\x1b[B", "\r", "\x10", "\x07"
SCREENS = {
    "profiles": ((), [DOWN, DOWN, "?", ESC, PALETTE, "e", ESC, "m", ESC, "d", ESC, "n", ESC]),
    "editor": ((), ["e", *[DOWN] * 8, ESC]),
    "form": ((), [ENTER, *[DOWN] * 6, ESC, ESC]),
    "reports": ((), ["v", DOWN, ENTER, "L", ESC, "d", ESC, NOTIFICATIONS, ESC]),
    "run": (("attach", f"containers{SHORT}"), ["i", ESC, "l", "]", ESC, ENTER, ESC, "y"]),
    "cell": (("attach", f"faults{SHORT}"), [DOWN, ENTER, "\t", "]", ESC, "L", ESC]),
}
"""Arguments and keys that show the screen with its dialogs."""
PLANTED = ("\x1b]0;", "\x1b]8;;http", "B\x1b[6n", "\x1bPqD")

_CODES = re.compile(
    r"\x1b\[[0-9;?<>=$]*[a-zA-Z~]|\x1b\]8;[^\x1b\x07]*\x1b\\|\x1b\]22;default\x07"
    r"|\x1b\]52;c;[A-Za-z0-9+/=]*\x07|\x1b[78=>]|\x18|\r"
)
"""Terminal codes that Textual and the cell driver write."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return a workspace in which every text is hostile."""
    made = Bench.make(tmp_path_factory.mktemp(SHORT), hostile_profile(), SHORT)
    made.save_profile(f"{{{QUOTED}: 1, users: [{QUOTED}]}}", f"bad{SHORT}")
    made.save_profile("k\u202eey: [\n\x1b]0;OSC\x07\x9b6n\n", f"worse{SHORT}")
    for journal in ("containers", "faults"):
        folder = save_hostile_run(made, journal, f"{journal}{SHORT}")
        line = f"2026-11-22T11:11:01.000Z model-1 {HOSTILE}\n"
        for log in ("stack.log", "locust.log", "runner.log"):
            (folder / log).write_text(line * 3, encoding="utf-8")
    yield made
    made.close()


def show(opened: Open, bench: Bench, screen: str, **environment: str) -> Terminal:
    """Show a screen and its dialogs."""
    arguments, keys = SCREENS[screen]
    terminal = opened(*arguments, folder=bench.root, HOME=str(bench.home), **environment)
    terminal.wait_for("help")
    for key in keys:
        terminal.until_quiet()
        terminal.press(key)
    terminal.until_quiet()
    assert not terminal.ended
    return terminal


@pytest.mark.parametrize(
    ("screen", "cell_diff"), [*((name, "1") for name in SCREENS), ("run", "0")]
)
def test_screens_are_printable(opened: Open, bench: Bench, screen: str, cell_diff: str) -> None:
    terminal = show(opened, bench, screen, LOADBENCH_CELL_DIFF=cell_diff)

    output = terminal.output.decode("utf-8")
    assert [code for code in PLANTED if code in output] == []
    assert unsafe_characters(_CODES.sub("", output)) == set()


def test_a_copied_path_has_no_control_characters(
    opened: Open, bench: Bench, tmp_path: Path
) -> None:
    name = f"copied\n{SHORT}{os.fsdecode(bytes([255]))}"
    (save_hostile_run(bench, "demo", name) / "2_8_8.html").touch()
    terminal = opened("attach", name, folder=bench.root, HOME=str(bench.home))
    terminal.wait_for("help")

    terminal.press("y")
    terminal.wait_for("Path copied")

    copied = re.search(rb"\x1b\]52;c;([^\x07]*)\x07", bytes(terminal.output))
    assert copied
    text = base64.b64decode(copied[1]).decode()
    assert text.startswith(str(bench.root)[:5])
    assert unsafe_characters(text) == set()
    assert "\n" not in text
