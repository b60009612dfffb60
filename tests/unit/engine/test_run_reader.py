"""Runs as they are read: how they stand, what is left out, what is new."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from loadbench.engine.journal.events import Note, Result, RunFinished, RunResumed, Verdict
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.run_reader import RunReader, RunStatus, read_run, report_of, status_of
from loadbench.errors import JournalError
from tests.support.builders import cell_finished, cell_started, run_started, sample, write_journal
from tests.support.golden import last_cell
from tests.support.ui_harness import held

NOW = datetime(2026, 11, 22, 7, 21, 5)
DONE = RunFinished(result=Result.DONE, reason="every cell is over")


def finished(folder: Path, result: Result = Result.DONE) -> Path:
    """A run that has ended."""
    end = RunFinished(result=result, reason="so it was")
    return write_journal(folder, run_started(run=folder.name), end)


@pytest.mark.parametrize("result", Result)
def test_a_run_that_has_ended_stands_as_it_ended(tmp_path: Path, result: Result) -> None:
    assert read_run(finished(tmp_path, result)).status.value == result.value


def test_a_run_without_an_end_is_live_while_its_journal_is_held(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(run_started())
    writer.append(cell_started())
    assert read_run(tmp_path).status is RunStatus.LIVE
    writer.close()
    assert read_run(tmp_path).status is RunStatus.INTERRUPTED


def test_a_run_that_has_said_its_end_is_over_although_its_journal_is_held(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(run_started())
    writer.append(DONE)
    assert read_run(tmp_path).status is RunStatus.DONE
    writer.close()


def test_a_resumed_run_is_live_again(tmp_path: Path) -> None:
    finished(tmp_path, Result.STOPPED)
    writer = JournalWriter(tmp_path)
    writer.append(RunResumed(pid=1, retry=(), hardware={}, versions={}))
    assert read_run(tmp_path).status is RunStatus.LIVE
    writer.close()
    assert read_run(tmp_path).status is RunStatus.INTERRUPTED


def test_a_journal_in_which_no_run_began_is_told_as_such(tmp_path: Path) -> None:
    write_journal(tmp_path, Note(text="a"))
    with pytest.raises(JournalError, match="no run was started"):
        read_run(tmp_path)


def test_the_status_needs_no_files() -> None:
    assert status_of(EMPTY, held=True) is RunStatus.LIVE
    assert status_of(EMPTY, held=False) is RunStatus.INTERRUPTED


# Reading on


def test_every_entry_is_given_once_with_the_state_after_it(tmp_path: Path) -> None:
    given: list[tuple[int, int]] = []
    reader = RunReader(
        write_journal(tmp_path / "run", run_started()),
        on_entry=lambda entry, state: given.append((entry.seq, len(state.messages))),
    )
    reader.poll()
    write_journal(tmp_path / "run", Note(text="a"), Note(text="b"))
    run = reader.poll()
    reader.poll()

    assert given == [(1, 0), (2, 1), (3, 2)]
    assert [it.text for it in run.state.messages] == ["a", "b"]


def test_samples_are_left_out_only_where_there_are_many_lines(tmp_path: Path) -> None:
    seconds = [sample(second=number) for number in range(10)]
    folder = write_journal(tmp_path / "run", run_started(), cell_started(), *seconds)
    few = RunReader(folder, max_samples=3, from_lines=100)
    many = RunReader(folder, max_samples=3, from_lines=10)

    assert len(few.poll().state.samples) == 10
    assert [it.second for it in many.poll().state.samples] == [7, 8, 9]
    assert (few.has_left_out, many.has_left_out) == (False, True)


def test_a_run_is_held_for_as_long_as_its_writer_lives(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started())
    writer = JournalWriter(folder)
    reader = RunReader(folder)
    writer.append(RunFinished(result=Result.DONE, reason="every cell is over"))
    while_held = reader.poll()
    writer.close()

    assert (while_held.status, while_held.is_held) == (RunStatus.DONE, True)
    assert not reader.poll().is_held


# The same run


def test_the_same_object_is_returned_while_nothing_changes(tmp_path: Path) -> None:
    reader = RunReader(write_journal(tmp_path / "run", run_started(), cell_started()))
    first = reader.poll()

    assert reader.poll() is first
    assert first.rows is first.rows


def test_another_object_is_returned_when_the_journal_grows(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started(), cell_started())
    reader = RunReader(folder)
    begun = reader.poll()

    write_journal(folder, cell_finished())
    measured = reader.poll()

    assert measured is not begun
    assert [it.verdict for it in (*begun.rows, *measured.rows)] == ["pending", "valid"]
    assert reader.poll() is measured


def test_another_object_is_returned_when_the_lock_changes(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started())
    reader = RunReader(folder)
    interrupted = reader.poll()

    with held(folder):
        live = reader.poll()
        assert reader.poll() is live
    released = reader.poll()

    statuses = [it.status for it in (interrupted, live, released)]
    assert statuses == [RunStatus.INTERRUPTED, RunStatus.LIVE, RunStatus.INTERRUPTED]


# Reports


def test_a_report_is_found_whether_it_is_written_before_or_after_the_end_of_its_cell(
    tmp_path: Path,
) -> None:
    folder = write_journal(tmp_path / "run", run_started(), cell_started())
    (folder / "1_2_2.html").touch()
    early = RunReader(folder)
    assert early.poll().reports == frozenset()

    write_journal(folder, cell_finished())
    late = RunReader(folder)
    found = early.poll()
    assert report_of(found, "m1_u2_s2") == folder / "1_2_2.html"

    (folder / "1_2_2.html").unlink()
    without = late.poll()
    assert report_of(without, "m1_u2_s2") is None
    (folder / "1_2_2.html").touch()
    assert late.poll().reports == {"1_2_2.html"}


def test_a_deleted_report_is_not_offered(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started(), cell_started(), cell_finished())
    report = folder / "1_2_2.html"
    report.touch()
    reader = RunReader(folder)
    assert reader.poll().reports == {report.name}

    report.unlink()
    os.utime(folder, (1, 1))  # the clock of the file system is too coarse for a test

    assert reader.poll().reports == frozenset()


def test_a_folder_with_the_name_of_a_report_is_none(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started(), cell_started(), cell_finished())
    (folder / "1_2_2.html").mkdir()

    assert read_run(folder).reports == frozenset()


def test_what_breathes_may_end_the_reading(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def enough() -> None:
        raise EnoughError

    folder = write_journal(tmp_path / "run", run_started())

    with pytest.raises(EnoughError):
        RunReader(folder, breathe=enough).poll()


def test_rules_of_an_older_journal_get_their_ids_while_it_is_read(tmp_path: Path) -> None:
    _, _, named = last_cell("few_samples", tmp_path)

    assert [it.rule for it in named.findings] == ["few_samples"]
    assert named.findings[0].limit == 200


def test_rules_of_an_older_journal_stay_unrecorded_where_they_cannot_be_told(
    tmp_path: Path,
) -> None:
    strange = cell_finished(verdict=Verdict.SUSPECT, reasons=("in words of then",))
    folder = write_journal(tmp_path / "run", run_started(), cell_started(), strange)
    finished_ = read_run(folder).state.cells["m1_u2_s2"].finished

    assert finished_ is not None
    assert finished_.findings == strange.findings
