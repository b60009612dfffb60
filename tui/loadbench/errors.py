"""All errors that the program reports to the user.

A message states the problem, its location and how to fix it. The command line reports each error as
one message with an exit code.
"""


class LoadbenchError(Exception):
    """Base class of all errors that are shown to the user."""


class UsageError(LoadbenchError):
    """The user's input is invalid: an argument, an option, a profile or a workspace."""


class ProfileError(UsageError):
    """A profile is invalid. The message lists every problem with its file, line and key."""


class SpliceError(ProfileError):
    """A change cannot be written to a profile file without affecting the rest of the file."""


class ProfileChangedError(ProfileError):
    """A profile file is no longer what was read.

    Args:
        message: What happened to the file.
        data: Its current contents. None if it was deleted.
    """

    def __init__(self, message: str, *, data: bytes | None) -> None:
        super().__init__(message)
        self.data = data


class WorkspaceError(UsageError):
    """A workspace or one of its files is missing or not writable."""


class RefusedError(LoadbenchError):
    """A run cannot start on this machine now. Nothing was started."""


class StackError(LoadbenchError):
    """The service under test did not start, or part of it failed.

    Args:
        message: The problem and what to do about it.
        container: Name of the container or process that failed. None if the problem is not in one.
        exit_code: Its exit code; -N if it was killed by signal N, as in `subprocess`.
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


class StartError(LoadbenchError):
    """Starts of the service have failed in the same way, so no other cell is likely to start."""


class EngineError(LoadbenchError):
    """The Docker engine or the `docker` command is not usable."""


class LoadError(LoadbenchError):
    """Locust cannot run the profile, and a retry would not help.

    Args:
        message: The problem and what to do about it.
        log_lines: The log lines before it.
    """

    def __init__(self, message: str, *, log_lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log_lines = log_lines


class LoadStartError(LoadError):
    """Code of the locustfile that Locust executes before its users takes too long."""


class LoadLostError(LoadbenchError):
    """Locust exited or is unresponsive. A retry with a new Locust process may succeed."""


class JournalError(LoadbenchError):
    """A journal cannot be read or written."""


class StudyError(LoadbenchError):
    """A study cannot be read."""


class DiskFullError(JournalError):
    """There is not enough free disk space for the journal or a report."""


class SummaryKeptError(JournalError):
    """A summary has results that the journal of its run no longer has, so it is not replaced."""


class ChartsUnavailableError(LoadbenchError):
    """Charts cannot be drawn, because vl-convert is missing or failed."""
