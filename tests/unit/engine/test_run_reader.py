"""Reading a run: its status, dropped samples, new entries and reports."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from loadbench.engine.journal.events import (
    CellEnd,
    CellStarted,
    Event,
    Note,
    Result,
    RunFinished,
    RunResumed,
    Verdict,
)
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.profile.plan import Cell
from loadbench.engine.run_reader import RunReader, RunStatus, read_run, report_path, status_of
from loadbench.errors import JournalError
from tests.support.builders import cell_finished, cell_started, run_started, sample, write_journal
from tests.support.golden import last_cell
from tests.support.searches import (
    GOAL_MS,
    ended,
    planned,
    search_profile,
    search_started,
    searched,
    with_p95,
)
from tests.support.ui_harness import held

NOW = datetime(2026, 11, 22, 7, 21, 5)
DONE = RunFinished(result=Result.DONE, reason="1 of 1 cell measured")


def finished(folder: Path, result: Result = Result.DONE) -> Path:
    """Write the journal of a finished run."""
    end = RunFinished(result=result, reason="test")
    return write_journal(folder, run_started(run=folder.name), end)


@pytest.mark.parametrize("result", Result)
def test_the_status_of_a_finished_run_is_its_result(tmp_path: Path, result: Result) -> None:
    assert read_run(finished(tmp_path, result)).status.value == result.value


def test_an_unfinished_run_is_live_while_its_journal_is_locked(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(run_started())
    writer.append(cell_started())
    assert read_run(tmp_path).status is RunStatus.LIVE
    writer.close()
    assert read_run(tmp_path).status is RunStatus.INTERRUPTED


def test_a_finished_run_is_not_live_even_if_its_journal_is_locked(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(run_started())
    writer.append(DONE)
    assert read_run(tmp_path).status is RunStatus.DONE
    writer.close()


def test_a_resumed_run_is_live(tmp_path: Path) -> None:
    finished(tmp_path, Result.STOPPED)
    writer = JournalWriter(tmp_path)
    writer.append(RunResumed(pid=1, retry=(), hardware={}, versions={}))
    assert read_run(tmp_path).status is RunStatus.LIVE
    writer.close()
    assert read_run(tmp_path).status is RunStatus.INTERRUPTED


def test_a_journal_without_a_run_is_an_error(tmp_path: Path) -> None:
    write_journal(tmp_path, Note(text="a"))
    with pytest.raises(JournalError, match="no run_started event found"):
        read_run(tmp_path)


def test_a_run_whose_runner_was_killed_after_the_last_cell_is_done(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    for event in (run_started(), cell_started(), cell_finished()):
        writer.append(event)
    live = read_run(tmp_path)
    writer.close()
    killed = read_run(tmp_path)
    assert (live.status, live.was_killed) == (RunStatus.LIVE, False)
    assert (killed.status, killed.was_killed) == (RunStatus.DONE, True)


def test_the_status_is_derived_without_files() -> None:
    assert status_of(EMPTY, held=True) is RunStatus.LIVE
    assert status_of(EMPTY, held=False) is RunStatus.INTERRUPTED


# Following


def test_every_entry_is_reported_once_with_the_state_after_it(tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    reader = RunReader(
        write_journal(tmp_path / "run", run_started()),
        on_entry=lambda entry, state: reported.append((entry.seq, len(state.messages))),
    )
    reader.poll()
    write_journal(tmp_path / "run", Note(text="a"), Note(text="b"))
    run = reader.poll()
    reader.poll()

    assert reported == [(1, 0), (2, 1), (3, 2)]
    assert [message.text for message in run.state.messages] == ["a", "b"]


def test_samples_are_dropped_only_if_there_are_many_lines(tmp_path: Path) -> None:
    seconds = [sample(second=number) for number in range(10)]
    folder = write_journal(tmp_path / "run", run_started(), cell_started(), *seconds)
    few = RunReader(folder, max_samples=3, min_lines=100)
    many = RunReader(folder, max_samples=3, min_lines=10)

    assert len(few.poll().state.samples) == 10
    assert [each.second for each in many.poll().state.samples] == [7, 8, 9]
    assert (few.has_dropped_samples, many.has_dropped_samples) == (False, True)


def test_a_run_is_held_while_its_writer_is_open(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started())
    writer = JournalWriter(folder)
    reader = RunReader(folder)
    writer.append(RunFinished(result=Result.DONE, reason="1 of 1 cell measured"))
    while_held = reader.poll()
    writer.close()

    assert (while_held.status, while_held.is_held) == (RunStatus.DONE, True)
    assert not reader.poll().is_held


# Changes


def test_the_same_run_is_returned_while_nothing_changes(tmp_path: Path) -> None:
    reader = RunReader(write_journal(tmp_path / "run", run_started(), cell_started()))
    first = reader.poll()

    assert reader.poll() is first
    assert first.rows is first.rows


def test_a_new_run_is_returned_when_the_journal_grows(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started(), cell_started())
    reader = RunReader(folder)
    before = reader.poll()

    write_journal(folder, cell_finished())
    measured = reader.poll()

    assert measured is not before
    assert [row.verdict for row in (*before.rows, *measured.rows)] == ["pending", "valid"]
    assert reader.poll() is measured


def test_a_new_run_is_returned_when_the_lock_changes(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started())
    reader = RunReader(folder)
    interrupted = reader.poll()

    with held(folder):
        live = reader.poll()
        assert reader.poll() is live
    released = reader.poll()

    statuses = [run.status for run in (interrupted, live, released)]
    assert statuses == [RunStatus.INTERRUPTED, RunStatus.LIVE, RunStatus.INTERRUPTED]


# Reports


def test_a_report_is_found_if_written_before_or_after_the_end_of_its_cell(
    tmp_path: Path,
) -> None:
    folder = write_journal(tmp_path / "run", run_started(), cell_started())
    (folder / "1_2_2.html").touch()
    early = RunReader(folder)
    assert early.poll().reports == frozenset()

    write_journal(folder, cell_finished())
    late = RunReader(folder)
    found = early.poll()
    assert report_path(found, "m1_u2_s2") == folder / "1_2_2.html"

    (folder / "1_2_2.html").unlink()
    without = late.poll()
    assert report_path(without, "m1_u2_s2") is None
    (folder / "1_2_2.html").touch()
    assert late.poll().reports == {"1_2_2.html"}


def test_a_deleted_report_is_not_listed(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started(), cell_started(), cell_finished())
    report = folder / "1_2_2.html"
    report.touch()
    reader = RunReader(folder)
    assert reader.poll().reports == {report.name}

    report.unlink()
    os.utime(folder, (1, 1))  # the file system's clock is too coarse for this test

    assert reader.poll().reports == frozenset()


def test_a_folder_named_like_a_report_is_ignored(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "run", run_started(), cell_started(), cell_finished())
    (folder / "1_2_2.html").mkdir()

    assert read_run(folder).reports == frozenset()


def test_an_error_in_the_yield_callback_ends_the_poll(tmp_path: Path) -> None:
    class StopReadingError(Exception):
        pass

    def stop_reading() -> None:
        raise StopReadingError

    folder = write_journal(tmp_path / "run", run_started())

    with pytest.raises(StopReadingError):
        RunReader(folder, yield_cpu=stop_reading).poll()


def test_findings_of_an_older_journal_get_their_rule_ids(tmp_path: Path) -> None:
    _, _, named = last_cell("few_samples", tmp_path)

    assert [finding.rule for finding in named.findings] == ["few_samples"]
    assert named.findings[0].limit == 200


def test_unrecognised_findings_of_an_older_journal_stay_unrecorded(
    tmp_path: Path,
) -> None:
    unrecognised = cell_finished(verdict=Verdict.SUSPECT, reasons=("text of an old rule",))
    folder = write_journal(tmp_path / "run", run_started(), cell_started(), unrecognised)
    finished_ = read_run(folder).state.cells["m1_u2_s2"].finished

    assert finished_ is not None
    assert finished_.findings == unrecognised.findings


def test_the_end_of_a_search_completes_the_recommendation(tmp_path: Path) -> None:
    def measure(cell: Cell) -> CellEnd:
        return with_p95(cell, GOAL_MS * cell.level.amount / 25)

    started = run_started(search_profile(models=[1]), cells=())
    _, probes, stop = searched(search_started(search_profile(models=[1])), measure)
    events: list[Event] = []
    for probe in probes:
        begun = CellStarted(cell=probe.cell.key, attempt=1)
        events += [planned(probe), begun, measure(probe.cell)]
    folder = write_journal(tmp_path / "run", started, *events)
    reader = RunReader(folder)
    found = reader.poll().recommendation
    assert found is not None
    assert not found.is_complete

    write_journal(folder, ended(stop), DONE)
    found = reader.poll().recommendation
    assert found is not None
    assert found.is_complete
