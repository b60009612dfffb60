"""An attempt at a cell as read from the journal, and its phases."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadbench.engine.journal.codec import FILE_NAME, VERSION
from loadbench.engine.journal.events import (
    CellPhase,
    ErrorCount,
    Event,
    Note,
    Phase,
    Result,
    RunFinished,
    RunResumed,
)
from loadbench.engine.journal.phases import PhaseStart
from loadbench.engine.journal.reader import JournalReader, read_attempt
from loadbench.engine.journal.state import CellStatus, RunState, fold
from loadbench.errors import JournalError
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    entries,
    make_cell,
    make_profile,
    run_started,
    sample,
    state_after,
    write_journal,
)
from tests.support.harness import REPOSITORY

JOURNALS = REPOSITORY / "tests" / "journals"


FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"
PROFILE = make_profile(models=[1, 2, 3])
STARTED = run_started(PROFILE)
RESUMED = RunResumed(pid=7, retry=(), hardware={}, versions={})
STOPPED = RunFinished(result=Result.STOPPED, reason="on request")


def phase(name: Phase, cell: str = FIRST) -> CellPhase:
    """Return the event of a cell that enters a phase."""
    return CellPhase(cell=cell, phase=name)


# An attempt at a cell


def attempt(folder: Path, cell: str, *events: Event) -> list[Event]:
    """Write events and return those that are read for a cell's latest attempt."""
    write_journal(folder, STARTED, *events)
    return [entry.event for entry in read_attempt(folder, cell)]


def test_an_attempt_is_read_with_its_samples_up_to_its_end(tmp_path: Path) -> None:
    mine = (cell_started(), phase(Phase.RAMPING), sample(second=0), sample(second=1))

    found = attempt(tmp_path, FIRST, *mine, cell_finished(), cell_started(SECOND))

    assert found == [STARTED, *mine]


@pytest.mark.parametrize(
    "end",
    [cell_finished(), cell_failed(), cell_skipped(), RESUMED, STOPPED],
    ids=lambda event: event.type,
)
def test_the_entry_that_ends_an_attempt_is_excluded(tmp_path: Path, end: Event) -> None:
    mine = (cell_started(), sample())

    assert attempt(tmp_path, FIRST, *mine, end, Note(text="later")) == [STARTED, *mine]


def test_only_the_latest_attempt_is_read(tmp_path: Path) -> None:
    before = (cell_started(), sample(second=0), cell_finished(), cell_started(SECOND))
    latest = (cell_started(attempt=2), sample(second=5, attempt=2))

    assert attempt(tmp_path, FIRST, *before, *latest) == [STARTED, *latest]


def test_an_attempt_without_an_end_is_replaced_by_the_next(tmp_path: Path) -> None:
    lost = (cell_started(), sample(), Note(text="Locust was killed"))
    latest = (cell_started(attempt=2), sample(attempt=2))

    assert attempt(tmp_path, FIRST, *lost, *latest) == [STARTED, *latest]


def test_an_attempt_extends_to_the_end_of_an_interrupted_journal(tmp_path: Path) -> None:
    mine = (cell_started(), sample(), sample(second=1))

    assert attempt(tmp_path, FIRST, *mine) == [STARTED, *mine]


def test_other_events_during_an_attempt_are_included(tmp_path: Path) -> None:
    mine = (
        *(cell_started(), sample(), answered("pause"), cell_skipped(SECOND, attempt=0)),
        *(Note(text="n"), sample(second=1)),
    )

    assert attempt(tmp_path, FIRST, *mine, cell_finished()) == [STARTED, *mine]


def test_an_added_cell_is_read_with_the_answer_that_added_it(tmp_path: Path) -> None:
    added = answered("add", "m4_u2_s2", added=(make_cell(4),))
    mine = (cell_started("m4_u2_s2"), sample("m4_u2_s2"))
    events = (cell_started(), sample(), added, answered("pause"), answered("resume"), *mine)

    found = attempt(tmp_path, "m4_u2_s2", *events, cell_finished("m4_u2_s2"))

    assert found == [STARTED, added, *mine]
    assert fold(read_attempt(tmp_path, "m4_u2_s2")).current == "m4_u2_s2"


