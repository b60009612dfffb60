"""Children that end with their runner, with real processes."""

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

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
FOREVER = "import signal, time; print('up', flush=True); signal.pause()"
WITH_CHILD = (
    "import subprocess, sys, signal; subprocess.Popen([sys.executable, '-c', 'import signal; "
    "signal.pause()']); print('up', flush=True); signal.pause()"
)
RUNNER = """
import subprocess, sys
from pathlib import Path
from loadbench.engine.process import SupervisedProcess, SupervisorPipe
argv = [sys.executable, "-c", sys.argv[1]]
held = SupervisedProcess(argv, cwd=Path.cwd(), environment={}, stdout=1)
print(held.pid, flush=True)
import signal; signal.pause()
"""


Leash = Callable[..., SupervisedProcess]


@pytest.fixture
def leash() -> Iterator[Leash]:
    """Start Python code, or a command, on a leash that the test need not end."""
    started: list[SupervisedProcess] = []

    def start(
        code: str, *, argv: list[str] | None = None, remove: Path | None = None
    ) -> SupervisedProcess:
        held = SupervisedProcess(
            argv or [sys.executable, "-c", code],
            cwd=Path.cwd(),
            environment=os.environ,
            stdout=subprocess.PIPE,
            remove=remove,
        )
        started.append(held)
        return held

    yield start
    for held in started:
        held.end()
        assert held.output is not None
        held.output.close()


def up(held: SupervisedProcess) -> psutil.Process:
    """Wait until the command says that it is up, and return its process."""
    assert held.output is not None
    assert held.output.readline() == b"up\n"
    return psutil.Process(held.pid).children()[0]


@pytest.fixture
def forever(leash: Leash) -> SupervisedProcess:
    return leash(FOREVER)


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
def test_a_command_s_end_is_seen_as_it_was(leash: Leash, code: str, expected: int) -> None:
    held = leash(code)

    assert until(lambda: held.poll() is not None)
    assert held.end() == expected


def test_a_command_that_is_not_there_is_said_with_the_shell_s_code(leash: Leash) -> None:
    held = leash("", argv=["/no/such"])
    assert held.output is not None

    assert held.output.read() == b"/no/such: No such file or directory\n"
    assert held.end() == 127


def test_ending_takes_the_whole_family(leash: Leash) -> None:
    held = leash(WITH_CHILD)
    command = up(held)
    family = [command, *command.children(recursive=True)]
    assert len(family) == 2

    assert held.end() == -signal.SIGTERM

    # The command has ended; its child was asked to as well, and takes its moment.
    until(lambda: gone(family), within_s=2)


def test_a_command_that_ends_by_itself_leaves_no_child_behind(leash: Leash) -> None:
    held = leash(WITH_CHILD.replace('; signal.pause()"', "").rsplit(";", 1)[0])
    assert held.output is not None
    assert held.output.readline() == b"up\n"
    children = psutil.Process(held.pid).children(recursive=True)

    until(lambda: held.poll() is not None)

    until(lambda: gone(children), within_s=2)


def test_a_command_that_ignores_the_request_is_killed(leash: Leash) -> None:
    held = leash(DEAF + "; signal.pause()")
    command = up(held)

    assert held.end() == -signal.SIGKILL

    assert gone([command])


def test_a_command_that_is_stopped_is_not_taken_for_ended(forever: SupervisedProcess) -> None:
    command = up(forever)
    command.suspend()
    until(lambda: command.status() == psutil.STATUS_STOPPED)

    assert forever.poll() is None

    assert forever.end() == -signal.SIGTERM
    assert gone([command])


@pytest.mark.parametrize("code", [FOREVER, WITH_CHILD])
def test_a_killed_runner_takes_its_children_with_it(code: str) -> None:
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, code], stdout=subprocess.PIPE)
    with runner:
        assert runner.stdout is not None
        said = sorted((runner.stdout.readline(), runner.stdout.readline()))
        holder = psutil.Process(int(said[0]))
        family = [holder, *holder.children(recursive=True)]
        assert len(family) >= 2

        runner.kill()

        until(lambda: gone(family), within_s=5)


def test_a_killed_holder_takes_its_command_with_it(forever: SupervisedProcess) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent has ended")
    command = up(forever)

    psutil.Process(forever.pid).kill()

    until(lambda: gone([command]), within_s=5)


def test_the_terminal_s_signals_do_not_reach_a_leashed_command(forever: SupervisedProcess) -> None:
    command = up(forever)

    assert os.getsid(command.pid) != os.getsid(0)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        os.kill(forever.pid, number)

    assert forever.poll() is None


def test_a_folder_is_removed_with_its_command(leash: Leash, tmp_path: Path) -> None:
    folder = tmp_path / "socket"
    folder.mkdir()
    (folder / "file").touch()
    held = leash(FOREVER, remove=folder)
    up(held)

    held.end()

    assert not folder.exists()


def tied(tether: SupervisorPipe, code: str) -> "subprocess.Popen[bytes]":
    """Start Python code as a library would, on a tether, and wait until it is up."""
    process = subprocess.Popen([*tether.prefix, sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


@pytest.mark.parametrize("code", [FOREVER, DEAF + "; time.sleep(600)", WITH_CHILD])
def test_a_cut_tether_ends_the_command_that_hangs_on_it(code: str) -> None:
    tether = SupervisorPipe()
    with tied(tether, code) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        assert family

        tether.cut()

        assert process.wait(8) != 0
        until(lambda: gone(family), within_s=5)
    tether.cut()


def test_a_command_on_a_tether_ends_as_it_does_without() -> None:
    tether = SupervisorPipe()
    ended = subprocess.run([*tether.prefix, sys.executable, "-c", "print(5); exit(3)"], stdout=-1)
    tether.cut()
    assert (ended.returncode, ended.stdout) == (3, b"5\n")


def test_a_command_after_the_cut_does_not_begin(tmp_path: Path) -> None:
    tether = SupervisorPipe()
    tether.cut()
    touched = tmp_path / "touched"

    ended = subprocess.run([*tether.prefix, "touch", str(touched)])

    assert ended.returncode != 0
    assert not touched.exists()


def test_a_tether_leaves_no_folder_behind() -> None:
    before = set(Path(tempfile.gettempdir()).glob("loadbench-*"))
    tether = SupervisorPipe()
    with tied(tether, FOREVER) as process:
        tether.cut()
        process.wait(8)
    assert set(Path(tempfile.gettempdir()).glob("loadbench-*")) <= before


def test_a_killed_runner_ends_what_hangs_on_its_tether() -> None:
    code = (
        "import subprocess, sys; from loadbench.engine.process import SupervisorPipe; "
        "t = SupervisorPipe(); "
        "subprocess.run([*t.prefix, sys.executable, '-c', sys.argv[1]])"
    )
    with subprocess.Popen([sys.executable, "-c", code, FOREVER], stdout=subprocess.PIPE) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"up\n"
        family = psutil.Process(runner.pid).children(recursive=True)
        assert len(family) >= 2

        runner.kill()

        until(lambda: gone(family), within_s=5)
