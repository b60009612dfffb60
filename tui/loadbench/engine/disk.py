"""Free space of file systems: bytes and inodes."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from loadbench.paths import exists

_REASONS = {
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file has reached the largest size that is allowed (see `ulimit -f`)",
}
"""Reasons why a file cannot grow, by error number."""


@dataclass(frozen=True, slots=True)
class Space:
    """Space on a file system."""

    num_bytes: int
    inodes: int | None
    """Number of files. None if the file system has no limit."""


def free_space(folder: Path) -> Space:
    """Return the space that is free for this user.

    Args:
        folder: A folder on the file system. It may not exist yet.

    Raises:
        OSError: The file system cannot be read.
    """
    status = os.statvfs(nearest_existing(folder))
    # Without a fixed number of inodes, as on btrfs, both numbers are 0.
    inodes = status.f_favail if status.f_files else None
    return Space(status.f_bavail * status.f_frsize, inodes)


def lack_of_space(free: Space, needed: Space, folder: Path) -> str:
    """Return what is missing on a file system, with both numbers. Empty if there is enough.

    Args:
        free: The space that is free.
        needed: The space that is needed.
        folder: A folder on the file system. It may not exist yet.
    """
    if free.num_bytes < needed.num_bytes:
        free_mb, needed_mb = free.num_bytes / 1e6, needed.num_bytes / 1e6
        return f"{folder}: {free_mb:.0f} MB free, about {needed_mb:.0f} MB needed"
    if free.inodes is not None and needed.inodes is not None and free.inodes < needed.inodes:
        return (
            f"{folder}: the file system at {mount_point(folder)} can hold only {free.inodes} more "
            f"files (free inodes), about {needed.inodes} needed"
        )
    return ""


def full_reason(error: OSError, path: Path) -> str:
    """Return why a file could not be written, if the space is used up; otherwise an empty text.

    Args:
        error: The error of the system.
        path: The file. It may not exist.
    """
    if error.errno not in _REASONS:
        return ""
    try:
        free = free_space(path)
    except OSError:
        return _REASONS[error.errno]
    if error.errno == errno.ENOSPC and free.inodes == 0 and free.num_bytes:
        return (
            f"no free inodes on the file system at {mount_point(path)}: it can hold no more files. "
            "Remove files there, such as old runs"
        )
    if error.errno == errno.EDQUOT:
        return f"{_REASONS[error.errno]} on the file system at {mount_point(path)}"
    return _REASONS[error.errno]


def mount_point(path: Path) -> Path:
    """Return the folder at which the file system of a path is mounted.

    Args:
        path: A file or folder. It may not exist.
    """
    folder = Path(os.path.realpath(nearest_existing(path)))
    while not folder.is_mount():
        folder = folder.parent
    return folder


def nearest_existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    while not exists(folder):
        folder = folder.parent
    return folder
