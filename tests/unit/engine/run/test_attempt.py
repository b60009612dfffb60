"""An attempt of a cell, read from its journal, and its phases."""

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
from loadbench.engine.journal.reader import JournalReader, read_attempt
from loadbench.engine.journal.state import CellStatus, PhaseStart, RunState, fold
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


BEGUN = run_started(PROFILE)


RESUMED = RunResumed(pid=7, retry=(), hardware={}, versions={})


STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


def phase(name: Phase, cell: str = FIRST) -> CellPhase:
    """The current cell enters a phase."""
    return CellPhase(cell=cell, phase=name)


# An attempt of a cell


def attempt(folder: Path, cell: str, *events: Event) -> list[Event]:
    """What is read of a cell's latest attempt."""
    write_journal(folder, BEGUN, *events)
    return [entry.event for entry in read_attempt(folder, cell)]


def test_an_attempt_is_read_with_its_samples_up_to_its_end(tmp_path: Path) -> None:
    told = (cell_started(), phase(Phase.RAMPING), sample(second=0), sample(second=1))

    found = attempt(tmp_path, FIRST, *told, cell_finished(), cell_started(SECOND))

    assert found == [BEGUN, *told]


@pytest.mark.parametrize(
    "end",
    [cell_finished(), cell_failed(), cell_skipped(), RESUMED, STOPPED],
    ids=lambda it: it.type,
)
def test_whatever_ends_an_attempt_is_no_part_of_it(tmp_path: Path, end: Event) -> None:
    told = (cell_started(), sample())

    assert attempt(tmp_path, FIRST, *told, end, Note(text="later")) == [BEGUN, *told]


def test_only_the_latest_attempt_is_read(tmp_path: Path) -> None:
    before = (cell_started(), sample(second=0), cell_finished(), cell_started(SECOND))
    latest = (cell_started(attempt=2), sample(second=5, attempt=2))

    assert attempt(tmp_path, FIRST, *before, *latest) == [BEGUN, *latest]


def test_an_attempt_that_is_begun_anew_without_an_end_is_forgotten(tmp_path: Path) -> None:
    lost = (cell_started(), sample(), Note(text="Locust was killed"))
    latest = (cell_started(attempt=2), sample(attempt=2))

    assert attempt(tmp_path, FIRST, *lost, *latest) == [BEGUN, *latest]


def test_an_attempt_goes_to_the_end_of_a_journal_that_breaks_off(tmp_path: Path) -> None:
    told = (cell_started(), sample(), sample(second=1))

    assert attempt(tmp_path, FIRST, *told) == [BEGUN, *told]


def test_what_is_said_in_between_is_part_of_it(tmp_path: Path) -> None:
    told = (
        *(cell_started(), sample(), answered("pause"), cell_skipped(SECOND, attempt=0)),
        *(Note(text="n"), sample(second=1)),
    )

    assert attempt(tmp_path, FIRST, *told, cell_finished()) == [BEGUN, *told]


def test_a_cell_that_was_added_is_read_with_the_answer_that_added_it(tmp_path: Path) -> None:
    added = answered("add", "m4_u2_s2", added=(make_cell(4),))
    mine = (cell_started("m4_u2_s2"), sample("m4_u2_s2"))
    events = (cell_started(), sample(), added, answered("pause"), answered("resume"), *mine)

    found = attempt(tmp_path, "m4_u2_s2", *events, cell_finished("m4_u2_s2"))

    assert found == [BEGUN, added, *mine]
    assert fold(read_attempt(tmp_path, "m4_u2_s2")).current == "m4_u2_s2"


def test_another_cell_s_attempt_is_no_part_of_it(tmp_path: Path) -> None:
    mine = (cell_started(), sample())

    found = attempt(tmp_path, FIRST, *mine, cell_finished(), cell_started(SECOND), sample(SECOND))

    assert found == [BEGUN, *mine]


def test_a_cell_whose_name_begins_alike_is_another(tmp_path: Path) -> None:
    longer = f"{FIRST}_r2"

    found = attempt(tmp_path, FIRST, cell_started(), cell_finished(), cell_started(longer))

    assert found == [BEGUN, cell_started()]


@pytest.mark.parametrize("cell", [THIRD, "m9_u9_s9", "", '"', "strange\nname"])
def test_a_cell_that_was_never_begun_has_no_attempt(tmp_path: Path, cell: str) -> None:
    assert attempt(tmp_path, cell, cell_started(), sample(), cell_skipped(THIRD)) == [BEGUN]


def test_a_cell_that_is_only_named_in_what_others_say_is_not_meant(tmp_path: Path) -> None:
    said = Note(text='{"type":"cell_started","cell":"m3_u2_s2"}')

    assert attempt(tmp_path, THIRD, cell_started(), said) == [BEGUN]


