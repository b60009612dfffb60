"""The lock of a journal: held by the runner, probed by viewers."""

import fcntl
import os
import time
from pathlib import Path

from loadbench.engine.bounds.files import open_regular
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.errors import JournalError

_RETRY_S = 1.0


def acquire(fd: int, folder: Path) -> None:
    """Lock an open journal until its file descriptor is closed.

    Raises:
        JournalError: Another runner holds the lock.
    """
    deadline = time.monotonic() + _RETRY_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A viewer that probes the lock holds it briefly, so retry.
            if time.monotonic() > deadline:
                raise JournalError(f"{folder}: another process is executing this run") from None
            time.sleep(0.02)
        else:
            return


def is_held(folder: Path, *, if_unreadable: bool = False) -> bool:
    """Return whether a runner holds the lock of the journal in `folder`.

    Args:
        folder: The folder of the run.
        if_unreadable: The result if the journal, such as another user's, cannot be opened.
    """
    try:
        fd = open_regular(folder / FILE_NAME)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return if_unreadable
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False
