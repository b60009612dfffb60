"""How commands end if their output, their folders or their arguments cannot be used.

There is never a traceback, and exit code 1 always means missed goals.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from loadbench.cli.exit_codes import Exit
from loadbench.engine.run_reader import RunStatus, read_run
from tests.support.harness import TIMEOUT_S, Bench
from tests.support.hostile import JOURNALS
from tests.support.pty_harness import Terminal

LONG = "a" * 5000
"""Longer than any path or file name may be."""

DATA_COMMANDS = (
    ("--help",),
    ("run", "--help"),
    ("--version",),
    ("profiles",),
    ("profiles", "--keys"),
    ("profiles", "--schema"),
    ("plan", "fast"),
    ("validate",),
    ("runs",),
    ("label", "demo", "a label"),
    ("report", "demo"),
    ("report", "demo", "--json"),
    ("report", "demo", "--series"),
    ("report", "demo", "--csv"),
    ("report", "demo", "--markdown"),
    ("report", "demo", "--open"),
    ("attach", "demo", "--plain"),
    ("doctor",),
    ("doctor", "fast"),
)
"""Commands that print data to stdout."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return a workspace with a profile and a run."""
    made = Bench.make(tmp_path_factory.mktemp("endings"))
    folder = made.reports / "demo" / "20261122-111101"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes((JOURNALS / "demo.jsonl").read_bytes())
    yield made
    made.close()


