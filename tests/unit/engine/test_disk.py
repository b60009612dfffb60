"""Free bytes and inodes, and what a full file system is reported as."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.disk import (
    Space,
    free_space,
    full_reason,
    lack_of_space,
    mount_point,
    nearest_existing,
)
from loadbench.engine.files import convert_os_errors, write_atomically
from loadbench.errors import DiskFullError, JournalError
from tests.support.small_disk import small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", size=1_000_000, inodes=10) as folder:
        yield folder


def fill(disk: Path) -> None:
    """Create files until the file system holds no more."""
    while free_space(disk).inodes:
        (disk / f"file-{free_space(disk).inodes}").touch()


def test_free_bytes_and_inodes_of_a_missing_folder_are_those_of_its_parent(disk: Path) -> None:
    before = free_space(disk / "reports" / "demo")
    (disk / "file").write_bytes(b"x" * 100_000)

    after = free_space(disk)

    assert before.num_bytes - after.num_bytes >= 100_000
    assert before.inodes is not None
    assert after.inodes == before.inodes - 1


def test_a_file_system_without_inodes_is_told_from_a_full_disk(disk: Path) -> None:
    fill(disk)

    with pytest.raises(DiskFullError) as raised:
        write_atomically(disk / "new", b"x")

    assert str(raised.value) == (
        f"{disk / 'new'}: no free inodes on the file system at {disk}: it can hold no more files. "
        "Remove files there, such as old runs"
    )


def test_a_disk_without_free_bytes_is_full(disk: Path) -> None:
    with pytest.raises(DiskFullError) as raised:
        write_atomically(disk / "new", b"x" * 2_000_000)

    assert str(raised.value) == f"{disk / 'new'}: no space left on the disk"
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "no space left on the disk"),
        (errno.EDQUOT, "the disk quota is used up on the file system at "),
        (errno.EFBIG, "the file has reached the largest size that is allowed (see `ulimit -f`)"),
    ],
)
def test_errors_of_a_full_disk_have_their_reason(tmp_path: Path, number: int, reason: str) -> None:
    with pytest.raises(DiskFullError) as raised, convert_os_errors(tmp_path / "file"):
        raise OSError(number, os.strerror(number))

    assert str(raised.value).startswith(f"{tmp_path / 'file'}: {reason}")


def test_other_errors_have_no_reason_of_a_full_disk(tmp_path: Path) -> None:
    assert full_reason(PermissionError(errno.EACCES, "Permission denied"), tmp_path) == ""
    with pytest.raises(JournalError) as raised, convert_os_errors(tmp_path / "file"):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert str(raised.value) == f"{tmp_path / 'file'}: Permission denied"
    assert not isinstance(raised.value, DiskFullError)


ENOUGH = Space(10_000_000, 10)


@pytest.mark.parametrize(
    ("free", "lack"),
    [
        (ENOUGH, ""),
        (Space(10_000_000, None), ""),
        (Space(9_000_000, 10), "/x: 9 MB free, about 10 MB needed"),
        (Space(9_000_000, 9), "/x: 9 MB free, about 10 MB needed"),
        (
            Space(10_000_000, 9),
            "/x: the file system at / can hold only 9 more files (free inodes), about 10 needed",
        ),
    ],
)
def test_the_lack_names_bytes_or_inodes(free: Space, lack: str) -> None:
    assert lack_of_space(free, ENOUGH, Path("/x")) == lack


def test_the_mount_point_is_found_through_links(disk: Path, tmp_path: Path) -> None:
    (disk / "folder").mkdir()
    (tmp_path / "link").symlink_to(disk / "folder")

    assert mount_point(tmp_path / "link" / "missing" / "file") == disk
    assert mount_point(Path("/")) == Path("/")


# The nearest existing folder


def test_the_nearest_existing_folder_is_found(tmp_path: Path) -> None:
    assert nearest_existing(tmp_path) == tmp_path
    assert nearest_existing(tmp_path / "a" / "b" / "c") == tmp_path
    (tmp_path / "a").mkdir()
    assert nearest_existing(tmp_path / "a" / "b" / "c") == tmp_path / "a"


def test_the_nearest_existing_folder_of_a_relative_path_is_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert nearest_existing(Path("a/b")) == Path()
