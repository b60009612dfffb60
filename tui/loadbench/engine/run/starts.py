"""Recognises starts of the service that fail in the same way again and again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from loadbench.engine.profile.plan import Cell
from loadbench.errors import StackError

NOT_READY = "not ready within startup_timeout"
"""Start of the message of a service that was not ready in time."""

_ID = re.compile(r"\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{6,}\b")
"""A hexadecimal id, address or digest."""

_WORD = re.compile(r"[^\W\d_]+")


class SameStartError(StackError):
    """The service failed to start in the same way as at the previous start.

    Args:
        error: The failure.
        cell: Key of the first cell whose start failed in this way.
        starts: Number of starts in a row that failed in this way.
    """

    def __init__(self, error: StackError, *, cell: str, starts: int) -> None:
        super().__init__(
            str(error),
            container=error.container,
            exit_code=error.exit_code,
            log_lines=error.log_lines,
        )
        self.cell = cell
        self.starts = starts


class Starts:
    """The starts of the service by one runner."""

    def __init__(self) -> None:
        self.has_succeeded = False
        """Whether any start has succeeded."""
        self._failure: object = None
        self._cell = ""
        self._starts = 0

    @contextmanager
    def watch(self, cell: Cell) -> Iterator[None]:
        """Record whether the start in this context succeeds. Others, such as a skip, do not count.

        Args:
            cell: The cell for which the service is started.

        Raises:
            SameStartError: The start failed in the same way as the previous one.
            StackError: The start failed in another way.
        """
        try:
            yield
        except StackError as error:
            failure = without_differences(error)
            if failure != self._failure:
                self._failure, self._cell, self._starts = failure, cell.key, 1
                raise
            self._starts += 1
            raise SameStartError(error, cell=self._cell, starts=self._starts) from error
        self.has_succeeded = True
        self._failure = None


def without_differences(error: StackError) -> tuple[int | None, frozenset[str]]:
    """Return a failure without what differs between starts, to compare it with others.

    Differences are numbers, such as ports, durations and numbers of replicas, and ids. Several
    replicas may fail in the same way, so the number and order of words does not matter either.

    Returns:
        The exit code and the words of the message.
    """
    if str(error).startswith(NOT_READY):
        # What was missing depends on the moment at which the time was over.
        return error.exit_code, frozenset({NOT_READY})
    text = _ID.sub("", str(error))
    return error.exit_code, frozenset(_WORD.findall(text))
