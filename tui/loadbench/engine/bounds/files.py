"""Read whole files from outside: only regular files, and limited in size."""

import os
import stat
from pathlib import Path

from loadbench.engine.bounds.parsing import BadInputError


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """Return the contents of a file.

    Args:
        path: The file, or a symbolic link to it.
        max_bytes: Maximum size of the file.

    Raises:
        OSError: The file cannot be read, or is a folder.
        BadInputError: It is a device, pipe or socket, which may have no end, or is too large.
    """
    # Opening a named pipe would otherwise wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise BadInputError("not a regular file")
        with open(descriptor, "rb", closefd=False) as file:  # opens a descriptor
            data = file.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    if len(data) > max_bytes:
        raise BadInputError(f"larger than {max_bytes / 1e6:g} MB")
    return data
