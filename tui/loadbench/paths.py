"""Look at paths that users typed. Unlike the methods of `pathlib.Path`, no check raises an error.

A path may be too long, contain a null character, lead in a circle or through an unreadable folder.
"""

import os
from pathlib import Path

from loadbench.errors import UsageError


def is_file(path: str | Path) -> bool:
    """Return whether a path is a file that can be accessed."""
    return os.path.isfile(path)  # noqa: PTH113  # `Path.is_file` raises errors


def is_dir(path: str | Path) -> bool:
    """Return whether a path is a folder that can be accessed."""
    return os.path.isdir(path)  # noqa: PTH112  # `Path.is_dir` raises errors


def exists(path: str | Path) -> bool:
    """Return whether a path exists and can be accessed."""
    return os.path.exists(path)  # noqa: PTH110  # `Path.exists` raises errors


def resolved(path: str | Path) -> Path:
    """Return the absolute path without symbolic links; it may not exist.

    Raises:
        UsageError: The path contains a null character, or it is relative and the working folder
            has been deleted.
    """
    try:
        # Unlike `Path.resolve`, `os.path.realpath` accepts symbolic links that form a circle.
        return Path(os.path.realpath(path))
    except ValueError:
        raise UsageError(f"{path}: a path cannot contain a null character") from None
    except OSError as error:
        raise UsageError(
            f"the working folder cannot be used: {error.strerror}. Change to another folder"
        ) from error
