"""Supervised processes: child processes that cannot outlive the runner.

`SupervisedProcess` starts a command under a supervisor: a small parent process, which is this file
run as a script. The supervisor holds the read end of a pipe and the runner holds the write end,
which the kernel closes when the runner exits, even after `kill -9`. The supervisor then sends
SIGTERM to the command's process group, and SIGKILL after a grace period. `SupervisorPipe` does the
same for commands that a library starts.
"""

import ctypes
import errno
import fcntl
import json
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
"""Seconds between SIGTERM and SIGKILL."""

_PR_SET_PDEATHSIG = 1
_PIPE_BYTES = 64 * 1024
"""Usual capacity of a pipe."""

_MAX_PIPE_BYTES = 1024 * 1024


def describe_exit(code: int | None) -> str:
    """Return a phrase that describes the exit of a process, to follow the name of the process."""
    return f"was killed by signal {-code}" if code and code < 0 else f"exited with code {code}"


class SupervisedProcess:
    """A running command that cannot outlive this process.

    Args:
        argv: The command and its arguments.
        cwd: Working directory of the command.
        environment: Complete environment of the command; nothing is inherited.
        stdout: Destination of standard output: a file, or `subprocess.PIPE`.
        stderr: Destination of standard error; by default the same as `stdout`.
        pass_fds: File descriptors that the command inherits.
        remove: A folder to remove after the command has exited.

    Raises:
        OSError: The process cannot be started.
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
        read_end, self._write_end = os.pipe()
        script = [sys.executable, "-I", "-S", __file__, str(read_end), str(remove or "")]
        try:
            self._process = subprocess.Popen(
                [*script, *argv],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(read_end, *pass_fds),
                start_new_session=True,
            )
        except OSError:
            os.close(self._write_end)
            raise
        finally:
            os.close(read_end)

    @property
    def pid(self) -> int:
        """Process id of the supervisor; the command is its only child."""
        return self._process.pid

    @property
    def output(self) -> IO[bytes] | None:
        """Output of the command. None unless `stdout` is a pipe."""
        return self._process.stdout

    @property
    def error_output(self) -> IO[bytes] | None:
        """Error output of the command. None unless `stderr` is a pipe."""
        return self._process.stderr

    def poll(self) -> int | None:
        """Return the exit code (negative if killed by a signal), or None while the command runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """Wait up to `seconds` for the command to exit, then return the result of `poll`."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def terminate(self) -> None:
        """Terminate the command without waiting; it is killed after the grace period."""
        write_end, self._write_end = self._write_end, -1
        if write_end >= 0:
            os.close(write_end)

    def stop(self) -> int:
        """Terminate the command and all its child processes, wait, and return its exit code.

        Leaves `output` open, so that the last lines can still be read.
        """
        self.terminate()
        try:
            code = self._process.wait(GRACE_S + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return code


class SupervisorPipe:
    """A supervisor for a command that a library starts from a command line.

    The library cannot pass on a file descriptor, so the supervisor opens a named pipe. A command
    whose command line starts with `prefix` ends when `terminate` is called or this process exits.

    Args:
        variables: Environment variables to set for the command; a value of None unsets an inherited
            variable. They are sent through the pipe, since other users can read command lines.

    Raises:
        OSError: The named pipe cannot be created, or the variables do not fit into it.
    """

    def __init__(self, variables: Mapping[str, str | None] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="loadbench-"))
        path = self._folder / "supervisor"
        os.mkfifo(path, 0o600)
        # Opening only the write end would block until the read end is opened.
        self._write_end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.prefix = [sys.executable, "-I", "-S", __file__, f"{os.getpid()}:{path}"]
        self.prefix.append(str(self._folder))
        """First arguments of the command line. The command must be a child of this process."""
        self._send(json.dumps(dict(variables or {})).encode())

    def terminate(self) -> None:
        """Terminate the command without waiting; it is killed after the grace period."""
        write_end, self._write_end = self._write_end, -1
        if write_end >= 0:
            # Remove the pipe first: if opened after its write end is closed, it reports no EOF.
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(write_end)

    def _send(self, data: bytes) -> None:
        written = 0
        with suppress(OSError):
            if sys.platform == "linux":
                fcntl.fcntl(self._write_end, fcntl.F_SETPIPE_SZ, max(len(data), _PIPE_BYTES))
            written = os.write(self._write_end, data)
        if written < len(data):
            self.terminate()
            raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))


def supervise(pipe: int, argv: Sequence[str]) -> int:
    """Run a command until it exits, or terminate it when the write end of the pipe is closed.

    Returns:
        The command's exit code (negative if killed by a signal).
    """
    wakeup_read, wakeup_write = os.pipe()
    os.set_blocking(wakeup_write, False)
    signal.set_wakeup_fd(wakeup_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        _exec_command(argv, close=(pipe, wakeup_read, wakeup_write))
    with suppress(OSError):
        # Parent and child both do this, since either may run first.
        os.setpgid(child, child)
    code = _wait(child, wakeup_read, pipe)
    if code is None:
        _signal_group(child, signal.SIGTERM)
        # A stopped command handles SIGTERM only after SIGCONT.
        _signal_group(child, signal.SIGCONT)
        code = _wait(child, wakeup_read, deadline=time.monotonic() + GRACE_S)
    _signal_group(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if code is None else code


def _wait(
    child: int, wakeup_read: int, pipe: int | None = None, *, deadline: float | None = None
) -> int | None:
    """Wait for the child and return its exit code.

    Returns:
        None if the pipe was closed or the deadline passed before the child exited.
    """
    watched = [wakeup_read] if pipe is None else [wakeup_read, pipe]
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        remaining_s = None if deadline is None else deadline - time.monotonic()
        if remaining_s is not None and remaining_s <= 0:
            return None
        ready, _, _ = select.select(watched, [], [], remaining_s)
        if pipe in ready:
            return None
        if wakeup_read in ready:
            # SIGCHLD also arrives when the child is only stopped.
            os.read(wakeup_read, 512)


def _exec_command(argv: Sequence[str], *, close: Sequence[int]) -> None:
    """Replace the forked process with the command, in a new process group."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        if sys.platform == "linux":
            # The command must not survive if the supervisor itself is killed.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for fd in close:
            os.close(fd)
        os.execvp(argv[0], list(argv))  # noqa: S606  # starts no shell on purpose
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _signal_group(child: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, number)


