"""Lines of files and pipes are limited in length."""

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES, bounded_lines, last_lines


def cut(line: bytes, limit: int) -> bytes:
    return line if len(line) <= limit else line[:limit] + "…".encode()


@given(
    st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line)),
    st.binary(max_size=40).filter(lambda line: b"\n" not in line),
    st.integers(1, 20),
)
def test_lines_are_cut_and_their_lengths_add_up(
    lines: list[bytes], rest: bytes, limit: int
) -> None:
    data = b"".join(line + b"\n" for line in lines) + rest
    found = list(bounded_lines(io.BytesIO(data), limit))
    assert [line for line, _ in found] == [cut(line, limit) for line in lines]
    assert sum(length for _, length in found) == len(data) - len(rest)


@pytest.mark.parametrize("rest", [b"x", b"x" * 100])
def test_last_line_is_yielded_on_request(rest: bytes) -> None:
    found = list(bounded_lines(io.BytesIO(b"a\n" + rest), 10, with_last=True))
    assert found == [(b"a", 2), (cut(rest, 10), len(rest))]


def test_long_line_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.truncate(100_000_000)
        file.seek(0, 2)
        file.write(b"\nnext\n")
    tracemalloc.start()
    with path.open("rb") as file:
        found = [(len(line), length) for line, length in bounded_lines(file, 1000)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [(1003, 100_000_001), (4, 5)]
    assert peak < 1_000_000


def test_last_lines_are_read_from_the_end_without_blank_ones(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n\ntwo \n \nthree\xff\n\n")
    assert last_lines(path, 2) == ("two", "three\ufffd")
    assert last_lines(tmp_path / "missing", 2) == ()


def test_last_lines_of_a_large_file_need_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
        file.seek(0, 2)
        file.write(b"\nlast\n")
    [start, last] = last_lines(path, 5)
    assert len(start) < MAX_OUTPUT_LINE_BYTES
    assert last == "last"
