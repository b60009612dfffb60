"""The exit codes of the command line. `report.exits` has those of runs."""

import errno
from collections.abc import Iterable
from enum import IntEnum

from loadbench.errors import LoadbenchError, UsageError


class Exit(IntEnum):
    """Exit codes of the program, documented in docs/ci.md."""

    DONE = 0
    GATE_FAILED = 1
    """A goal is missed, or the candidate is worse than the baseline by more than is allowed."""
    USAGE = 2
    FAILED = 3
    NOT_VALID = 4
    NOT_COMPARABLE = 5
    TOO_FEW_REPEATS = 6
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141
    """As if killed by SIGPIPE, which shells expect of a command whose reader has exited."""


PRECEDENCE = (
    Exit.USAGE,
    Exit.INTERRUPTED,
    Exit.FAILED,
    Exit.OUTPUT_CLOSED,
    Exit.NOT_COMPARABLE,
    Exit.TOO_FEW_REPEATS,
    Exit.NOT_VALID,
    Exit.GATE_FAILED,
    Exit.DONE,
)
"""Exit codes from the most to the least important."""


def exit_for_error(error: LoadbenchError) -> Exit:
    """Return the exit code of a command that failed with an error."""
    return Exit.USAGE if isinstance(error, UsageError) else Exit.FAILED


def exit_for_output(error: OSError) -> Exit:
    """Return the exit code of a command whose output cannot be written."""
    match error.errno:
        case errno.EPIPE:
            return Exit.OUTPUT_CLOSED
        case errno.EIO:
            # The terminal has been closed.
            return Exit.INTERRUPTED
        case _:
            return Exit.FAILED


def most_important(exits: Iterable[Exit]) -> Exit:
    """Return the exit code that takes precedence, or `DONE` if there are none."""
    return min(exits, key=PRECEDENCE.index, default=Exit.DONE)
