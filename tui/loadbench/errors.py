"""Every error that is part of the product.

A message says what happened, to what, and what to do next. The command line turns each into one
message and an exit code; nothing else catches them all.
"""


class LoadbenchError(Exception):
    """The root of the errors that a user gets to read."""


class UsageError(LoadbenchError):
    """A command was asked for something that cannot be meant."""


class ProfileError(UsageError):
    """A profile is not valid; the message lists every mistake with its place."""


class WorkspaceError(UsageError):
    """A workspace, or something in it, is not there or cannot be written."""


class RefusedError(LoadbenchError):
    """A run cannot start on this machine now; nothing was started."""


class StackError(LoadbenchError):
    """The service under test did not come up, or part of it ended.

    Args:
        message: What happened and what to do.
        container: The name of the container or process that failed, if it was one.
        exit_code: Its exit code; negative for a signal, as in `subprocess`.
        log_lines: The last lines that it said.
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
    """The Docker engine, or its command line, cannot be used."""


class LoadError(LoadbenchError):
    """Locust cannot do what the profile asks, and would not at another try."""


class LoadLostError(LoadbenchError):
    """Locust ended or does not answer; a new one may measure the cell."""


class JournalError(LoadbenchError):
    """A journal cannot be read or written."""


class DiskFullError(JournalError):
    """There is no space left for the journal or a report."""