def test_attempts_at_other_cells_are_excluded(tmp_path: Path) -> None:
    mine = (cell_started(), sample())

    found = attempt(tmp_path, FIRST, *mine, cell_finished(), cell_started(SECOND), sample(SECOND))

    assert found == [STARTED, *mine]


def test_a_cell_key_with_the_same_prefix_is_a_different_cell(tmp_path: Path) -> None:
    longer = f"{FIRST}_r2"

    found = attempt(tmp_path, FIRST, cell_started(), cell_finished(), cell_started(longer))

    assert found == [STARTED, cell_started()]


@pytest.mark.parametrize("cell", [THIRD, "m9_u9_s9", "", '"', "strange\nname"])
def test_a_cell_that_never_started_has_no_attempt(tmp_path: Path, cell: str) -> None:
    assert attempt(tmp_path, cell, cell_started(), sample(), cell_skipped(THIRD)) == [STARTED]


def test_a_cell_key_in_the_text_of_a_note_is_ignored(tmp_path: Path) -> None:
    note = Note(text='{"type":"cell_started","cell":"m3_u2_s2"}')

    assert attempt(tmp_path, THIRD, cell_started(), note) == [STARTED]


def test_skipping_a_measured_cell_keeps_its_attempt(tmp_path: Path) -> None:
    mine = (cell_started(), sample())
    after = (answered("again", FIRST), cell_skipped(FIRST, attempt=1))

    assert attempt(tmp_path, FIRST, *mine, cell_finished(), *after) == [STARTED, *mine]


def test_a_missing_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        list(read_attempt(tmp_path, FIRST))


def test_an_unsupported_major_version_is_an_error(tmp_path: Path) -> None:
    file = write_journal(tmp_path, STARTED, cell_started()) / FILE_NAME
    file.write_text(file.read_text().replace(f'"v":{VERSION},', '"v":9,'))

    with pytest.raises(JournalError, match="format version 9"):
        list(read_attempt(tmp_path, FIRST))


def test_a_journal_without_a_run_has_no_attempt(tmp_path: Path) -> None:
    write_journal(tmp_path, cell_started(), sample())

    assert list(read_attempt(tmp_path, FIRST)) == []


def golden(name: str, folder: Path) -> Path:
    """Copy a golden journal into a folder."""
    shutil.copy(JOURNALS / f"{name}.jsonl", folder / FILE_NAME)
    return folder


@pytest.mark.parametrize(
    ("journal", "cell", "number", "seconds", "last"),
    [
        ("demo", "m1_u2_s8", 1, 13, Phase.DRAINING),
        ("demo", "m2_u8_s8", 1, 18, Phase.DRAINING),
        ("faults", "m1_u1_s8", 1, 7, Phase.MEASURING),
        ("faults", "m1_u2_s8", 2, 11, Phase.DRAINING),
        ("faults", "m1_u3_s8", 1, 7, Phase.MEASURING),
        ("faults", "m2_u2_s8", 1, 7, Phase.MEASURING),
        ("interrupted", "m1_u8_s8", 2, 11, Phase.MEASURING),
        ("containers", "m1_u16_s20", 1, 1, Phase.SETTLING),
        ("containers", "m2_u16_s20", 1, 3, Phase.SETTLING),
    ],
)
def test_attempts_of_recorded_runs_are_read_completely(
    tmp_path: Path, journal: str, cell: str, number: int, seconds: int, last: Phase
) -> None:
    state = fold(read_attempt(golden(journal, tmp_path), cell))

    assert (state.current, state.phase) == (cell, last)
    assert state.cells[cell].status is CellStatus.RUNNING
    assert state.cells[cell].attempt == number
    assert [each.second for each in state.samples] == list(range(seconds))
    assert {each.cell for each in state.samples} == {cell}


