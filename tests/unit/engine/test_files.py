"""The tail of a growing file, and folders that may not exist yet."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.files import Tail

# The tail of a growing file


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file with ten lines of ten bytes."""
    file = tmp_path / "stack.log"
    file.write_bytes(b"".join(b"line %04d\n" % number for number in range(10)))
    return file


@pytest.mark.parametrize(
    ("last_bytes", "number"), [(100, 10), (1000, 10), (99, 9), (95, 9), (25, 2), (5, 0)]
)
def test_a_tail_starts_at_a_complete_line_near_the_end(
    log: Path, last_bytes: int, number: int
) -> None:
    lines = Tail(log, last_bytes=last_bytes).poll()

    assert lines == [b"line %04d" % i for i in range(10 - number, 10)]


def test_a_tail_follows_appended_lines(log: Path) -> None:
    tail = Tail(log, last_bytes=25)
    assert len(tail.poll()) == 2

    with log.open("ab") as file:
        file.write(b"more\nhalf a li")
    assert tail.poll() == [b"more"]
    with log.open("ab") as file:
        file.write(b"ne\n")

    assert tail.poll() == [b"half a line"]
    assert tail.poll() == []


def test_a_tail_opened_before_its_file_exists_reads_all_of_it(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "later.log", last_bytes=3)
    with pytest.raises(FileNotFoundError):
        tail.poll()

    (tmp_path / "later.log").write_bytes(b"a\n")

    assert tail.poll() == [b"a"]


def test_without_a_limit_a_tail_starts_at_the_beginning(log: Path) -> None:
    assert len(Tail(log).poll()) == 10


@given(st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")), max_size=12))
@settings(max_examples=50)
def test_a_tail_returns_complete_lines_for_any_number_of_bytes(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "log"
        data = b"".join(line + b"\n" for line in lines)
        file.write_bytes(data)
        for last_bytes in range(len(data) + 2):
            found = Tail(file, last_bytes=last_bytes).poll()
            assert found == lines[len(lines) - len(found) :]
            assert sum(len(line) + 1 for line in found) <= last_bytes
            assert last_bytes < len(data) or found == lines
