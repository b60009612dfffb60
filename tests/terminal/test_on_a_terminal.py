"""The TUI on a pseudo-terminal: output, exit and restored state, and complete runs."""

import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.state import CellStatus
from loadbench.engine.run_reader import RunStatus
from tests.support.harness import FAST, Bench, until
from tests.support.pty_harness import Terminal
from tests.support.ui_harness import Open, Stage, held, measuring

TWO_CELLS = FAST.replace("users: [2]", "users: [1, 2]").replace("run_time: 1s", "run_time: 30s")


# Output


def test_idle_screen_writes_nothing(stage: Stage, opened: Open) -> None:
    stage.save_profile("demo")
    stage.add_run("demo")
    terminal = opened()
    terminal.wait_for("demo", "done, 22 Nov", "help")
    terminal.until_quiet()

    assert terminal.read(within_s=3.0) == b""


def test_finished_run_writes_nothing_when_idle(stage: Stage, opened: Open) -> None:
    stage.add_run("demo")
    terminal = opened("attach", "demo")
    terminal.wait_for("4 valid", "POST /predict", "15s")
    terminal.until_quiet()

    assert terminal.read(within_s=3.0) == b""


@pytest.mark.parametrize(
    ("environment", "used", "unused"),
    [
        ({"TERM": "xterm-256color"}, b"38;5;", b"38;2;"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, b"38;2;", b"38;5;"),
        ({"TERM": "xterm"}, b"32", b"38;"),
        ({"TERM": "linux"}, b"32", b"38;"),
    ],
    ids=["256", "true", "16", "linux"],
)
def test_only_supported_colours_are_used(
    stage: Stage, opened: Open, environment: dict[str, str], used: bytes, unused: bytes
) -> None:
    stage.add_run("demo")
    terminal = opened("attach", "demo", **environment)
    terminal.wait_for("4 valid", "POST /predict")

    styles = re.findall(rb"\x1b\[([0-9;]*)m", bytes(terminal.output))
    assert any(used in style for style in styles)
    assert not any(unused in style for style in styles)


def test_no_color_uses_only_shades_of_grey(stage: Stage, opened: Open) -> None:
    stage.add_run("containers")
    terminal = opened("attach", "demo", NO_COLOR="1")
    terminal.wait_for("3 failed", "fail", "15s")

    colours = {int(code) for code in re.findall(rb"[34]8;5;(\d+)[;m]", bytes(terminal.output))}
    assert colours <= {0, 7, 8, 15, 16, 59, 102, 145, 188, 231, *range(232, 256)}


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [((), {"TERM": "linux"}), (("--ascii",), {})],
    ids=["linux", "--ascii"],
)
def test_ascii_terminals_get_only_ascii(
    stage: Stage, opened: Open, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    stage.add_run("containers")
    terminal = opened(*arguments, "attach", "demo", **environment)
    shown = terminal.wait_for("3 failed", "POST /predict", "15s")

    assert shown.isascii()
    terminal.press("?")
    terminal.wait_for("Keys", "Everywhere")
    terminal.press("G")
    assert terminal.wait_for("Symbols", "pending").isascii()


def test_dumb_terminal_is_rejected_with_an_alternative(stage: Stage, opened: Open) -> None:
    terminal = opened(TERM="dumb")

    assert terminal.wait() == 2
    assert "attach --plain" in terminal.text
    assert "Traceback" not in terminal.text


# Exit


def test_quit_restores_the_terminal(stage: Stage, opened: Open) -> None:
    stage.save_profile("demo")
    terminal = opened()
    terminal.wait_for("demo", "help")
    terminal.press("q")

    assert terminal.wait() == 0
    assert terminal.settings_now == terminal.settings
    for on, off in ((b"?1049h", b"?1049l"), (b"?1000h", b"?1000l"), (b"?25l", b"?25h")):
        assert terminal.output.rfind(off) > terminal.output.rfind(on) >= 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_closes_the_tui_but_not_the_run(
    stage: Stage, opened: Open, number: signal.Signals
) -> None:
    folder = measuring(stage)
    with held(folder):
        terminal = opened("attach")
        terminal.wait_for("live", "POST /predict")
        terminal.signal(number)

        assert terminal.wait(within_s=10) == 0
        assert terminal.settings_now == terminal.settings
        assert "continues. To show it: loadbench-tui attach" in terminal.text
        assert not (folder / "commands.jsonl").exists()


def test_lost_terminal_closes_the_tui(stage: Stage, opened: Open) -> None:
    stage.save_profile("demo")
    terminal = opened()
    terminal.wait_for("demo", "help")
    terminal.hang_up()

    terminal.until(lambda: terminal.ended, what="exit", within_s=10)


def test_lost_terminal_without_a_signal_closes_the_tui(stage: Stage) -> None:
    stage.save_profile("demo")
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); signal.signal = print;"
        "from loadbench.cli.main import main; main(['--ascii'])"
    )
    terminal = Terminal([sys.executable, "-c", code], stage.root)
    terminal.wait_for("demo", "help")
    terminal.hang_up()

    terminal.until(lambda: terminal.ended, what="exit", within_s=10)


