"""All errors that the program reports to the user.

A message states the problem, its place and what to do about it. The command line turns each error
into one message and an exit code; no other code catches all of them.
"""


class LoadbenchError(Exception):
    """Base class of all errors that are shown to the user."""


class UsageError(LoadbenchError):
    """The command line asks for something invalid."""


class ProfileError(UsageError):
    """A profile is invalid. The message lists every problem with file, line and key."""


class WorkspaceError(UsageError):
    """A workspace or one of its files is missing or not writable."""


class RefusedError(LoadbenchError):
    """A run cannot start on this machine now. Nothing was started."""


class StackError(LoadbenchError):
    """The service under test did not start, or one of its parts failed.

    Args:
        message: The problem and what to do about it.
        container: Name of the container or process that failed; None if the problem is not in one.
        exit_code: Its exit code; negative for a signal, as in `subprocess`.
        log_lines: Its last log lines.
    """

    def __init__(
        self,
        message: str,
        *,
        container: str | None = None,
        exit_code: int | None = None,
        log_lines: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.container = container
        self.exit_code = exit_code
        self.log_lines = log_lines


class EngineError(LoadbenchError):
    """The Docker engine or its command line is unusable."""


class LoadError(LoadbenchError):
    """Locust cannot run the profile, and a retry would not help."""


class LoadLostError(LoadbenchError):
    """Locust exited or is unresponsive. Measuring the cell with a new Locust may succeed."""


class JournalError(LoadbenchError):
    """A journal cannot be read or written."""


class DiskFullError(JournalError):
    """The disk is too full for the journal or a report."""
