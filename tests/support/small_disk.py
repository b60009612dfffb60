"""Small file systems in memory, for tests of full disks. Only root can mount them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, *, size: int, inodes: int = 1000) -> Iterator[Path]:
    """Mount a file system at a new folder, and unmount it in the end.

    Skips the test if this user cannot mount.

    Args:
        folder: The folder.
        size: Its size in bytes.
        inodes: Number of files that it can hold.
    """
    folder.mkdir()
    options = f"size={size},nr_inodes={inodes}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if mounted.returncode:
        pytest.skip(f"cannot mount: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
