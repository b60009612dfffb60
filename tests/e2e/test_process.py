"""Supervised processes, with real processes: they never outlive the runner."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from loadbench.engine.process import SupervisedProcess, SupervisorPipe
from tests.support.harness import gone, until

IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
)
RUNS_FOREVER = "import signal, time; print('up', flush=True); signal.pause()"
HAS_CHILD = (
    "import subprocess, sys, signal; subprocess.Popen([sys.executable, '-c', 'import signal; "
    "signal.pause()']); print('up', flush=True); signal.pause()"
)
RUNNER = """
import subprocess, sys
from pathlib import Path
from loadbench.engine.process import SupervisedProcess, SupervisorPipe
argv = [sys.executable, "-c", sys.argv[1]]
process = SupervisedProcess(argv, cwd=Path.cwd(), environment={}, stdout=1)
print(process.pid, flush=True)
import signal; signal.pause()
"""


Start = Callable[..., SupervisedProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python code, or a command, and terminate it after the test."""
    started: list[SupervisedProcess] = []

    def start_process(
        code: str, *, argv: list[str] | None = None, remove: Path | None = None
    ) -> SupervisedProcess:
        process = SupervisedProcess(
            argv or [sys.executable, "-c", code],
            cwd=Path.cwd(),
            environment=os.environ,
            stdout=subprocess.PIPE,
            remove=remove,
        )
        started.append(process)
        return process

    yield start_process
    for process in started:
        process.stop()
        assert process.output is not None
        process.output.close()


def wait_until_up(process: SupervisedProcess) -> psutil.Process:
    """Wait until the command prints `up`, and return its process."""
    assert process.output is not None
    assert process.output.readline() == b"up\n"
    return psutil.Process(process.pid).children()[0]


@pytest.fixture
def running(start: Start) -> SupervisedProcess:
    return start(RUNS_FOREVER)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("import sys; sys.exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import os; os.kill(os.getpid(), 15)", -15),
        ("import os; os.abort()", -6),
    ],
)
def test_the_exit_code_of_a_command_is_returned(start: Start, code: str, expected: int) -> None:
    process = start(code)

    assert until(lambda: process.poll() is not None)
    assert process.stop() == expected


def test_a_missing_command_exits_with_the_code_of_a_shell(start: Start) -> None:
    process = start("", argv=["/no/such"])
    assert process.output is not None

    assert process.output.read() == b"/no/such: No such file or directory\n"
    assert process.stop() == 127


def test_terminating_a_command_ends_its_child_processes(start: Start) -> None:
    process = start(HAS_CHILD)
    command = wait_until_up(process)
    processes = [command, *command.children(recursive=True)]
    assert len(processes) == 2

    assert process.stop() == -signal.SIGTERM

    # The command has exited; its child was signalled too and may take a moment.
    until(lambda: gone(processes), within_s=2)


def test_a_command_that_exits_leaves_no_child_process(start: Start) -> None:
    process = start(HAS_CHILD.replace('; signal.pause()"', "").rsplit(";", 1)[0])
    assert process.output is not None
    assert process.output.readline() == b"up\n"
    children = psutil.Process(process.pid).children(recursive=True)

    until(lambda: process.poll() is not None)

    until(lambda: gone(children), within_s=2)


def test_a_command_that_ignores_sigterm_is_killed(start: Start) -> None:
    process = start(IGNORES_SIGTERM + "; signal.pause()")
    command = wait_until_up(process)

    assert process.stop() == -signal.SIGKILL

    assert gone([command])


def test_a_stopped_command_has_not_exited(running: SupervisedProcess) -> None:
    command = wait_until_up(running)
    command.suspend()
    until(lambda: command.status() == psutil.STATUS_STOPPED)

    assert running.poll() is None

    assert running.stop() == -signal.SIGTERM
    assert gone([command])


@pytest.mark.parametrize("code", [RUNS_FOREVER, HAS_CHILD])
def test_killing_the_runner_ends_its_child_processes(code: str) -> None:
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, code], stdout=subprocess.PIPE)
    with runner:
        assert runner.stdout is not None
        lines = sorted((runner.stdout.readline(), runner.stdout.readline()))
        supervisor = psutil.Process(int(lines[0]))
        processes = [supervisor, *supervisor.children(recursive=True)]
        assert len(processes) >= 2

        runner.kill()

        until(lambda: gone(processes), within_s=5)


def test_killing_the_supervisor_ends_its_command(running: SupervisedProcess) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux signals a process when its parent exits")
    command = wait_until_up(running)

    psutil.Process(running.pid).kill()

    until(lambda: gone([command]), within_s=5)