def shell(
    bench: Bench,
    script: str,
    *arguments: str | bytes,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a shell script in which `"$@"` is loadbench-tui with arguments."""
    program = [sys.executable, "-m", "loadbench", *arguments]
    result = subprocess.run(
        ["sh", "-c", script, "sh", *program],
        cwd=folder or bench.root,
        env={
            **os.environ,
            "XDG_STATE_HOME": str(bench.home),
            "HOME": str(bench.home),
            **(environment or {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=3 * TIMEOUT_S,
        check=False,
    )
    for word in ("Traceback", "Exception ignored"):
        assert word not in result.stderr
    return result


def without_a_reader(
    bench: Bench, *arguments: str, both: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a command whose stdout, or stdout and stderr, is a pipe without a reader."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, "-m", "loadbench", *arguments],
            cwd=bench.root,
            env=environment_of(bench),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer if both else subprocess.PIPE,
            text=True,
            timeout=3 * TIMEOUT_S,
            check=False,
        )
    finally:
        os.close(writer)


def environment_of(bench: Bench) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(bench.home), "HOME": str(bench.home)}


def names(commands: tuple[tuple[str, ...], ...]) -> list[str]:
    return [" ".join(command)[:40] for command in commands]


# Output that cannot be written


@pytest.mark.parametrize("arguments", DATA_COMMANDS, ids=names(DATA_COMMANDS))
def test_full_stdout_is_reported(bench: Bench, arguments: tuple[str, ...]) -> None:
    result = shell(bench, '"$@" >/dev/full', *arguments)

    assert result.returncode == Exit.FAILED
    assert result.stderr.count("cannot write to standard output: No space left") == 1


@pytest.mark.parametrize("arguments", [("profiles",), ("runs",), ("report", "demo", "--series")])
def test_closed_stdout_is_reported(bench: Bench, arguments: tuple[str, ...]) -> None:
    result = shell(bench, '"$@" >&-', *arguments)

    assert result.returncode == Exit.FAILED
    assert result.stderr.count("cannot write to standard output: Bad file descriptor") == 1


@pytest.mark.parametrize("arguments", DATA_COMMANDS, ids=names(DATA_COMMANDS))
def test_a_reader_that_has_exited_is_not_reported(bench: Bench, arguments: tuple[str, ...]) -> None:
    result = without_a_reader(bench, *arguments)

    assert result.returncode == Exit.OUTPUT_CLOSED
    assert "loadbench-tui:" not in result.stderr
    assert "Exception" not in result.stderr


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_lost_messages_do_not_change_the_result(bench: Bench, redirection: str) -> None:
    good = shell(bench, f'"$@" {redirection}', "report", "demo")
    refused = shell(bench, f'"$@" {redirection}', "plan", "none")
    unknown = shell(bench, f'"$@" {redirection}', "none")

    assert good.returncode == Exit.DONE
    assert "4 cells: 4 measured" in good.stdout
    assert refused.returncode == unknown.returncode == Exit.USAGE


def test_closed_stdin_is_no_problem(bench: Bench) -> None:
    assert shell(bench, '"$@" <&-', "runs").returncode == Exit.DONE


def test_without_any_stream_the_result_is_the_exit_code(bench: Bench) -> None:
    assert shell(bench, '"$@" <&- >&- 2>&-', "plan", "none").returncode == Exit.USAGE
    assert shell(bench, '"$@" <&- >&- 2>&-', "runs").returncode == Exit.FAILED


# Runs whose output cannot be written


@pytest.mark.parametrize(
    ("redirection", "profiles"), [(">&-", 1), (">/dev/full", 2), (">&- 2>&-", 1)]
)
def test_runs_without_output_go_on_to_their_end(
    tmp_path: Path, redirection: str, profiles: int
) -> None:
    bench = Bench.make(tmp_path)

    result = shell(bench, f'"$@" {redirection}', "run", *["fast"] * profiles, "--plain")

    assert result.returncode == Exit.FAILED
    folders = {file.parent.resolve() for file in bench.reports.glob("fast/*/summary.json")}
    assert [read_run(folder).status for folder in folders] == [RunStatus.DONE] * profiles


def test_a_run_goes_on_to_its_end_if_its_reader_exits(tmp_path: Path) -> None:
    bench = Bench.make(tmp_path)

    result = without_a_reader(bench, "run", "fast", "--plain", both=True)

    assert result.returncode == Exit.OUTPUT_CLOSED
    assert bench.run().status is RunStatus.DONE


# Folders


@pytest.mark.parametrize(
    "arguments", [(), ("runs",), ("run", "fast"), ("init", "x"), ("attach", "--plain")]
)
def test_deleted_working_folder_is_reported(
    bench: Bench, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = shell(bench, f'rmdir "{tmp_path}/gone"; "$@"', *arguments, folder=made(tmp_path))

    assert result.returncode == Exit.USAGE
    assert "the working folder cannot be used: No such file" in result.stderr


def test_commands_work_in_a_deleted_folder_if_the_workspace_is_given(
    bench: Bench, tmp_path: Path
) -> None:
    script = f'rmdir "{tmp_path}/gone"; "$@"'
    arguments = ("--workspace", str(bench.root), "plan", "fast")

    assert shell(bench, script, *arguments, folder=made(tmp_path)).returncode == Exit.DONE


def test_the_tui_starts_in_a_deleted_folder_if_the_workspace_is_given(
    bench: Bench, tmp_path: Path
) -> None:
    program = [sys.executable, "-m", "loadbench", "--workspace", str(bench.root)]
    script = f'rmdir "{tmp_path}/gone"; exec "$@"'
    terminal = Terminal(["sh", "-c", script, "sh", *program], made(tmp_path))
    terminal.wait_for("fast", "help")

    terminal.press("q")

    assert terminal.wait() == Exit.DONE
    terminal.close()


@pytest.mark.parametrize("folder", ["/dev/null/x", f"/{LONG}"], ids=["device", "long"])
def test_an_unusable_state_folder_refuses_a_run(bench: Bench, folder: str) -> None:
    environment = {"XDG_STATE_HOME": folder}

    result = shell(bench, '"$@"', "run", "fast", "--plain", environment=environment)

    assert result.returncode == Exit.FAILED
    assert "cannot open the lock file" in result.stderr
    assert "internal error" not in result.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"TMPDIR": "/dev/null"},
        {"COLUMNS": "0"},
        {"COLUMNS": "-1", "LC_ALL": "C", "TERM": ""},
        {"XDG_STATE_HOME": "/dev/null/x"},
    ],
    ids=["temporary", "columns", "locale", "state"],
)
def test_an_odd_environment_does_not_matter(bench: Bench, environment: dict[str, str]) -> None:
    result = shell(bench, '"$@"', "attach", "demo", "--plain", environment=environment)

    assert result.returncode == Exit.DONE
    assert "4 cells: 4 measured" in result.stdout


def test_a_long_workspace_of_the_environment_is_reported(bench: Bench) -> None:
    result = shell(bench, '"$@"', "runs", environment={"LOADBENCH_WORKSPACE": LONG})

    assert result.returncode == Exit.USAGE
    assert "is not a workspace" in result.stderr


def test_a_user_without_a_home_folder_can_plan(bench: Bench) -> None:
    script = 'unset HOME XDG_STATE_HOME; "$@"'

    assert shell(bench, script, "plan", "fast").returncode == Exit.DONE


# Arguments


@pytest.mark.parametrize("text", [LONG, b"\xff\xfe"], ids=["long", "not UTF-8"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "{}"),
        ("run", "{}.yaml"),
        ("run", "--resume", "{}"),
        ("run", "fast", "--label", "{}", "--set", "users=0"),
        ("run", "fast", "--set", "{}"),
        ("plan", "fast", "--set", "load.images={}", "--set", "load.locustfile={}"),
        ("plan", "fast", "--set", "stack.driver=compose", "--set", "stack.compose={}"),
        ("--workspace", "{}", "runs"),
        ("--workspace", "{}"),
        ("report", "{}"),
        ("label", "{}", "x"),
        ("stop", "{}"),
        ("attach", "{}"),
        ("{}",),
    ],
    ids=" ".join,
)
def test_any_argument_gets_one_message(
    bench: Bench, text: str | bytes, arguments: tuple[str, ...]
) -> None:
    data = text.encode() if isinstance(text, str) else text

    result = shell(bench, '"$@"', *(part.encode().replace(b"{}", data) for part in arguments))

    assert result.returncode == Exit.USAGE
    assert result.stderr.count("loadbench-tui: ") + result.stderr.count("\nUsage: ") <= 1
    assert "internal error" not in result.stderr


def test_init_with_a_long_name_is_reported(bench: Bench) -> None:
    result = shell(bench, '"$@"', "init", LONG)

    assert result.returncode == Exit.USAGE
    assert "File name too long" in result.stderr


@pytest.mark.parametrize("option", ["--workspace", "init"])
def test_symbolic_links_in_a_circle_are_reported(bench: Bench, tmp_path: Path, option: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    arguments = {"--workspace": ("--workspace", "loop", "runs"), "init": ("init", "loop")}[option]

    result = shell(bench, '"$@"', *arguments, folder=tmp_path)

    assert result.returncode == Exit.USAGE
    assert "loop" in result.stderr


def test_a_workspace_whose_path_is_not_utf8_can_be_used(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    bench = Bench.make(folder)

    result = shell(bench, '"$@"', "run", "fast", "--plain")

    assert result.returncode == Exit.DONE
    assert bench.run().status is RunStatus.DONE


# The runner


@pytest.mark.parametrize(
    "redirection", ["", ">/dev/full", "<&-", ">&- <&- 2>&-"], ids=["open", "full", "stdin", "none"]
)
def test_the_runner_refuses_a_bad_request_without_a_traceback(
    bench: Bench, redirection: str
) -> None:
    command = [sys.executable, "-m", "loadbench.engine.run"]
    script = f"echo '[1' | \"$@\" {redirection}"

    result = subprocess.run(
        ["sh", "-c", script, "sh", *command],
        capture_output=True,
        text=True,
        timeout=3 * TIMEOUT_S,
        check=False,
    )

    assert result.stderr == ""
    if redirection in ("", "<&-"):
        assert '"refused": "RefusedError"' in result.stdout


def made(folder: Path) -> Path:
    """Return a new folder `gone`."""
    path = folder / "gone"
    path.mkdir()
    return path