def test_a_skip_of_a_cell_that_was_measured_before_leaves_its_attempt(tmp_path: Path) -> None:
    told = (cell_started(), sample())
    after = (answered("again", FIRST), cell_skipped(FIRST, attempt=1))

    assert attempt(tmp_path, FIRST, *told, cell_finished(), *after) == [BEGUN, *told]


def test_an_attempt_of_a_folder_without_a_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        list(read_attempt(tmp_path, FIRST))


def test_an_attempt_of_another_major_version_is_refused(tmp_path: Path) -> None:
    file = write_journal(tmp_path, BEGUN, cell_started()) / FILE_NAME
    file.write_text(file.read_text().replace(f'"v":{VERSION},', '"v":9,'))

    with pytest.raises(JournalError, match="format version 9"):
        list(read_attempt(tmp_path, FIRST))


def test_a_journal_in_which_no_run_began_has_no_attempt(tmp_path: Path) -> None:
    write_journal(tmp_path, cell_started(), sample())

    assert list(read_attempt(tmp_path, FIRST)) == []


def golden(name: str, folder: Path) -> Path:
    """A copy of a golden journal."""
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
def test_attempts_of_real_runs_are_read_whole(
    tmp_path: Path, journal: str, cell: str, number: int, seconds: int, last: Phase
) -> None:
    state = fold(read_attempt(golden(journal, tmp_path), cell))

    assert (state.current, state.phase) == (cell, last)
    assert state.cells[cell].status is CellStatus.RUNNING
    assert state.cells[cell].attempt == number
    assert [it.second for it in state.samples] == list(range(seconds))
    assert {it.cell for it in state.samples} == {cell}


@pytest.mark.parametrize(
    ("journal", "cell"), [("faults", "m2_u3_s8"), ("faults", "m2_u4_s8"), ("demo", "m9_u9_s9")]
)
def test_of_cells_of_real_runs_that_never_began_there_is_no_attempt(
    tmp_path: Path, journal: str, cell: str
) -> None:
    (only,) = read_attempt(golden(journal, tmp_path), cell)

    assert only.seq == 1


def test_a_measured_attempt_of_a_real_run_has_the_requests_of_its_result(tmp_path: Path) -> None:
    whole = fold(JournalReader(golden("demo", tmp_path)).poll())

    for key, cell in whole.cells.items():
        state = fold(read_attempt(tmp_path, key))
        measured = state.samples_in(Phase.MEASURING)
        answers = sum(n for it in measured for one in it.requests for _, n in one.successes)
        assert cell.finished is not None
        # What was asked before the window and answered in it is in the samples alone.
        assert answers == pytest.approx(cell.finished.completed, rel=0.2)


KEYS = (FIRST, SECOND, THIRD)


@st.composite
def runs(draw: st.DrawFn) -> list[Event]:
    """What a runner may write: attempts, one after the other, with whatever may come between."""
    written: list[Event] = [BEGUN]
    tried = dict.fromkeys(KEYS, 0)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=6)):
        tried[key] += 1
        written += [cell_started(key, tried[key]), phase(Phase.MEASURING, key)]
        for second in range(draw(st.integers(0, 3))):
            written.append(sample(key, second, attempt=tried[key]))
            others = [cell_skipped(other) for other in KEYS if other != key]
            written += draw(st.sampled_from([[], [], [Note(text="n")], others[:1]]))
        ends = [cell_finished(key), cell_failed(key), cell_skipped(key), RESUMED]
        written += draw(st.sampled_from([[], *[[end] for end in ends], [STOPPED, RESUMED]]))
    return written


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(written=runs(), cell=st.sampled_from(KEYS))
def test_an_attempt_is_the_run_as_it_was_at_the_end_of_it(written: list[Event], cell: str) -> None:
    # The state is noted for as long as the cell is the current one: so it was at its end.
    noted: RunState | None = None
    state = RunState()
    for entry in entries(written):
        state = state.apply(entry)
        if state.current == cell and not state.finished:
            noted = state

    with tempfile.TemporaryDirectory() as name:
        found = fold(read_attempt(write_journal(Path(name), *written), cell))

    if noted is None:
        assert found.current is None
        assert not found.samples
    else:
        assert (found.current, found.phase, found.phases) == (cell, noted.phase, noted.phases)
        assert found.samples == noted.samples
        assert found.cells[cell].attempt == noted.cells[cell].attempt


# Without samples