def test_signals_of_the_terminal_do_not_reach_a_supervised_command(
    running: SupervisedProcess,
) -> None:
    command = wait_until_up(running)

    assert os.getsid(command.pid) != os.getsid(0)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        os.kill(running.pid, number)

    assert running.poll() is None


def test_a_folder_is_removed_when_its_command_exits(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "socket"
    folder.mkdir()
    (folder / "file").touch()
    process = start(RUNS_FOREVER, remove=folder)
    wait_until_up(process)

    process.stop()

    assert not folder.exists()


def start_with_prefix(pipe: SupervisorPipe, code: str) -> "subprocess.Popen[bytes]":
    """Start Python code as a library would, with a pipe's prefix, and wait until it is up."""
    process = subprocess.Popen([*pipe.prefix, sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def test_variables_reach_the_command_but_no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INHERITED", "1")
    value = "s3cret $HOME \n ü" + 100_000 * "x"
    pipe = SupervisorPipe({"GIVEN": value, "INHERITED": None})
    code = (
        "import os, signal; print('up', flush=True);"
        "print(len(os.environ['GIVEN']), 'INHERITED' in os.environ, flush=True); signal.pause()"
    )

    with start_with_prefix(pipe, code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{len(value)} False\n".encode()
        supervisor = psutil.Process(process.pid)
        for running in (supervisor, *supervisor.children(recursive=True)):
            assert "s3cret" not in " ".join(running.cmdline())

        pipe.terminate()


def test_too_many_variables_are_an_error() -> None:
    with pytest.raises(OSError, match="Argument list too long"):
        SupervisorPipe({"GIVEN": 2_000_000 * "x"})


@pytest.mark.parametrize("code", [RUNS_FOREVER, IGNORES_SIGTERM + "; time.sleep(600)", HAS_CHILD])
def test_cutting_a_supervisor_pipe_ends_its_command(code: str) -> None:
    pipe = SupervisorPipe()
    with start_with_prefix(pipe, code) as process:
        processes = psutil.Process(process.pid).children(recursive=True)
        assert processes

        pipe.terminate()

        assert process.wait(8) != 0
        until(lambda: gone(processes), within_s=5)
    pipe.terminate()


def test_a_supervisor_pipe_passes_on_exit_code_and_output() -> None:
    pipe = SupervisorPipe()
    completed = subprocess.run([*pipe.prefix, sys.executable, "-c", "print(5); exit(3)"], stdout=-1)
    pipe.terminate()
    assert (completed.returncode, completed.stdout) == (3, b"5\n")


def test_a_command_does_not_start_after_the_pipe_is_cut(tmp_path: Path) -> None:
    pipe = SupervisorPipe()
    pipe.terminate()
    touched = tmp_path / "touched"

    completed = subprocess.run([*pipe.prefix, "touch", str(touched)])

    assert completed.returncode != 0
    assert not touched.exists()


def test_a_supervisor_pipe_removes_its_folder() -> None:
    before = set(Path(tempfile.gettempdir()).glob("loadbench-*"))
    pipe = SupervisorPipe()
    with start_with_prefix(pipe, RUNS_FOREVER) as process:
        pipe.terminate()
        process.wait(8)
    assert set(Path(tempfile.gettempdir()).glob("loadbench-*")) <= before


def test_a_supervisor_whose_parent_has_exited_removes_the_folder_of_its_pipe(
    tmp_path: Path,
) -> None:
    before = set(Path(tempfile.gettempdir()).glob("loadbench-*"))
    pipe = SupervisorPipe()
    touched = tmp_path / "touched"

    # The shell takes the place of the process that adopts a child of a killed runner.
    subprocess.run(["sh", "-c", '"$@"; true', "sh", *pipe.prefix, "touch", str(touched)])

    assert set(Path(tempfile.gettempdir()).glob("loadbench-*")) <= before
    assert not touched.exists()


def test_killing_the_runner_ends_commands_on_its_supervisor_pipe() -> None:
    code = (
        "import subprocess, sys; from loadbench.engine.process import SupervisorPipe; "
        "t = SupervisorPipe(); "
        "subprocess.run([*t.prefix, sys.executable, '-c', sys.argv[1]])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, RUNS_FOREVER], stdout=subprocess.PIPE
    ) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"up\n"
        processes = psutil.Process(runner.pid).children(recursive=True)
        assert len(processes) >= 2

        runner.kill()

        until(lambda: gone(processes), within_s=5)
