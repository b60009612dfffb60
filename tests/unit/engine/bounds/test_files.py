"""Files from outside are read only if they are regular, and not too large."""

import os
from pathlib import Path

import pytest

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError


@pytest.mark.parametrize("size", [0, 1, 10])
def test_file_up_to_the_limit_is_read(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(b"x" * size)
    (tmp_path / "link").symlink_to("file")

    assert read_file(tmp_path / "file", max_bytes=10) == b"x" * size
    assert read_file(tmp_path / "link", max_bytes=10) == b"x" * size


def test_larger_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    os.truncate(tmp_path / "file", 10**12)

    with pytest.raises(BadInputError, match="larger than 2 MB"):
        read_file(tmp_path / "file", max_bytes=2_000_000)


def test_pipe_and_device_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(OSError, match="Not a regular file"):
            read_file(path, max_bytes=10)


def test_folder_and_missing_file_are_reported_by_the_system(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, max_bytes=10)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "missing", max_bytes=10)
