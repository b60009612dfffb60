"""Supervised processes: child processes that cannot outlive the runner.

`SupervisedProcess` starts a command under a supervisor: a small parent process, which is this file
run as a script. The supervisor holds the reading end of a pipe; the runner holds the writing end,
which the kernel closes when the runner exits, even after `kill -9`. The supervisor then sends
SIGTERM to the command's process group, and SIGKILL after a grace period. `SupervisorPipe` does the
same for commands that a library starts.
"""

import ctypes
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

GRACE_S = 3.0
"""From SIGTERM to SIGKILL."""

_PR_SET_PDEATHSIG = 1


def describe_exit(code: int | None) -> str:
    """Return how a process ended, in words that follow its name."""
    return f"was killed by signal {-code}" if code and code < 0 else f"ended with exit code {code}"


class SupervisedProcess:
    """A running command that cannot outlive this process.

    Args:
        argv: The command and its arguments.
        cwd: Its working directory.
        environment: Its whole environment.
        stdout: Where its standard output goes: a file, or `subprocess.PIPE`.
        stderr: Where its standard error goes; by default to the same place.
        pass_fds: Descriptors that it inherits.
        remove: A folder that is removed once the command has ended.

    Raises:
        OSError: No process can be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        stdout: int | IO[bytes],
        stderr: int | IO[bytes] = subprocess.STDOUT,
        pass_fds: Sequence[int] = (),
        remove: Path | None = None,
    ) -> None:
        reading, self._writing = os.pipe()
        script = [sys.executable, "-I", "-S", __file__, str(reading), str(remove or "")]
        try:
            self._process = subprocess.Popen(
                [*script, *argv],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(reading, *pass_fds),
                start_new_session=True,
            )
        except OSError:
            os.close(self._writing)
            raise
        finally:
            os.close(reading)

    @property
    def pid(self) -> int:
        """The process id of the parent that holds the leash; the command is its only child."""
        return self._process.pid

    @property
    def output(self) -> IO[bytes] | None:
        """What the command says, where `stdout` was a pipe."""
        return self._process.stdout

    def poll(self) -> int | None:
        """Return the command's exit code, negative for a signal; None: it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """Wait for the command to end by itself; return as `poll` does."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def let_go(self) -> None:
        """Ask the command to end; it is killed if it has not within the grace period."""
        writing, self._writing = self._writing, -1
        if writing >= 0:
            os.close(writing)

    def end(self) -> int:
        """End the command and everything that it started, and return its exit code.

        `output` is left open, for its last words.
        """
        self.let_go()
        try:
            code = self._process.wait(GRACE_S + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return code


class SupervisorPipe:
    """A leash for a command that a library starts, which passes on no pipe but a command line.

    Its pipe has a name instead. The command that begins with `prefix` ends when it is cut, and
    with this process.

    Raises:
        OSError: There is no place for the pipe.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="loadbench-"))
        path = self._folder / "leash"
        os.mkfifo(path, 0o600)
        # Open for both, since an end alone would wait for the other.
        self._writing = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.prefix = [sys.executable, "-I", "-S", __file__, f"{os.getpid()}:{path}"]
        self.prefix.append(str(self._folder))
        """What the command line must begin with; this process must be the one that starts it."""

    def cut(self) -> None:
        """Ask the command to end; it is killed if it has not within the grace period."""
        writing, self._writing = self._writing, -1
        if writing >= 0:
            # In this order: a pipe that is opened after its last writer has gone never tells.
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(writing)


def hold(pipe: int, argv: Sequence[str]) -> int:
    """Run a command until it ends, or until the other end of the pipe is closed.

    Returns:
        The command's exit code; negative for a signal.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        _become(argv, close=(pipe, woken, wake))
    with suppress(OSError):
        # Both sides do it: neither knows which of them comes first.
        os.setpgid(child, child)
    code = _wait(child, woken, pipe)
    if code is None:
        _signal_group(child, signal.SIGTERM)
        # A command that is stopped would never see the first signal.
        _signal_group(child, signal.SIGCONT)
        code = _wait(child, woken, deadline=time.monotonic() + GRACE_S)
    _signal_group(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if code is None else code


def _wait(
    child: int, woken: int, pipe: int | None = None, *, deadline: float | None = None
) -> int | None:
    """Return the child's exit code once it has one; None: the pipe or the deadline came first."""
    watched = [woken] if pipe is None else [woken, pipe]
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return None
        ready, _, _ = select.select(watched, [], [], left)
        if pipe in ready:
            return None
        if woken in ready:
            # A child that is merely stopped wakes us too.
            os.read(woken, 512)


def _become(argv: Sequence[str], *, close: Sequence[int]) -> None:
    """Turn the forked process into the command, in a process group of its own."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        if sys.platform == "linux":
            # Should the holder itself be killed, the command must not be left alone.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for fd in close:
            os.close(fd)
        os.execvp(argv[0], list(argv))  # noqa: S606  # no shell is wanted
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _signal_group(child: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, number)


def _exit_like(code: int) -> None:
    """End as the command did, so that the runner sees its exit code or its signal."""
    if code >= 0:
        sys.exit(code)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)


def _open_pipe(name: str) -> int:
    """Return the reading end: of an inherited pipe, or of a named one that a parent holds."""
    parent, named, path = name.partition(":")
    if not named:
        return int(name)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    # A pipe whose writer was gone before it was opened would never tell.
    if os.getppid() != int(parent):
        raise FileNotFoundError(path)
    return pipe


if __name__ == "__main__":
    try:
        held = _open_pipe(sys.argv[1])
    except FileNotFoundError:
        # Cut, or let go by a parent that is gone, before the command began.
        sys.exit(128 + signal.SIGTERM)
    exit_code = hold(held, sys.argv[3:])
    if sys.argv[2]:
        shutil.rmtree(sys.argv[2], ignore_errors=True)
    _exit_like(exit_code)
