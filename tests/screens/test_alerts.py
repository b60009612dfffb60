"""Alerts by bell and desktop notification."""

import pytest

from loadbench.engine.journal.codec import FILE_NAME, encode
from loadbench.engine.journal.events import CellFailed
from loadbench.ui.terminal.alerts import alert
from tests.support.builders import entries
from tests.support.ui_harness import Open, Stage, held, measuring

XTERM = {"TERM": "xterm-256color"}


def test_alert_rings_the_bell_and_notifies() -> None:
    assert alert("done", XTERM) == "\x1b]9;done\x1b\\\a"


def test_terminals_that_may_print_the_sequence_get_only_the_bell() -> None:
    for term in ("linux", "vt220", "screen-256color"):
        assert alert("done", {"TERM": term}) == "\a"


def test_tmux_forwards_the_notification() -> None:
    environ = {"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"}
    assert alert("done", environ) == "\x1bPtmux;\x1b\x1b]9;done\x1b\x1b\\\x1b\\\a"


@pytest.mark.parametrize("message", ["a\x1b]0;evil\a", "two\nlines", "x" * 5000])
def test_message_is_printable_and_limited_in_length(message: str) -> None:
    sequence = alert(message, XTERM)
    text = sequence.removeprefix("\x1b]9;").removesuffix("\x1b\\\a")
    assert text.isprintable()
    assert len(text) <= 200


@pytest.mark.parametrize(("option", "counts"), [((), [1, 1, 2]), (("--no-alerts",), [0, 1])])
def test_failed_cell_alerts_unless_alerts_are_off(
    stage: Stage, opened: Open, option: tuple[str, ...], counts: list[int]
) -> None:
    folder = measuring(stage)
    with held(folder):
        terminal = opened(*option, "attach")
        terminal.wait_for("live", "POST /predict")
        for number, count in enumerate(counts):
            key = ("m1_u2_s8", "m1_u8_s8", "m2_u2_s8")[number]
            failed = CellFailed(cell=key, attempt=1, reason="model-1 ended")
            with (folder / FILE_NAME).open("ab") as file:
                file.write(b"".join(map(encode, entries([failed]))))
            terminal.wait_for(f"{key} failed")
            alert = b"failed: model-1 ended\x1b\\\x07"
            # The screen and the alert are written independently.
            terminal.until(lambda: terminal.output.count(alert) >= count, what="alert")  # noqa: B023
            assert terminal.output.count(alert) == count
            terminal.press("b")
            is_off = (number + bool(option)) % 2 == 0
            terminal.wait_for("Alerts off" if is_off else "Alerts on")