@pytest.mark.parametrize(
    ("journal", "cell"), [("faults", "m2_u3_s8"), ("faults", "m2_u4_s8"), ("demo", "m9_u9_s9")]
)
def test_cells_of_recorded_runs_that_never_started_have_no_attempt(
    tmp_path: Path, journal: str, cell: str
) -> None:
    (entry,) = read_attempt(golden(journal, tmp_path), cell)

    assert entry.seq == 1


def test_a_recorded_attempt_has_the_requests_of_its_result(tmp_path: Path) -> None:
    whole = fold(JournalReader(golden("demo", tmp_path)).poll())

    for key, cell in whole.cells.items():
        state = fold(read_attempt(tmp_path, key))
        measured = state.samples_in(Phase.MEASURING)
        responses = sum(n for part in measured for one in part.requests for _, n in one.successes)
        assert cell.finished is not None
        # Samples also count responses to requests that started before the window.
        assert responses == pytest.approx(cell.finished.completed, rel=0.2)


KEYS = (FIRST, SECOND, THIRD)


@st.composite
def runs(draw: st.DrawFn) -> list[Event]:
    """Generate events that a runner may write: successive attempts with other events between."""
    written: list[Event] = [STARTED]
    attempts = dict.fromkeys(KEYS, 0)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=6)):
        attempts[key] += 1
        written += [cell_started(key, attempts[key]), phase(Phase.MEASURING, key)]
        for second in range(draw(st.integers(0, 3))):
            written.append(sample(key, second, attempt=attempts[key]))
            others = [cell_skipped(other) for other in KEYS if other != key]
            written += draw(st.sampled_from([[], [], [Note(text="n")], others[:1]]))
        ends = [cell_finished(key), cell_failed(key), cell_skipped(key), RESUMED]
        written += draw(st.sampled_from([[], *[[end] for end in ends], [STOPPED, RESUMED]]))
    return written


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(written=runs(), cell=st.sampled_from(KEYS))
def test_an_attempt_folds_to_the_state_of_the_run_at_its_end(
    written: list[Event], cell: str
) -> None:
    # The last state in which the cell is current is the state at the end of its attempt.
    expected: RunState | None = None
    state = RunState()
    for entry in entries(written):
        state = state.apply(entry)
        if state.current == cell and not state.finished:
            expected = state

    with tempfile.TemporaryDirectory() as name:
        found = fold(read_attempt(write_journal(Path(name), *written), cell))

    if expected is None:
        assert found.current is None
        assert not found.samples
    else:
        assert (found.current, found.phase) == (cell, expected.phase)
        assert [(start.phase, start.second) for start in found.phases] == [
            (start.phase, start.second) for start in expected.phases
        ]
        assert found.samples == expected.samples
        assert found.cells[cell].attempt == expected.cells[cell].attempt


# Dropping samples


@pytest.mark.parametrize(
    ("most", "kept"), [(0, []), (1, [3]), (2, [2, 3]), (4, [0, 1, 2, 3]), (99, [0, 1, 2, 3])]
)
def test_all_samples_but_the_newest_are_dropped(tmp_path: Path, most: int, kept: list[int]) -> None:
    samples = [sample(second=second) for second in range(4)]
    write_journal(tmp_path, STARTED, cell_started(), *samples[:3], Note(text="n"), samples[3])
    reader = JournalReader(tmp_path)
    lines = list(JournalReader(tmp_path).lines())

    found = list(reader.wanted(max_samples=most))

    expected = [lines[i] for i in (0, 1)] + [lines[2 + i] for i in kept if i < 3]
    assert found == [*expected, lines[5], *[lines[6] for i in kept if i == 3]]
    assert reader.has_dropped_samples == (most < len(samples))


def test_a_note_that_looks_like_a_sample_is_kept(tmp_path: Path) -> None:
    write_journal(tmp_path, Note(text='{"type":"sample"'))

    assert len(list(JournalReader(tmp_path).wanted(max_samples=0))) == 1


