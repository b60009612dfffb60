"""The commands file: viewers append commands, the runner reads them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.commands import (
    FILE_NAME,
    NAMES,
    CommandReader,
    _decode,
    send_command,
)


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
