"""What services said: written, found again by name and by time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.journal.service_log import (
    LogLine,
    format_log_line,
    parse,
    read_last_lines,
    read_lines_between,
)

BEGIN = datetime(2026, 11, 27, 2, 44, tzinfo=UTC)


def moment(seconds: float) -> str:
    at = BEGIN + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(file: Path, *seconds: float, before: str = "") -> None:
    said = (
        format_log_line(moment(at), f"model-{i % 2}", f"line {i}") for i, at in enumerate(seconds)
    )
    file.write_text(before + "".join(said), encoding="utf-8")


def texts(said: list[LogLine] | None) -> list[str] | None:
    return None if said is None else [it.text for it in said]


def test_what_is_written_is_read_with_its_time(tmp_path: Path) -> None:
    log = StackLog(tmp_path / "stack.log")
    log.write("model-1", "a | b")
    log.write("api", "")
    log.close()
    one, two = map(parse, (tmp_path / "stack.log").read_bytes().splitlines())
    assert (one.name, one.text, two.name, two.text) == ("model-1", "a | b", "api", "")
    assert datetime.fromisoformat(one.at).tzinfo is UTC
    assert one.at <= two.at


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"model-1 | ready", LogLine("", "model-1", "ready")),
        (b"ready", LogLine("", "", "ready")),
        (b"\xff | \xfe\r", LogLine("", "\ufffd", "\ufffd")),
        (b"2026-11-27T02:44:35.123Z api | up", LogLine("2026-11-27T02:44:35.123Z", "api", "up")),
    ],
)
def test_lines_of_older_runs_have_no_time(raw: bytes, said: LogLine) -> None:
    assert parse(raw) == said


@given(
    st.lists(st.integers(0, 30), max_size=40).map(sorted),
    st.integers(0, 31),
    st.integers(0, 31),
    st.integers(1, 50),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_a_span_has_its_lines_and_no_others(
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
            more.write(moment(1000)[:10])
    found = read_lines_between(file, moment(begin), moment(max(begin, end)), most=most)
    wanted = [f"line {i}" for i, at in enumerate(seconds) if begin <= at < max(begin, end)]
    assert (texts(found) or []) == wanted[-most:]


def test_a_span_without_an_end_goes_to_the_end(tmp_path: Path) -> None:
    write(tmp_path / "log", *range(10))
    assert texts(read_lines_between(tmp_path / "log", moment(7), "", most=5)) == [
        "line 7",
        "line 8",
        "line 9",
    ]


def test_lines_without_times_are_before_all_others(tmp_path: Path) -> None:
    old = "model-0 | old\n" * 1000
    write(tmp_path / "log", *range(10), before=old)
    assert texts(read_lines_between(tmp_path / "log", moment(0), moment(2), most=9)) == [
        "line 0",
        "line 1",
    ]
    (tmp_path / "log").write_text(old)
    assert read_lines_between(tmp_path / "log", moment(0), moment(2), most=9) is None


def test_a_large_file_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "log", *(it / 100 for it in range(100_000)))
    parsed = []

    def counted(raw: bytes) -> LogLine:
        parsed.append(raw)
        return parse(raw)

    monkeypatch.setattr("loadbench.engine.journal.service_log.parse", counted)
    found = read_lines_between(tmp_path / "log", moment(500), moment(500.1), most=200)
    assert found is not None
    assert len(found) == 10
    assert len(parsed) < 100


def test_one_service_is_heard_among_others(tmp_path: Path) -> None:
    write(tmp_path / "log", *range(10))
    with (tmp_path / "log").open("a") as file:
        file.write("api | model-1 | is not its name\nhalf a li")
    said, offset = read_last_lines(tmp_path / "log", "model-1", most=3)
    assert [it.text for it in said] == ["line 5", "line 7", "line 9"]
    assert offset == (tmp_path / "log").stat().st_size - len("half a li")
    assert read_last_lines(tmp_path / "none", "model-1", most=3) == ([], 0)