@pytest.mark.parametrize(
    "end",
    [lambda terminal: terminal.signal(signal.SIGTERM), lambda terminal: terminal.press("q")],
    ids=["SIGTERM", "q"],
)
def test_blocked_terminal_does_not_prevent_exit(
    stage: Stage, opened: Open, end: Callable[[Terminal], None]
) -> None:
    stage.add_run("demo")
    terminal = opened("attach", "demo")
    terminal.wait_for("4 valid", "POST /predict")
    terminal.fill("\x0c")

    end(terminal)

    until(lambda: terminal.ended, within_s=10, what="exit")
    assert terminal.settings_now == terminal.settings
    terminal.read()
    for on, off in ((b"?1049h", b"?1049l"), (b"?1000h", b"?1000l"), (b"?25l", b"?25h")):
        assert terminal.output.rfind(off) > terminal.output.rfind(on) >= 0


# Keys that need a real terminal


def test_errors_after_editing_are_shown_at_their_line(
    stage: Stage, opened: Open, tmp_path: Path
) -> None:
    before = stage.save_profile("demo").read_text().splitlines()
    editor = tmp_path / "vi"
    editor.write_text('#!/bin/sh\necho "editing $*"\nprintf "batch_size: many\\n" >> "$1"\n')
    editor.chmod(0o755)
    terminal = opened(EDITOR=str(editor))
    terminal.wait_for("demo", "help")

    terminal.press("e")
    terminal.wait_for("in editor")
    terminal.press("\x0f")

    terminal.wait_for("expected a whole number, got 'many'")
    terminal.press("\x1b")
    number = len(before) + 1
    shown = terminal.wait_for("invalid", "expected a whole number", f"{number}  batch_size: many")
    assert re.search(rf"> +{number}  batch_size: many", shown)
    terminal.press("q")
    assert terminal.wait() == 0
    assert terminal.settings_now == terminal.settings


def test_ctrl_c_in_the_editor_does_not_close_the_tui(
    stage: Stage, opened: Open, tmp_path: Path
) -> None:
    stage.save_profile("demo")
    editor = tmp_path / "patient"
    editor.write_text(
        "#!/bin/sh\ntrap 'echo interrupted' INT\necho editing\nread line\nread line\n"
    )
    editor.chmod(0o755)
    terminal = opened(EDITOR=str(editor))
    terminal.wait_for("demo", "help")
    terminal.press("e")
    terminal.wait_for("in editor")
    terminal.press("\x0f")
    terminal.wait_for("editing")

    terminal.press("\x03")
    terminal.wait_for("interrupted")
    assert not terminal.read(within_s=4.0).strip()
    terminal.press("\n\n")

    terminal.wait_for("in editor")
    terminal.press("\x1b")
    terminal.wait_for("Enter run")
    terminal.press("q")
    assert terminal.wait() == 0


