"""The end of a growing file, and folders that may not be there yet."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.files import Tail, existing

# The end of a growing file


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten lines of ten bytes."""
    file = tmp_path / "stack.log"
    file.write_bytes(b"".join(b"line %04d\n" % number for number in range(10)))
    return file


@pytest.mark.parametrize(
    ("last_bytes", "number"), [(100, 10), (1000, 10), (99, 9), (95, 9), (25, 2), (5, 0)]
)
def test_a_tail_begins_with_a_whole_line_near_the_end(
    log: Path, last_bytes: int, number: int
) -> None:
    lines = Tail(log, last_bytes=last_bytes).poll()

    assert lines == [b"line %04d" % it for it in range(10 - number, 10)]


def test_a_tail_goes_on_with_what_is_added(log: Path) -> None:
    tail = Tail(log, last_bytes=25)
    assert len(tail.poll()) == 2

    with log.open("ab") as file:
        file.write(b"more\nhalf a li")
    assert tail.poll() == [b"more"]
    with log.open("ab") as file:
        file.write(b"ne\n")

    assert tail.poll() == [b"half a line"]
    assert tail.poll() == []


def test_a_tail_that_begins_before_its_file_reads_all_of_it(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "later.log", last_bytes=3)
    with pytest.raises(FileNotFoundError):
        tail.poll()

    (tmp_path / "later.log").write_bytes(b"a\n")

    assert tail.poll() == [b"a"]


def test_without_a_limit_a_tail_begins_at_the_beginning(log: Path) -> None:
    assert len(Tail(log).poll()) == 10


@given(st.lists(st.binary(max_size=12).map(lambda it: it.replace(b"\n", b"")), max_size=12))
@settings(max_examples=50)
def test_a_tail_has_the_last_lines_however_few_bytes(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "log"
        data = b"".join(line + b"\n" for line in lines)
        file.write_bytes(data)
        for last_bytes in range(len(data) + 2):
            found = Tail(file, last_bytes=last_bytes).poll()
            assert found == lines[len(lines) - len(found) :]
            assert sum(len(line) + 1 for line in found) <= last_bytes
            assert last_bytes < len(data) or found == lines


# A folder that is there


def test_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    assert existing(tmp_path) == tmp_path
    assert existing(tmp_path / "a" / "b" / "c") == tmp_path
    (tmp_path / "a").mkdir()
    assert existing(tmp_path / "a" / "b" / "c") == tmp_path / "a"


def test_a_relative_folder_that_is_not_there_is_in_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert existing(Path("a/b")) == Path()
