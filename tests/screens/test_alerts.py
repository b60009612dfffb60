"""How the user is called: by the bell, and by a notification where the terminal has some."""

import pytest

from loadbench.engine.journal.codec import FILE_NAME, encode
from loadbench.engine.journal.events import CellFailed
from loadbench.ui.terminal.alerts import alert
from tests.support.builders import entries
from tests.support.ui_harness import Open, Stage, held, measuring

XTERM = {"TERM": "xterm-256color"}


def test_the_bell_and_a_notification() -> None:
    assert alert("done", XTERM) == "\x1b]9;done\x1b\\\a"


def test_a_terminal_that_may_show_what_it_does_not_know_gets_the_bell_alone() -> None:
    for term in ("linux", "vt220", "screen-256color"):
        assert alert("done", {"TERM": term}) == "\a"


def test_tmux_passes_it_on() -> None:
    within = {"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"}
    assert alert("done", within) == "\x1bPtmux;\x1b\x1b]9;done\x1b\x1b\\\x1b\\\a"


@pytest.mark.parametrize("message", ["a\x1b]0;evil\a", "two\nlines", "x" * 5000])
def test_nothing_in_a_message_steers_the_terminal(message: str) -> None:
    said = alert(message, XTERM)
    told = said.removeprefix("\x1b]9;").removesuffix("\x1b\\\a")
    assert told.isprintable()
    assert len(told) <= 200


@pytest.mark.parametrize(("option", "calls"), [((), [1, 1, 2]), (("--no-alerts",), [0, 1])])
def test_a_cell_that_fails_calls_unless_that_is_switched_off(
    stage: Stage, opened: Open, option: tuple[str, ...], calls: list[int]
) -> None:
    folder = measuring(stage)
    with held(folder):
        terminal = opened(*option, "attach")
        terminal.wait_for("live", "POST /predict")
        for number, called in enumerate(calls):
            key = ("m1_u2_s8", "m1_u8_s8", "m2_u2_s8")[number]
            failed = CellFailed(cell=key, attempt=1, reason="model-1 ended")
            with (folder / FILE_NAME).open("ab") as file:
                file.write(b"".join(map(encode, entries([failed]))))
            terminal.wait_for(f"{key} failed")
            assert terminal.said.count(b"failed: model-1 ended\x1b\\\x07") == called
            terminal.press("b")
            off = (number + bool(option)) % 2 == 0
            terminal.wait_for("Alerts off" if off else "Alerts on")