def test_missing_editor_is_reported(stage: Stage, opened: Open) -> None:
    stage.save_profile("demo")
    terminal = opened(EDITOR="no-such-editor")
    terminal.wait_for("demo", "help")

    terminal.press("e")
    terminal.wait_for("in editor")
    terminal.press("\x0f")

    terminal.wait_for("no-such-editor", "Set EDITOR")


def test_layout_adapts_to_any_size(stage: Stage, opened: Open) -> None:
    stage.add_run("demo")
    terminal = opened("attach", "demo")
    terminal.wait_for("4 valid", "POST /predict")

    terminal.resize(80, 24)
    terminal.wait_for("1 Sweep", "5 Logs")
    terminal.resize(50, 10)
    terminal.wait_for("minimum 60×15")
    terminal.resize(120, 40)

    terminal.wait_for("4 valid", "POST /predict", "Where the time goes")


# Complete runs


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench.make(tmp_path)
    yield made
    made.close()


def test_run_is_shown_live_and_then_summarised(bench: Bench, opened: Open) -> None:
    terminal = opened("run", "fast", folder=bench.root, HOME=str(bench.home))
    terminal.wait_for("live", "Sweep", "Latency (ms)")

    assert terminal.wait(within_s=90) == 0
    shown = terminal.text
    assert "m1_u2_s10" in shown
    assert "1 cell: 1 measured" in shown
    assert "Reports: " in shown
    assert terminal.settings_now == terminal.settings


def test_run_continues_after_detaching_and_accepts_commands_from_another_screen(
    bench: Bench, opened: Open
) -> None:
    bench.save_profile(TWO_CELLS)
    first = opened("run", "fast", folder=bench.root)
    first.wait_for("live", "m1_u1_s10")
    first.press("q")
    assert first.wait() == 0
    assert "continues. To show it: loadbench-tui attach" in first.text

    second = opened("attach", folder=bench.root, size=(80, 24))
    second.wait_for("live", "1 Sweep")
    second.until(lambda: bench.state().phase == "measuring", what="measuring", within_s=60)
    second.press("s")
    second.wait_for("Skip m1_u1_s10")
    second.press("y")
    second.until(
        lambda: bench.state().cells["m1_u1_s10"].status is CellStatus.SKIPPED, what="skipped"
    )
    second.wait_for("m1_u2_s10")
    second.press("x")
    second.wait_for("Stop the run")
    second.press("y")
    second.wait_for("stopped", "Press r to resume")

    assert bench.run().status is RunStatus.STOPPED
    second.press("q")
    assert second.wait() == 0


def test_lost_connection_does_not_affect_the_run(bench: Bench, opened: Open) -> None:
    bench.save_profile(FAST.replace("run_time: 1s", "run_time: 3s"))
    terminal = opened("run", "fast", folder=bench.root)
    terminal.wait_for("live", "Sweep")
    terminal.hang_up()
    terminal.until(lambda: terminal.ended, what="exit of the TUI", within_s=10)

    until(lambda: bench.run().status is RunStatus.DONE, what="end of the run")


def test_ctrl_c_asks_whether_to_detach_or_stop(bench: Bench, opened: Open) -> None:
    bench.save_profile(TWO_CELLS)
    terminal = opened("run", "fast", folder=bench.root)
    terminal.wait_for("live", "Sweep")
    terminal.press("\x03")
    terminal.wait_for("continues in the background", "detach")
    terminal.press("x")

    assert terminal.wait(within_s=60) == 130
    assert "2 pending" in terminal.text


def test_run_on_a_dumb_terminal_prints_lines(bench: Bench, opened: Open) -> None:
    terminal = opened("run", "fast", folder=bench.root, TERM="dumb")

    assert terminal.wait(within_s=90) == 0
    assert b"\x1b[?1049h" not in terminal.output
    assert "1 cell: 1 measured" in terminal.text


def test_attach_with_plain_prints_lines(stage: Stage, opened: Open) -> None:
    stage.add_run("demo")
    started = time.monotonic()
    terminal = opened("attach", "demo", "--plain")

    assert terminal.wait() == 0
    assert "4 cells: 4 measured" in terminal.text
    assert b"\x1b[?1049h" not in terminal.output
    assert time.monotonic() - started < 30
