"""Runs a short command and reads its output, limited in time and size."""

import os
import selectors
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT
from threading import Event

from loadbench.engine.bounds.parsing import MAX_JSON_BYTES
from loadbench.engine.process import SupervisedProcess

MAX_BYTES = MAX_JSON_BYTES
"""Size limit of the output of a command."""

_READ_BYTES = 65_536
_POLL_INTERVAL_S = 0.05


class CommandStoppedError(Exception):
    """The command was terminated. The message states the reason, to follow the command."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that has exited."""

    code: int
    output: str
    error_output: str


def run_command(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    timeout_s: float,
    merge_stderr: bool = False,
    cancel: Event | None = None,
) -> Completed:
    """Run a command until it exits.

    Args:
        argv: The command and its arguments.
        environment: Its complete environment.
        timeout_s: Time limit, after which the command is terminated.
        merge_stderr: Include standard error in the output.
        cancel: Event that terminates the command when it is set.

    Raises:
        TimeoutError: The command did not exit in time.
        CommandStoppedError: It printed more than `MAX_BYTES`, or `cancel` was set.
        OSError: It cannot be started.
    """
    process = SupervisedProcess(
        argv,
        cwd=Path("/"),
        environment=environment,
        stdout=PIPE,
        stderr=STDOUT if merge_stderr else PIPE,
    )
    try:
        output, error_output = _read(process, time.monotonic() + timeout_s, cancel or Event())
    finally:
        code = process.stop()
        for stream in filter(None, (process.output, process.error_output)):
            stream.close()
    return Completed(code, *(data.decode("utf-8", "replace") for data in (output, error_output)))


def _read(process: SupervisedProcess, deadline: float, cancel: Event) -> tuple[bytes, bytes]:
    """Read standard output and standard error until the command has exited."""
    received = (bytearray(), bytearray())
    with selectors.DefaultSelector() as selector:
        for stream, data in zip((process.output, process.error_output), received, strict=True):
            if stream:
                selector.register(stream, selectors.EVENT_READ, data)
        while selector.get_map():
            has_exited = process.poll() is not None
            ready = selector.select(_POLL_INTERVAL_S)
            for key, _ in ready:
                chunk = os.read(key.fd, _READ_BYTES)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
            if has_exited and not ready:
                # A background process of the command still holds the pipe.
                break
            if sum(map(len, received)) > MAX_BYTES:
                raise CommandStoppedError(f"printed more than {MAX_BYTES / 1e6:g} MB")
            if cancel.is_set():
                raise CommandStoppedError("was cancelled")
            if time.monotonic() > deadline:
                raise TimeoutError
    return bytes(received[0]), bytes(received[1])
