"""Open and read files from outside: only regular files, and limited in size."""

import errno
import os
import stat
from pathlib import Path

from loadbench.engine.bounds.parsing import BadInputError


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a file and return its descriptor. Unlike `open`, never wait for the writer of a FIFO.

    Args:
        path: The file.
        flags: Flags of `os.open`.

    Raises:
        OSError: The file cannot be opened, or it is a folder, a FIFO or a device.
    """
    fd = os.open(path, flags | os.O_NONBLOCK, 0o644)
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        reason = os.strerror(code) if stat.S_ISDIR(mode) else "Not a regular file"
        raise OSError(code, reason, str(path))
    return fd


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """Return the contents of a file.

    Args:
        path: The file, or a symbolic link to it.
        max_bytes: Maximum size of the file.

    Raises:
        OSError: The file cannot be read, or it is a folder, a FIFO or a device.
        BadInputError: It is too large.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise BadInputError(f"larger than {max_bytes / 1e6:g} MB")
    return data
