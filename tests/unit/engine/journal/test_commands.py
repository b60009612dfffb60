"""The commands file: viewers append commands, the runner reads them."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.commands import (
    FILE_NAME,
    MAX_FILE_LINES,
    MAX_LINE_BYTES,
    MAX_LINES,
    NAMES,
    CommandReader,
    _decode,
    send_command,
)
from loadbench.errors import JournalError


def test_commands_survive_a_round_trip(tmp_path: Path) -> None:
    sent = [send_command(tmp_path, name, cell="m1_u2_s2") for name in NAMES]
    found = CommandReader(tmp_path).poll()
    assert [command.id for command in found] == sent
    assert [(command.command, command.cell) for command in found] == [
        (name, "m1_u2_s2") for name in NAMES
    ]


def test_a_command_is_one_line_with_a_unique_id(tmp_path: Path) -> None:
    assert send_command(tmp_path, "pause") != send_command(tmp_path, "pause")
    first, second = (tmp_path / FILE_NAME).read_text().splitlines()
    assert list(json.loads(first)) == ["id", "at", "command"]
    assert json.loads(second)["at"].endswith("Z")


def test_arguments_of_a_command_survive_a_round_trip(tmp_path: Path) -> None:
    send_command(tmp_path, "add", args={"models": 3, "users": 10, "spawn_rate": 0.5})
    (command,) = CommandReader(tmp_path).poll()
    assert command.args == {"models": 3, "users": 10, "spawn_rate": 0.5}


def test_the_cell_of_a_command_is_optional(tmp_path: Path) -> None:
    send_command(tmp_path, "skip")
    (command,) = CommandReader(tmp_path).poll()
    assert command.cell is None


def test_each_command_is_read_once(tmp_path: Path) -> None:
    reader = CommandReader(tmp_path)
    assert reader.poll() == []
    for name in ("pause", "resume"):
        send_command(tmp_path, name)
        assert [command.command for command in reader.poll()] == [name]
    assert reader.poll() == []


def test_an_incomplete_command_is_read_once_it_is_complete(tmp_path: Path) -> None:
    line = b'{"id":"a","at":"","command":"stop"}\n'
    reader = CommandReader(tmp_path)
    file = tmp_path / FILE_NAME
    file.write_bytes(line[:12])
    assert reader.poll() == []
    file.write_bytes(line)
    assert [command.id for command in reader.poll()] == ["a"]


@pytest.mark.parametrize(
    "line",
    [b"", b"no json", b"[]", b"null", b"{}", b'{"id":"a"}', b'{"command":"stop"}', b"\xff\xfe"],
)
def test_an_invalid_line_is_skipped(tmp_path: Path, line: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(line + b"\n")
    send_command(tmp_path, "stop")
    assert [command.command for command in CommandReader(tmp_path).poll()] == ["stop"]


lines = st.dictionaries(
    st.sampled_from(["id", "at", "command", "cell", "args"]),
    st.none() | st.text() | st.lists(st.integers()),
).map(lambda fields: json.dumps(fields).encode())


@given(st.binary() | lines)
def test_no_line_raises_an_error(line: bytes) -> None:
    command = _decode(line)
    assert command is None or isinstance(command.id, str)


def test_a_torn_line_of_a_dead_viewer_does_not_hide_the_next_command(tmp_path: Path) -> None:
    (tmp_path / "commands.jsonl").write_bytes(b'{"id": "torn')

    identity = send_command(tmp_path, "stop")

    assert [command.id for command in CommandReader(tmp_path).poll()] == [identity]


# Bad files


def command_line(**fields: object) -> bytes:
    return json.dumps({"id": "a", "command": "add", **fields}).encode() + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"id":"a","command":"add","args":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id":"a","command":"stop","args":"' + b"x" * MAX_LINE_BYTES + b'"}',
        b'{"id":"a","command":"add","args":' + b"1" * 5000 + b"}",
        b'{"id":["a"],"command":"stop"}',
        b'{"id":"","command":"stop"}',
        b'{"id":"\x1b","command":"stop"}',
    ],
    ids=["nested", "nested args", "too large", "giant integer", "no id", "empty id", "escape"],
)
def test_a_bad_line_is_counted_and_hides_no_command(tmp_path: Path, line: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(line + b"\n\n")
    identity = send_command(tmp_path, "stop")
    reader = CommandReader(tmp_path)
    assert [command.id for command in reader.poll()] == [identity]
    assert (reader.invalid_lines, reader.problem) == (1, "")


def test_texts_of_a_command_are_short_and_printable(tmp_path: Path) -> None:
    long = "x\x1b[2J\u202e" * 1000
    (tmp_path / FILE_NAME).write_bytes(command_line(id=long, command=long, cell=long, at=long))
    (command,) = CommandReader(tmp_path).poll()
    for text in (command.id, command.command, command.cell, command.at):
        assert text is not None
        assert text.isprintable()
        assert len(text) <= 120


def test_many_commands_are_read_in_parts(tmp_path: Path) -> None:
    sent = [str(number) for number in range(2 * MAX_LINES + 1)]
    lines = b"".join(command_line(id=identity) for identity in sent)
    (tmp_path / FILE_NAME).write_bytes(lines)
    reader = CommandReader(tmp_path)

    parts = [reader.poll(), reader.poll()]
    has_more = reader.has_more
    parts.append(reader.poll())

    assert [len(part) for part in parts] == [MAX_LINES, MAX_LINES, 1]
    assert [command.id for part in parts for command in part] == sent
    assert (has_more, reader.has_more) == (True, False)


def test_a_line_without_end_is_counted_once_and_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    with file.open("wb") as created:
        created.truncate(20_000_000)
    reader = CommandReader(tmp_path)

    assert reader.poll() == []
    assert reader.has_more
    while reader.has_more:
        assert reader.poll() == []
    assert reader.invalid_lines == 1

    with file.open("ab") as added:
        added.write(b"the rest\n")
    identity = send_command(tmp_path, "stop")
    assert [command.id for command in reader.poll()] == [identity]
    assert (reader.invalid_lines, reader.problem) == (1, "")


@pytest.mark.parametrize("line", [b"x\n", b"\n", b"x" * 2 * MAX_LINE_BYTES + b"\n"])
def test_a_file_that_grows_without_end_is_read_up_to_a_limit(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / FILE_NAME
    reader = CommandReader(tmp_path)
    polls = 0
    with file.open("ab", buffering=0) as writer:
        while polls == 0 or reader.has_more:
            writer.write(line * (MAX_LINES if len(line) < 9 else 3))
            reader.poll()
            polls += 1

    assert reader.problem == "has 10000 lines or 100 MB, so it is not read any further"
    assert polls <= MAX_FILE_LINES
    # Viewers must notice it, so that `stop` uses a signal instead.
    with pytest.raises(JournalError, match="10000 lines or 100 MB"):
        send_command(tmp_path, "stop")
    file.unlink()
    identity = send_command(tmp_path, "stop")
    assert [command.id for command in reader.poll()] == [identity]


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (Path.mkdir, os.strerror(errno.EISDIR)),
    "FIFO": (os.mkfifo, "Not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/null"), "Not a regular file"),
    "link to itself": (lambda path: path.symlink_to(path), os.strerror(errno.ELOOP)),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("make", "reason"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_cannot_be_used_is_a_problem_until_it_is_replaced(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    file = tmp_path / FILE_NAME
    make(file)
    reader = CommandReader(tmp_path)

    assert reader.poll() == []
    assert reader.problem == reason
    with pytest.raises(JournalError, match=f"cannot send the command 'stop' .*{file}: {reason}"):
        send_command(tmp_path, "stop")

    file.rename(tmp_path / "moved")
    identity = send_command(tmp_path, "stop")
    assert [command.id for command in reader.poll()] == [identity]
    assert reader.problem == ""


def test_commands_in_a_new_file_are_read(tmp_path: Path) -> None:
    reader = CommandReader(tmp_path)
    for _ in range(3):
        send_command(tmp_path, "pause")
    reader.poll()
    (tmp_path / FILE_NAME).unlink()
    identity = send_command(tmp_path, "stop")
    assert [command.id for command in reader.poll()] == [identity]