def test_the_attempt_at_a_cell_added_by_a_resume_is_read_with_its_samples(tmp_path: Path) -> None:
    cell = make_cell(3, 10, 5)
    resumed = replace(RESUMED, added=(cell,))
    begun = (cell_started(cell.key), sample(cell.key), sample(cell.key, second=1))
    write_journal(tmp_path, STARTED, STOPPED, resumed, *begun, cell_finished(cell.key))

    state = fold(read_attempt(tmp_path, cell.key))

    assert state.current == cell.key
    assert len(state.samples) == 2


# Phases and their samples, stopping


def test_a_phase_starts_with_the_second_after_the_newest_sample() -> None:
    state = state_after(
        *(STARTED, cell_started(), phase(Phase.RAMPING), phase(Phase.SETTLING)),
        *(sample(second=0), sample(second=1), phase(Phase.MEASURING)),
    )

    assert state.phases == (
        PhaseStart(Phase.RAMPING, 0, 3.0),
        PhaseStart(Phase.SETTLING, 0, 4.0),
        PhaseStart(Phase.MEASURING, 2, 7.0),
    )


@pytest.mark.parametrize(
    "after", [cell_started(attempt=2), cell_finished(), cell_failed(), cell_skipped(), RESUMED]
)
def test_a_new_attempt_starts_without_phases(after: Event) -> None:
    state = state_after(STARTED, cell_started(), phase(Phase.RAMPING), after)

    assert state.phases == ()


def test_samples_of_a_phase_end_where_the_next_phase_starts() -> None:
    state = state_after(
        *(STARTED, cell_started(), phase(Phase.SETTLING), sample(second=0), sample(second=1)),
        *(phase(Phase.MEASURING), sample(second=2), sample(second=3)),
    )

    def seconds(name: Phase) -> list[int]:
        return [part.second for part in state.samples_in(name)]

    assert seconds(Phase.SETTLING) == [0, 1]
    assert seconds(Phase.MEASURING) == [2, 3]
    assert seconds(Phase.DRAINING) == []


def test_a_phase_that_has_just_started_has_no_samples() -> None:
    state = state_after(STARTED, cell_started(), sample(second=0), phase(Phase.MEASURING))

    assert list(state.samples_in(Phase.MEASURING)) == []
    assert list(state_after(STARTED).samples_in(Phase.MEASURING)) == []


def test_samples_of_a_phase_are_counted_from_the_first_available_sample() -> None:
    # A viewer that attaches late may have only the newest samples.
    state = state_after(STARTED, cell_started(), *(sample(second=second) for second in (5, 6)))
    late = replace(state, phases=(PhaseStart(Phase.MEASURING, 6),))
    early = replace(state, phases=(PhaseStart(Phase.MEASURING, 2),))

    assert [part.second for part in late.samples_in(Phase.MEASURING)] == [6]
    assert [part.second for part in early.samples_in(Phase.MEASURING)] == [5, 6]


def test_a_run_is_stopping_once_the_stop_is_accepted() -> None:
    assert state_after(STARTED, cell_started(), answered("stop")).stopping
    assert not state_after(STARTED, cell_started(), answered("stop", accepted=False)).stopping
    assert not state_after(STARTED, cell_started(), answered("pause")).stopping


@pytest.mark.parametrize("after", [STOPPED, RESUMED], ids=["finished", "resumed"])
def test_a_finished_or_resumed_run_is_not_stopping(after: Event) -> None:
    assert not state_after(STARTED, cell_started(), answered("stop"), after).stopping


def test_a_sample_contains_the_errors_of_its_second(tmp_path: Path) -> None:
    failing = sample(errors=(ErrorCount(error="503", count=2),))
    write_journal(tmp_path, STARTED, cell_started(), failing)

    assert fold(JournalReader(tmp_path).poll()).samples[0].errors == failing.errors


def test_samples_of_earlier_versions_have_no_errors(tmp_path: Path) -> None:
    file = write_journal(tmp_path, STARTED, cell_started(), sample()) / FILE_NAME
    text = file.read_text()
    assert '"errors":[]' in text
    file.write_text(text.replace(',"errors":[]', ""))

    assert fold(JournalReader(tmp_path).poll()).samples[0].errors == ()
