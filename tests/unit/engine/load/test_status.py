"""Messages of Locust about its status."""

import json
import os
from collections.abc import Iterator

import pytest

from loadbench.engine.load.status import MAX_NOTES, LocustStatus
from tests.support.harness import until


class Pipe:
    """A status, and the write end of its pipe."""

    def __init__(self) -> None:
        read_fd, self.write_fd = os.pipe()
        self.status = LocustStatus(read_fd)

    def send(self, **message: object) -> None:
        os.write(self.write_fd, json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1
        self.status.wait_until_closed(10)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_a_phase_has_a_place_and_a_limit(pipe: Pipe) -> None:
    pipe.send(phase="import", cell="")
    pipe.send(phase="import", cell="", place="user.py:3")
    until(lambda: pipe.status.place == "user.py:3")

    assert pipe.status.awaited(60, "waiting") == (
        "the import of the locustfile, at most 60 s: waiting at user.py:3"
    )
    assert pipe.status.overdue_s(60) < 0 < pipe.status.overdue_s(-1)


def test_a_cell_has_started_after_its_listeners(pipe: Pipe) -> None:
    pipe.send(phase="test_start", cell="m1.1")
    until(lambda: pipe.status.phase == "test_start")
    assert pipe.status.cell == ""

    pipe.send(phase="", cell="m1.1")
    until(lambda: not pipe.status.phase)

    assert (pipe.status.cell, pipe.status.place) == ("m1.1", "")
    assert pipe.status.awaited(60, "waiting") == ""


def test_a_cell_in_which_test_stop_was_executed_has_not_started(pipe: Pipe) -> None:
    pipe.send(phase="test_stop", cell="m1.1")
    pipe.send(phase="", cell="m1.1")
    pipe.close()

    assert pipe.status.cell == ""


def test_notes_are_taken_once_and_limited(pipe: Pipe) -> None:
    pipe.send(notes=["first"])
    pipe.send(notes=[str(number) for number in range(2 * MAX_NOTES)])
    pipe.close()

    assert len(pipe.status.take_notes()) == MAX_NOTES
    assert pipe.status.take_notes() == []


def test_the_port_comes_with_the_hosts(pipe: Pipe) -> None:
    pipe.send(port=8089, hosts={"Login": "http://login.example"})
    until(lambda: pipe.status.port == 8089)

    assert pipe.status.hosts == {"Login": "http://login.example"}


@pytest.mark.parametrize("data", [b"[", b"{}", b"\xff", b'{"port": 0}'])
def test_an_unusable_message_is_a_problem(pipe: Pipe, data: bytes) -> None:
    os.write(pipe.write_fd, data + b"\n")
    until(lambda: bool(pipe.status.problem))

    assert pipe.status.port == 0
