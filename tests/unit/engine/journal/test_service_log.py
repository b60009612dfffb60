"""Log lines of services: written, then found by name and by time."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.files import Tail
from loadbench.engine.journal.service_log import (
    LogLine,
    format_log_line,
    parse,
    read_last_lines,
    read_lines_between,
)

BEGIN = datetime(2026, 11, 27, 2, 44, tzinfo=UTC)


def timestamp(seconds: float) -> str:
    at = BEGIN + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(file: Path, *seconds: float, before: str = "") -> None:
    lines = (
        format_log_line(timestamp(at), f"model-{i % 2}", f"line {i}")
        for i, at in enumerate(seconds)
    )
    file.write_text(before + "".join(lines), encoding="utf-8")


def texts(lines: list[LogLine] | None) -> list[str] | None:
    return None if lines is None else [line.text for line in lines]


def test_written_lines_are_read_with_their_timestamps(tmp_path: Path) -> None:
    log = StackLog(tmp_path / "stack.log")
    log.write("model-1", "a | b")
    log.write("api", "")
    log.close()
    one, two = map(parse, (tmp_path / "stack.log").read_bytes().splitlines())
    assert (one.name, one.text, two.name, two.text) == ("model-1", "a | b", "api", "")
    assert datetime.fromisoformat(one.at).tzinfo is UTC
    assert one.at <= two.at


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"model-1 | ready", LogLine("", "model-1", "ready")),
        (b"ready", LogLine("", "", "ready")),
        (b"\xff | \xfe\r", LogLine("", "\ufffd", "\ufffd")),
        (b"2026-11-27T02:44:35.123Z api | up", LogLine("2026-11-27T02:44:35.123Z", "api", "up")),
    ],
)
def test_lines_are_parsed_with_and_without_timestamps(raw: bytes, line: LogLine) -> None:
    assert parse(raw) == line


@given(
    st.lists(st.integers(0, 30), max_size=40).map(sorted),
    st.integers(0, 31),
    st.integers(0, 31),
    st.integers(1, 50),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_a_time_span_contains_exactly_its_lines(
    tmp_path_factory: pytest.TempPathFactory,
    seconds: list[int],
    begin: int,
    end: int,
    most: int,
    torn: bool,
) -> None:
    file = tmp_path_factory.mktemp("run") / "stack.log"
    write(file, *seconds)
    if torn:
        with file.open("a") as more:
            more.write(timestamp(1000)[:10])
    found = read_lines_between(file, timestamp(begin), timestamp(max(begin, end)), max_lines=most)
    expected = [f"line {i}" for i, at in enumerate(seconds) if begin <= at < max(begin, end)]
    assert (texts(found) or []) == expected[-most:]


def test_an_open_time_span_extends_to_the_end_of_the_file(tmp_path: Path) -> None:
    write(tmp_path / "log", *range(10))
    assert texts(read_lines_between(tmp_path / "log", timestamp(7), "", max_lines=5)) == [
        "line 7",
        "line 8",
        "line 9",
    ]


def test_lines_without_timestamps_are_older_than_all_others(tmp_path: Path) -> None:
    old = "model-0 | old\n" * 1000
    write(tmp_path / "log", *range(10), before=old)
    assert texts(read_lines_between(tmp_path / "log", timestamp(0), timestamp(2), max_lines=9)) == [
        "line 0",
        "line 1",
    ]
    (tmp_path / "log").write_text(old)
    assert read_lines_between(tmp_path / "log", timestamp(0), timestamp(2), max_lines=9) is None


def test_a_large_file_is_not_read_completely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "log", *(number / 100 for number in range(100_000)))
    parsed = []

    def counted(raw: bytes) -> LogLine:
        parsed.append(raw)
        return parse(raw)

    monkeypatch.setattr("loadbench.engine.journal.service_log.parse", counted)
    found = read_lines_between(tmp_path / "log", timestamp(500), timestamp(500.1), max_lines=200)
    assert found is not None
    assert len(found) == 10
    assert len(parsed) < 100


def test_the_last_lines_of_one_service_are_found(tmp_path: Path) -> None:
    write(tmp_path / "log", *range(10))
    with (tmp_path / "log").open("a") as file:
        file.write("api | model-1 | is not its name\nhalf a li")
    lines, offset = read_last_lines(tmp_path / "log", "model-1", max_lines=3)
    assert texts(lines) == ["line 5", "line 7", "line 9"]
    assert offset == (tmp_path / "log").stat().st_size - len("half a li")
    assert read_last_lines(tmp_path / "none", "model-1", max_lines=3) == ([], 0)


def test_a_line_without_end_is_not_held_in_memory(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write(log, 0)
    with log.open("ab") as file:
        file.truncate(10_000_000)
        file.seek(0, 2)
        file.write(b"\n")
    write(tmp_path / "later", 1, 2)
    with log.open("ab") as file:
        file.write((tmp_path / "later").read_bytes())

    tracemalloc.start()
    lines, offset = read_last_lines(log, "model-1", max_lines=3)
    between = read_lines_between(log, timestamp(1), timestamp(3), max_lines=9)
    tail = Tail(log, last_bytes=5_000_000).poll()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert texts(lines) == ["line 1"]
    assert offset == log.stat().st_size
    assert texts(between) == ["line 0", "line 1"]
    assert len(tail) == 2
    assert peak < 2_000_000
