"""What is remembered of having looked at a run."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loadbench.ui.catch_up.seen import Seen, recall, remember

MOMENT = datetime(2026, 11, 22, 11, 12, 7, 250_000, tzinfo=UTC)


def seen(seq: int, *, live: bool = True, after_s: float = 0) -> Seen:
    return Seen(seq=seq, live=live, at=MOMENT + timedelta(seconds=after_s))


@contextmanager
def disk_full() -> Iterator[None]:
    """No file can grow."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def files(state_home: Path) -> list[Path]:
    return sorted(state_home.rglob("*"))


def test_a_run_that_nobody_saw_is_not_known(tmp_path: Path) -> None:
    assert recall(tmp_path) is None


def test_each_run_is_remembered_by_itself(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "20261122-111101", tmp_path / "b" / "20261122-111101"
    remember(first, seen(4))
    remember(second, seen(7, live=False))
    assert recall(first) == seen(4)
    assert recall(second) == seen(7, live=False)


def test_the_same_folder_by_another_name_is_the_same_run(tmp_path: Path) -> None:
    folder = tmp_path / "20261122-111101"
    folder.mkdir()
    (tmp_path / "latest").symlink_to(folder)
    remember(tmp_path / "latest", seen(4))
    assert recall(folder) == seen(4)


@pytest.mark.parametrize(
    ("more", "less"),
    [
        (seen(7), seen(4, after_s=60)),
        (seen(7, live=False), seen(7, after_s=60)),
        (seen(7, after_s=60), seen(7)),
    ],
)
def test_of_several_viewers_the_one_that_saw_most_counts(
    tmp_path: Path, more: Seen, less: Seen
) -> None:
    for order in ((more, less), (less, more)):
        folder = tmp_path / str(order.index(more))
        for one in order:
            remember(folder, one)
        assert recall(folder) == more


@pytest.mark.parametrize("torn", [b"", b'{"seq":4,"live":tr', b"\xff\xfe", b'{"seq":4}', b"[]"])
def test_a_file_that_is_not_whole_is_none(tmp_path: Path, state_home: Path, torn: bytes) -> None:
    remember(tmp_path, seen(9))
    files(state_home)[-1].write_bytes(torn)
    assert recall(tmp_path) is None
    remember(tmp_path, seen(4))
    assert recall(tmp_path) == seen(4)


def test_a_disk_that_is_full_is_no_matter(tmp_path: Path, state_home: Path) -> None:
    remember(tmp_path, seen(4))
    before = files(state_home)
    with disk_full():
        remember(tmp_path, seen(7))
        remember(tmp_path / "other", seen(7))
    assert recall(tmp_path) == seen(4)
    assert files(state_home) == before


def test_a_home_that_cannot_be_written_is_no_matter(tmp_path: Path, state_home: Path) -> None:
    state_home.write_text("no folder")
    remember(tmp_path, seen(4))
    assert recall(tmp_path) is None


def test_no_home_at_all_is_no_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    remember(tmp_path, seen(4))
    assert recall(tmp_path) is None


def test_runs_that_were_looked_at_longest_ago_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadbench.ui.catch_up.seen.KEPT", 2)
    for name in "abc":
        remember(tmp_path / name, seen(4))
    assert [recall(tmp_path / name) is not None for name in "abc"] == [False, True, True]
