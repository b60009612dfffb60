"""The cache of the log lines of services during a cell."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.service_log import (
    FILE_NAME,
    LOCUST_FILE_NAME,
    format_locust_line,
    format_log_line,
)
from loadbench.engine.journal.state import CellState
from loadbench.ui.background import Job
from loadbench.ui.following.cell_logs import MAX_LOGS, CellLogs
from loadbench.ui.lines.service_log import NOT_READ, CellLog
from tests.support.builders import make_cell

AT = "2026-11-22T11:11:{:02}.000Z"
RUNNING = CellState(cell=make_cell(), attempt=1, began_at=AT.format(10))


class Reader:
    """Cell logs whose reads wait for `read`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE_NAME
        self.waiting: list[Job] = []
        self.changes = 0
        self.locust = folder / LOCUST_FILE_NAME
        start, changed = self.waiting.append, self._change
        self.logs = CellLogs(path=self.file, locust=self.locust, start=start, changed=changed)

    def write(self, second: int, text: str) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(format_log_line(AT.format(second), "api", text))

    def of(self, cell: CellState) -> CellLog:
        return self.logs.of(cell, max_lines=100)

    def texts(self, cell: CellState) -> list[str]:
        return [entry.text for entry in self.of(cell).lines]

    def read(self) -> None:
        """Run the waiting reads."""
        waiting, self.waiting[:] = list(self.waiting), []
        for job in waiting:
            asyncio.run(job())

    def _change(self) -> None:
        self.changes += 1


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def test_a_cell_that_was_not_attempted_has_no_lines(reader: Reader) -> None:
    assert reader.of(CellState(cell=make_cell())) == CellLog()
    assert reader.waiting == []


def test_there_is_one_read_at_a_time(reader: Reader) -> None:
    reader.write(11, "first")

    assert [reader.of(RUNNING) for _ in range(3)] == 3 * [NOT_READ]

    assert len(reader.waiting) == 1
    assert reader.logs.is_reading
    reader.read()
    assert not reader.logs.is_reading


def test_the_last_result_is_returned_during_the_next_read(reader: Reader) -> None:
    reader.write(11, "first")
    reader.of(RUNNING)
    reader.read()
    reader.write(12, "second")

    assert reader.texts(RUNNING) == ["first"]
    reader.read()

    assert reader.texts(RUNNING) == ["first", "second"]
    assert reader.changes == 2


def test_an_unchanged_file_reports_no_change(reader: Reader) -> None:
    reader.write(11, "first")
    for _ in range(3):
        reader.of(RUNNING)
        reader.read()

    assert reader.changes == 1


def test_the_log_is_read_once_more_after_the_attempt(reader: Reader) -> None:
    reader.write(11, "first")
    reader.of(RUNNING)
    reader.read()
    reader.write(20, "after it")
    over = replace(RUNNING, ended_at=AT.format(15))

    assert reader.texts(over) == ["first"]
    reader.read()
    assert reader.texts(over) == ["first"]

    assert reader.waiting == []


def test_a_missing_file_has_no_lines_until_it_is_created(reader: Reader) -> None:
    over = replace(RUNNING, ended_at=AT.format(15))
    reader.of(over)
    reader.read()
    assert reader.of(over) == CellLog()

    reader.write(11, "first")
    reader.read()

    assert reader.texts(over) == ["first"]


def test_lines_without_times_belong_to_no_cell(reader: Reader) -> None:
    reader.file.write_text("api | untimed\n")
    reader.of(RUNNING)
    reader.read()

    assert reader.of(RUNNING) == CellLog(has_times=False)


def test_the_number_of_cached_logs_is_limited(reader: Reader) -> None:
    reader.write(11, "first")
    attempts = [
        replace(RUNNING, cell=make_cell(users=number), ended_at=AT.format(15))
        for number in range(1, MAX_LOGS + 2)
    ]
    for cell in attempts:
        reader.of(cell)
        reader.read()

    assert reader.of(attempts[0]) == NOT_READ
    assert reader.texts(attempts[-1]) == ["first"]


def test_lines_of_the_locustfile_are_among_those_of_services(reader: Reader) -> None:
    reader.write(11, "request")
    reader.write(13, "answer")
    with reader.locust.open("ab") as file:
        for second, text in (
            (9, b"before"),
            (12, b"[2026-11-22 12:11:12,000] host/INFO/locust.runners: Ramping to 4 users"),
            (12, b"no token"),
            (14, b"[2026-11-22 12:11:14,000] host/INFO/locust.main: Got SIGTERM signal"),
            (14, b"Type     Name"),
        ):
            file.write(format_locust_line(AT.format(second), text))
    reader.of(RUNNING)
    reader.read()

    assert reader.texts(RUNNING) == ["request", "no token", "answer"]


def test_the_log_of_locust_suffices(reader: Reader) -> None:
    reader.locust.write_bytes(format_locust_line(AT.format(12), b"no token"))
    reader.of(RUNNING)
    reader.read()

    assert reader.texts(RUNNING) == ["no token"]