def _exit_like(code: int) -> None:
    """Exit with the command's exit code or signal, so that the runner sees it."""
    if code >= 0:
        sys.exit(code)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)


def _open_pipe(name: str) -> int:
    """Open the read end of an inherited pipe (a number), or of a named one (`parent_pid:path`)."""
    parent, named, path = name.partition(":")
    if not named:
        return int(name)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    # A pipe opened after its writer has exited reports no EOF.
    if os.getppid() != int(parent):
        raise FileNotFoundError(path)
    _set_variables(pipe)
    return pipe


def _set_variables(pipe: int) -> None:
    """Read the variables that `SupervisorPipe` has sent, and set them in the environment."""
    # The data is there: the writer sent it before it started this process.
    for name, value in json.loads(os.read(pipe, _MAX_PIPE_BYTES)).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


if __name__ == "__main__":
    try:
        supervisor_pipe = _open_pipe(sys.argv[1])
    except FileNotFoundError:
        # The supervisor was terminated or its parent exited before the command started.
        shutil.rmtree(sys.argv[2], ignore_errors=True)
        sys.exit(128 + signal.SIGTERM)
    exit_code = supervise(supervisor_pipe, sys.argv[3:])
    if sys.argv[2]:
        shutil.rmtree(sys.argv[2], ignore_errors=True)
    _exit_like(exit_code)