@pytest.mark.parametrize(
    ("most", "kept"), [(0, []), (1, [3]), (2, [2, 3]), (4, [0, 1, 2, 3]), (99, [0, 1, 2, 3])]
)
def test_all_samples_but_the_last_are_left_out(tmp_path: Path, most: int, kept: list[int]) -> None:
    samples = [sample(second=second) for second in range(4)]
    write_journal(tmp_path, BEGUN, cell_started(), *samples[:3], Note(text="n"), samples[3])
    reader = JournalReader(tmp_path)
    lines = list(JournalReader(tmp_path).lines())

    left = list(reader.wanted(max_samples=most))

    expected = [lines[i] for i in (0, 1)] + [lines[2 + i] for i in kept if i < 3]
    assert left == [*expected, lines[5], *[lines[6] for i in kept if i == 3]]
    assert reader.has_left_out == (most < len(samples))


def test_a_note_about_samples_is_none(tmp_path: Path) -> None:
    write_journal(tmp_path, Note(text='{"type":"sample"'))

    assert len(list(JournalReader(tmp_path).wanted(max_samples=0))) == 1


# Phases, samples since one, stopping


def test_a_phase_begins_with_the_second_after_those_that_were_told() -> None:
    state = state_after(
        *(BEGUN, cell_started(), phase(Phase.RAMPING), phase(Phase.SETTLING)),
        *(sample(second=0), sample(second=1), phase(Phase.MEASURING)),
    )

    assert state.phases == (
        PhaseStart(Phase.RAMPING, 0),
        PhaseStart(Phase.SETTLING, 0),
        PhaseStart(Phase.MEASURING, 2),
    )


@pytest.mark.parametrize(
    "after", [cell_started(attempt=2), cell_finished(), cell_failed(), cell_skipped(), RESUMED]
)
def test_another_attempt_begins_without_phases(after: Event) -> None:
    state = state_after(BEGUN, cell_started(), phase(Phase.RAMPING), after)

    assert state.phases == ()


def test_the_samples_of_a_phase_are_those_between_its_beginning_and_the_next() -> None:
    state = state_after(
        *(BEGUN, cell_started(), phase(Phase.SETTLING), sample(second=0), sample(second=1)),
        *(phase(Phase.MEASURING), sample(second=2), sample(second=3)),
    )

    def since(which: Phase) -> list[int]:
        return [it.second for it in state.samples_in(which)]

    assert since(Phase.SETTLING) == [0, 1]
    assert since(Phase.MEASURING) == [2, 3]
    assert since(Phase.DRAINING) == []


def test_a_phase_that_has_just_begun_has_no_samples() -> None:
    state = state_after(BEGUN, cell_started(), sample(second=0), phase(Phase.MEASURING))

    assert list(state.samples_in(Phase.MEASURING)) == []
    assert list(state_after(BEGUN).samples_in(Phase.MEASURING)) == []


def test_samples_of_a_phase_are_counted_from_the_first_there_is() -> None:
    # A viewer that came late may have the newest samples alone.
    state = state_after(BEGUN, cell_started(), *(sample(second=second) for second in (5, 6)))
    late = replace(state, phases=(PhaseStart(Phase.MEASURING, 6),))
    early = replace(state, phases=(PhaseStart(Phase.MEASURING, 2),))

    assert [it.second for it in late.samples_in(Phase.MEASURING)] == [6]
    assert [it.second for it in early.samples_in(Phase.MEASURING)] == [5, 6]


def test_a_run_is_being_stopped_once_that_is_accepted() -> None:
    assert state_after(BEGUN, cell_started(), answered("stop")).stopping
    assert not state_after(BEGUN, cell_started(), answered("stop", accepted=False)).stopping
    assert not state_after(BEGUN, cell_started(), answered("pause")).stopping


@pytest.mark.parametrize("after", [STOPPED, RESUMED], ids=["finished", "resumed"])
def test_a_run_that_has_ended_or_goes_on_is_not_being_stopped(after: Event) -> None:
    assert not state_after(BEGUN, cell_started(), answered("stop"), after).stopping


def test_what_failed_in_a_second_is_in_its_sample(tmp_path: Path) -> None:
    told = sample(errors=(ErrorCount(error="503", count=2),))
    write_journal(tmp_path, BEGUN, cell_started(), told)

    assert fold(JournalReader(tmp_path).poll()).samples[0].errors == told.errors


def test_samples_that_were_written_before_errors_were_told_have_none(tmp_path: Path) -> None:
    file = write_journal(tmp_path, BEGUN, cell_started(), sample()) / FILE_NAME
    text = file.read_text()
    assert '"errors":[]' in text
    file.write_text(text.replace(',"errors":[]', ""))

    assert fold(JournalReader(tmp_path).poll()).samples[0].errors == ()
