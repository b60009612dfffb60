"""Every way in which a command can end, as one message and an exit code."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from loadbench.cli import output
from loadbench.cli.commands import CRASH_FILE, exit_code_of
from loadbench.cli.exit_codes import Exit
from loadbench.cli.main import main
from loadbench.errors import LoadbenchError, UsageError


def raising(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("no \x1b[31mrun"), Exit.USAGE, "loadbench-tui: no �[31mrun\n"),
        (LoadbenchError("refused"), Exit.FAILED, "loadbench-tui: refused\n"),
        (click.UsageError("bad \x1b]0;x\x07"), Exit.USAGE, "Error: bad �]0;x�\n"),
        (click.FileError("x", "missing"), Exit.USAGE, "Error: Could not open file 'x': missing\n"),
        (click.Abort(), Exit.INTERRUPTED, ""),
        (KeyboardInterrupt(), Exit.INTERRUPTED, ""),
        (MemoryError(), Exit.FAILED, "loadbench-tui: out of memory\n"),
        (SystemExit(1), Exit.USAGE, ""),
        (SystemExit("text"), Exit.USAGE, ""),
        (SystemExit(None), Exit.DONE, ""),
        (SystemExit(Exit.GATE_FAILED), Exit.GATE_FAILED, ""),
        (SystemExit(Exit.NOT_VALID), Exit.NOT_VALID, ""),
        (click.exceptions.Exit(0), Exit.DONE, ""),
        (click.exceptions.Exit(1), Exit.USAGE, ""),
        (OSError(errno.EIO, "Input/output error"), Exit.INTERRUPTED, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), Exit.OUTPUT_CLOSED, ""),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            Exit.FAILED,
            "loadbench-tui: cannot write to standard output: No space left on device\n",
        ),
    ],
    ids=repr,
)
def test_errors_end_with_one_message(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: Exit, text: str
) -> None:
    assert exit_code_of(raising(error)) == code
    assert capsys.readouterr().err == text


def test_success_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(lambda: None) is Exit.DONE
    assert capsys.readouterr().err == ""


def test_an_unreadable_file_is_named(
    capsys: pytest.CaptureFixture[str], state_home: Path, tmp_path: Path
) -> None:
    code = exit_code_of(lambda: (tmp_path / "none\x1b").read_text())

    message = capsys.readouterr().err
    assert code is Exit.FAILED
    assert (
        f"{tmp_path}/none�: No such file or directory. Traceback saved to {state_home}" in message
    )
    assert message.count("\n") == 1


def test_the_traceback_of_an_internal_error_is_saved(
    capsys: pytest.CaptureFixture[str], state_home: Path
) -> None:
    code = exit_code_of(raising(ZeroDivisionError("a bug\x1b[2J\nin two lines")))

    message = capsys.readouterr().err
    file = state_home / "loadbench" / CRASH_FILE
    assert code is Exit.FAILED
    assert message == (
        f"loadbench-tui: internal error: ZeroDivisionError: a bug�[2J. Traceback saved to {file}. "
        "Please report it.\n"
    )
    assert "in raising" in file.read_text() or "in command" in file.read_text()


def test_an_internal_error_names_its_place_if_its_traceback_cannot_be_saved(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", os.devnull)

    exit_code_of(raising(RecursionError()))

    assert "internal error: RecursionError (test_commands.py, line" in capsys.readouterr().err


def test_data_that_is_lost_is_reported_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code = exit_code_of(lambda: output.data("text"))
        output.data("later")

    assert code is Exit.FAILED
    assert capsys.readouterr().err.count("cannot write to standard output") == 1


def test_a_folder_with_a_null_character_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["init", "a\0b"])

    assert ended.value.code == Exit.USAGE
    assert "a path cannot contain a null character" in capsys.readouterr().err
