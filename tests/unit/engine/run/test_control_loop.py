"""How often the control loop saves the summary, and which summaries it keeps."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.events import Result
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY, CellStatus, fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.report.export.summary import summary_json, write_summary
from loadbench.engine.run.control_loop import ControlLoop
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

PROFILE = make_profile(users=range(1, 101))
KEYS = [f"m1_u{users}_s2" for users in PROFILE.users]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalWriter]:
    writer = JournalWriter(tmp_path)
    yield writer
    writer.close()


@pytest.fixture
def control(tmp_path: Path, journal: JournalWriter) -> ControlLoop:
    control = ControlLoop(tmp_path, journal, EMPTY)
    control.emit(run_started(PROFILE))
    return control


def measure(control: ControlLoop, key: str) -> None:
    control.emit(cell_started(key))
    control.emit(cell_finished(key))
    control.cell_ended()


def saved_cells(folder: Path) -> int:
    """Return the number of cells with results in the saved summary."""
    with (folder / "summary.csv").open() as file:
        return sum(row["requests"] != "" for row in csv.DictReader(file))


def test_the_saved_summary_lags_by_less_than_a_twentieth_of_the_ended_cells(
    control: ControlLoop, tmp_path: Path
) -> None:
    saved = []
    for number, key in enumerate(KEYS, start=1):
        measure(control, key)
        saved.append(saved_cells(tmp_path))
        assert number - saved[-1] < 0.05 * number

    assert saved[:20] == list(range(1, 21))
    # For each of the first 20 cells, then for every second to fifth.
    assert len(set(saved)) == 45


def test_the_summary_is_complete_when_the_run_pauses_or_ends(
    control: ControlLoop, tmp_path: Path
) -> None:
    for key in KEYS[:22]:
        measure(control, key)
    measure(control, KEYS[22])
    assert saved_cells(tmp_path) == 22

    control.save_summary()
    assert saved_cells(tmp_path) == 23

    measure(control, KEYS[23])
    control.finish(Result.STOPPED, "on request")
    assert saved_cells(tmp_path) == 24
    assert (tmp_path / "summary.json").read_text() == summary_json(control.state)


def test_an_unchanged_summary_is_not_written_again(control: ControlLoop, tmp_path: Path) -> None:
    measure(control, KEYS[0])
    (tmp_path / "summary.csv").unlink()

    control.save_summary()

    assert not (tmp_path / "summary.csv").exists()


def test_a_summary_that_knows_more_than_the_journal_is_kept_and_noted_once(
    control: ControlLoop, tmp_path: Path
) -> None:
    write_summary(state_after(run_started(PROFILE), *map(cell_finished, KEYS[:3])), tmp_path)
    before = (tmp_path / "summary.json").read_text()

    for key in (KEYS[0], KEYS[1]):
        measure(control, key)
    control.finish(Result.STOPPED, "on request")

    assert (tmp_path / "summary.json").read_text() == before
    state = fold(JournalReader(tmp_path).poll())
    assert state.count(CellStatus.FINISHED) == 2
    notes = [message.text for message in state.messages if "are kept" in message.text]
    assert len(notes) == 1
    assert "the results of m1_u2_s2, m1_u3_s2. To" in notes[0]


def test_the_summary_is_replaced_once_the_run_knows_as_much(
    control: ControlLoop, tmp_path: Path
) -> None:
    write_summary(state_after(run_started(PROFILE), *map(cell_finished, KEYS[:3])), tmp_path)
    for key in KEYS[:4]:
        measure(control, key)

    assert saved_cells(tmp_path) == 4
