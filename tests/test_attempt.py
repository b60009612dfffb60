"""One attempt read back, the current phase, and other small things that the screens ask for."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    entries,
    make_profile,
    run_started,
    sample,
    state_after,
    write_journal,
)
from harness import Bench
from loadbench.engine.events import (
    CellPhase,
    ErrorCount,
    Event,
    Note,
    Phase,
    Result,
    RunFinished,
    RunResumed,
    Verdict,
)
from loadbench.engine.files import Tail, existing
from loadbench.engine.journal import (
    FILE_NAME,
    VERSION,
    JournalReader,
    read_attempt,
    without_samples,
)
from loadbench.engine.launch import Order, Preview, preview
from loadbench.engine.plan import plan_cells
from loadbench.engine.profile import Goals
from loadbench.engine.progress import phase_length_s
from loadbench.engine.report.goals import best, missed
from loadbench.engine.report.rows import Row, rows
from loadbench.engine.runs import (
    Rest,
    Run,
    RunStatus,
    find_folder,
    report_of,
    rest_of,
)
from loadbench.engine.state import CellStatus, PhaseStart, RunState, fold
from loadbench.errors import JournalError, ProfileError, RefusedError, UsageError
from loadbench.in_locust.recorder import Recorder
from loadbench.workspace import Workspace

JOURNALS = Path(__file__).parent / "journals"
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
        read_attempt(tmp_path, FIRST)


def test_an_attempt_of_another_major_version_is_refused(tmp_path: Path) -> None:
    file = write_journal(tmp_path, BEGUN, cell_started()) / FILE_NAME
    file.write_text(file.read_text().replace(f'"v":{VERSION},', '"v":9,'))

    with pytest.raises(JournalError, match="format version 9"):
        read_attempt(tmp_path, FIRST)


def test_a_journal_in_which_no_run_began_has_no_attempt(tmp_path: Path) -> None:
    write_journal(tmp_path, cell_started(), sample())

    assert read_attempt(tmp_path, FIRST) == []


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
        measured = state.samples_since(Phase.MEASURING)
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


def lines_of(*events: Event) -> list[bytes]:
    """The lines of a journal."""
    with tempfile.TemporaryDirectory() as name:
        return JournalReader(write_journal(Path(name), *events)).lines()


@pytest.mark.parametrize(
    ("but_last", "kept"), [(0, []), (1, [3]), (2, [2, 3]), (4, [0, 1, 2, 3]), (99, [0, 1, 2, 3])]
)
def test_all_samples_but_the_last_are_left_out(but_last: int, kept: list[int]) -> None:
    samples = [sample(second=second) for second in range(4)]
    lines = lines_of(BEGUN, cell_started(), *samples[:3], Note(text="n"), samples[3])

    left = without_samples(lines, but_last=but_last)

    expected = [lines[i] for i in (0, 1)] + [lines[2 + i] for i in kept if i < 3]
    assert left == [*expected, lines[5], *[lines[6] for i in kept if i == 3]]


def test_a_note_about_samples_is_none() -> None:
    lines = lines_of(Note(text='{"type":"sample"'))

    assert without_samples(lines, but_last=0) == lines


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


def test_the_samples_of_a_phase_are_those_since_it_began() -> None:
    state = state_after(
        *(BEGUN, cell_started(), phase(Phase.SETTLING), sample(second=0), sample(second=1)),
        *(phase(Phase.MEASURING), sample(second=2), sample(second=3)),
    )

    def since(which: Phase) -> list[int]:
        return [it.second for it in state.samples_since(which)]

    assert since(Phase.SETTLING) == [0, 1, 2, 3]
    assert since(Phase.MEASURING) == [2, 3]
    assert since(Phase.DRAINING) == []


def test_a_phase_that_has_just_begun_has_no_samples() -> None:
    state = state_after(BEGUN, cell_started(), sample(second=0), phase(Phase.MEASURING))

    assert list(state.samples_since(Phase.MEASURING)) == []
    assert list(state_after(BEGUN).samples_since(Phase.MEASURING)) == []


def test_samples_of_a_phase_are_counted_from_the_first_there_is() -> None:
    # A viewer that came late may have the newest samples alone.
    state = state_after(BEGUN, cell_started(), *(sample(second=second) for second in (5, 6)))
    late = replace(state, phases=(PhaseStart(Phase.MEASURING, 6),))
    early = replace(state, phases=(PhaseStart(Phase.MEASURING, 2),))

    assert [it.second for it in late.samples_since(Phase.MEASURING)] == [6]
    assert [it.second for it in early.samples_since(Phase.MEASURING)] == [5, 6]


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


# The end of a growing file


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten lines of ten bytes."""
    file = tmp_path / "stack.log"
    file.write_bytes(b"".join(b"line %04d\n" % number for number in range(10)))
    return file


@pytest.mark.parametrize(
    ("last_bytes", "number"), [(100, 10), (1000, 10), (99, 9), (95, 9), (25, 2), (5, 0)]
)
def test_a_tail_begins_with_a_whole_line_near_the_end(
    log: Path, last_bytes: int, number: int
) -> None:
    lines = Tail(log, last_bytes=last_bytes).poll()

    assert lines == [b"line %04d" % it for it in range(10 - number, 10)]


def test_a_tail_goes_on_with_what_is_added(log: Path) -> None:
    tail = Tail(log, last_bytes=25)
    assert len(tail.poll()) == 2

    with log.open("ab") as file:
        file.write(b"more\nhalf a li")
    assert tail.poll() == [b"more"]
    with log.open("ab") as file:
        file.write(b"ne\n")

    assert tail.poll() == [b"half a line"]
    assert tail.poll() == []


def test_a_tail_that_begins_before_its_file_reads_all_of_it(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "later.log", last_bytes=3)
    with pytest.raises(FileNotFoundError):
        tail.poll()

    (tmp_path / "later.log").write_bytes(b"a\n")

    assert tail.poll() == [b"a"]


def test_without_a_limit_a_tail_begins_at_the_beginning(log: Path) -> None:
    assert len(Tail(log).poll()) == 10


@given(st.lists(st.binary(max_size=12).map(lambda it: it.replace(b"\n", b"")), max_size=12))
@settings(max_examples=50)
def test_a_tail_has_the_last_lines_however_few_bytes(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "log"
        data = b"".join(line + b"\n" for line in lines)
        file.write_bytes(data)
        for last_bytes in range(len(data) + 2):
            found = Tail(file, last_bytes=last_bytes).poll()
            assert found == lines[len(lines) - len(found) :]
            assert sum(len(line) + 1 for line in found) <= last_bytes
            assert last_bytes < len(data) or found == lines


# A folder that is there


def test_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    assert existing(tmp_path) == tmp_path
    assert existing(tmp_path / "a" / "b" / "c") == tmp_path
    (tmp_path / "a").mkdir()
    assert existing(tmp_path / "a" / "b" / "c") == tmp_path / "a"


def test_a_relative_folder_that_is_not_there_is_in_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert existing(Path("a/b")) == Path()


# Goals


def row(key: str = FIRST, **changes: Any) -> Row:
    """A cell that was measured, with 40 requests a second."""
    state = state_after(BEGUN, cell_started(key), cell_finished(key))
    found = next(it for it in rows(state) if it.cell == key)
    return replace(found, **changes)


def test_the_best_cell_has_the_most_requests_a_second() -> None:
    found = best([row(FIRST, rps=10.0), row(SECOND, rps=30.0), row(THIRD, rps=20.0)], Goals())

    assert found is not None
    assert found.cell == SECOND


def test_of_equals_the_best_has_fewer_models() -> None:
    found = best([row(THIRD), row(FIRST), row(SECOND)], Goals())

    assert found is not None
    assert found.cell == FIRST


@pytest.mark.parametrize("verdict", ["suspect", "invalid", "failed", "skipped", "pending"])
def test_only_valid_cells_can_be_the_best(verdict: str) -> None:
    assert Verdict.VALID.value == row().verdict
    assert best([row(verdict=verdict)], Goals()) is None


def test_a_cell_that_misses_a_goal_is_not_the_best() -> None:
    slow, failing, good = (
        row(FIRST, rps=90.0, p95_ms=51.0),
        row(SECOND, rps=80.0, failure_ratio=0.02),
        row(THIRD, rps=10.0, p95_ms=50.0, failure_ratio=0.01),
    )
    goals = Goals(p95_ms=50, failure_ratio=0.01)

    found = best([slow, failing, good], goals)

    assert found is not None
    assert found.cell == THIRD
    assert best([slow, failing], goals) is None


def test_without_a_cell_there_is_no_best() -> None:
    assert best([], Goals()) is None


def test_a_goal_that_is_missed_is_told_with_both_numbers() -> None:
    goals = Goals(p95_ms=50, failure_ratio=0)

    assert missed(row(p95_ms=51.5, failure_ratio=0.25), goals) == [
        "m1_u2_s2: p95 51.5 ms, the goal is 50 ms",
        "m1_u2_s2: failure ratio 0.25, the goal is 0",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"p95_ms": 50.0, "failure_ratio": 0.1},
        {"p95_ms": 1.0, "failure_ratio": 0.0},
        {"p95_ms": None, "failure_ratio": None},
    ],
)
def test_a_goal_that_is_just_reached_is_not_missed(changes: dict[str, Any]) -> None:
    assert missed(row(**changes), Goals(p95_ms=50, failure_ratio=0.1)) == []


def test_without_goals_none_is_missed() -> None:
    assert missed(row(p95_ms=1e6, failure_ratio=1.0), Goals()) == []


# What is left of a run


def run(*events: Event, status: RunStatus, folder: Path = Path("/nowhere/demo/x")) -> Run:
    """A run of three cells."""
    return Run(folder, state_after(BEGUN, *events), status)


ALL_OVER = tuple(event for key in KEYS for event in (cell_started(key), cell_finished(key)))


def test_of_a_run_that_was_left_in_a_cell_that_cell_and_those_after_it_are_left() -> None:
    events = (cell_started(), cell_finished(), cell_started(SECOND))

    assert rest_of(run(*events, status=RunStatus.INTERRUPTED)) == Rest(2, retry_failed=False)
    assert rest_of(run(*events, STOPPED, status=RunStatus.STOPPED)) == Rest(2, retry_failed=False)


def test_failed_cells_are_left_once_all_are_over() -> None:
    failed = (*ALL_OVER[:2], *(cell_started(SECOND), cell_failed(SECOND)))

    assert rest_of(run(*failed, status=RunStatus.STOPPED)) == Rest(1, retry_failed=False)
    over = (*failed, cell_skipped(THIRD))
    assert rest_of(run(*over, status=RunStatus.DONE)) == Rest(1, retry_failed=True)


def test_of_a_live_run_and_of_a_whole_one_nothing_is_left() -> None:
    assert rest_of(run(cell_started(), status=RunStatus.LIVE)) is None
    assert rest_of(run(*ALL_OVER, status=RunStatus.DONE)) is None


def test_a_cell_that_was_measured_has_the_report_that_locust_wrote(tmp_path: Path) -> None:
    over = run(*ALL_OVER, status=RunStatus.DONE, folder=tmp_path)
    assert report_of(over, FIRST) is None

    (tmp_path / "1_2_2.html").touch()

    assert report_of(over, FIRST) == tmp_path / "1_2_2.html"
    assert report_of(over, SECOND) is None


@pytest.mark.parametrize(
    "after",
    [
        (cell_started(attempt=2),),
        (cell_started(attempt=2), cell_failed(attempt=2)),
        (answered("again", FIRST),),
        (answered("again", FIRST), cell_skipped()),
    ],
)
def test_a_report_of_an_attempt_before_is_none(tmp_path: Path, after: tuple[Event, ...]) -> None:
    (tmp_path / "1_2_2.html").touch()
    events = (cell_started(), cell_finished(), *after)

    assert report_of(run(*events, status=RunStatus.LIVE, folder=tmp_path), FIRST) is None


def test_a_folder_is_found_although_its_journal_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "20261122-072100"
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text("no journal\n")

    assert find_folder("demo", tmp_path) == folder
    assert find_folder(str(folder), tmp_path / "elsewhere") == folder
    assert find_folder(None, tmp_path) == folder
    with pytest.raises(UsageError, match="no run 'other'"):
        find_folder("other", tmp_path)
    with pytest.raises(UsageError, match="no live run"):
        find_folder("demo", tmp_path, live=True)


# How long a phase takes


@pytest.mark.parametrize(
    ("which", "length_s"),
    [
        (Phase.SCALING, None),
        (Phase.RAMPING, 4.0),
        (Phase.SETTLING, 30.0),
        (Phase.MEASURING, 60.0),
        (Phase.DRAINING, None),
    ],
)
def test_a_phase_takes_what_the_profile_says(which: Phase, length_s: float | None) -> None:
    profile = make_profile(users=[10], run_time="60s", settle={"max": "30s"})
    key = plan_cells(profile)[0].key
    state = state_after(run_started(profile), cell_started(key), phase(which, key))

    assert phase_length_s(profile, state) == length_s


def test_without_a_phase_nobody_knows_how_long_it_takes() -> None:
    assert phase_length_s(PROFILE, state_after(BEGUN)) is None
    assert phase_length_s(PROFILE, state_after(BEGUN, cell_started())) is None


# What a run would be

EXTERNAL = """
models: [1]
users: [2, 4]
spawn_rates: [10]
run_time: 10s
settle: {max: 0s}
host: http://127.0.0.1:9
stack: {driver: external}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A workspace for a service that runs already."""
    made = Bench.make(tmp_path, EXTERNAL, "mine")
    yield made
    made.close()


def ask(bench: Bench, file: Path | None = None, **fields: Any) -> Preview:
    """Ask the runner's program what a run would be."""
    workspace = Workspace(bench.root, bench.reports)
    name = str(file or bench.root / "profiles" / "mine.yaml")
    return preview(Order.of(workspace, **{"profile_file": name, **fields}))


def test_a_preview_tells_the_driver_its_warnings_and_the_space(bench: Bench) -> None:
    found = ask(bench)

    assert (found.driver, found.driver_reason) == ("external", "the profile asks for it")
    assert found.warnings == (
        "settle.max is 0s: cells are measured without waiting for steady numbers",
    )
    assert found.needed_bytes == 20_000_000 + 2 * (1_000_000 + 10 * 3_000)
    assert found.free_bytes > 0


def test_a_preview_leaves_nothing_behind(bench: Bench, state_home: Path) -> None:
    before = sorted(bench.root.rglob("*"))

    ask(bench)

    assert sorted(bench.root.rglob("*")) == before
    assert not bench.reports.exists()
    assert not state_home.exists()


def test_a_preview_heeds_what_is_given_with_the_file(bench: Bench) -> None:
    found = ask(bench, overrides=("users=1,2,3", "settle.max=30s"))

    assert found.warnings == ()
    assert found.needed_bytes == 20_000_000 + 3 * (1_000_000 + 40 * 3_000)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (EXTERNAL.replace("host: http://127.0.0.1:9\n", ""), r"external needs `host`"),
        (EXTERNAL.replace("[2, 4]", "[ten]"), r"mine\.yaml:3: users\[0\]: 'ten'"),
        (EXTERNAL + "load: {locustfile: gone.py}\n", r"load\.locustfile: .*gone\.py is not a file"),
        ("", "the file is empty"),
    ],
)
def test_a_preview_of_a_broken_profile_tells_its_mistake(
    bench: Bench, text: str, problem: str
) -> None:
    bench.save_profile(text, "mine")

    with pytest.raises(ProfileError, match=problem):
        ask(bench)
    assert not bench.reports.exists()


def test_a_preview_of_a_profile_that_is_gone_says_so(bench: Bench) -> None:
    with pytest.raises(ProfileError, match=r"gone\.yaml: No such file"):
        ask(bench, bench.root / "profiles" / "gone.yaml")


def resumable(bench: Bench, *events: Event) -> Path:
    """A run of the bench's profile that is not live."""
    file = bench.root / "profiles" / "mine.yaml"
    profile = make_profile(
        users=[2, 4],
        spawn_rates=[10],
        run_time="10s",
        settle={"max": "0s"},
        host="http://127.0.0.1:9",
        stack={"driver": "external"},
    )
    begun = replace(
        run_started(profile, workspace=str(bench.root)),
        profile_name="mine",
        profile_file=str(file),
        driver="external",
    )
    return write_journal(bench.reports / "mine" / begun.run, begun, *events)


def test_a_preview_of_going_on_counts_what_is_left(bench: Bench) -> None:
    folder = resumable(bench, cell_started("m1_u2_s10"), cell_finished("m1_u2_s10"))
    before = (folder / FILE_NAME).read_bytes()

    found = ask(bench, resume=str(folder))

    assert found.needed_bytes == 20_000_000 + 1_000_000 + 10 * 3_000
    assert (folder / FILE_NAME).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_a_preview_of_going_on_with_a_run_that_is_over_is_refused(bench: Bench) -> None:
    over = [
        event
        for key in ("m1_u2_s10", "m1_u4_s10")
        for event in (cell_started(key), cell_failed(key))
    ]
    folder = resumable(bench, *over)

    with pytest.raises(UsageError, match="every cell is over; --retry-failed measures its 2"):
        ask(bench, resume=str(folder))
    again = ask(bench, resume=str(folder), retry_failed=True)
    assert again.needed_bytes == 20_000_000 + 2 * (1_000_000 + 10 * 3_000)


def test_a_preview_of_going_on_after_the_profile_has_changed_is_refused(bench: Bench) -> None:
    folder = resumable(bench, cell_started("m1_u2_s10"))
    bench.save_profile(EXTERNAL.replace("run_time: 10s", "run_time: 20s"), "mine")

    with pytest.raises(RefusedError, match=r"has changed since .*: run_time was 10s, is 20s"):
        ask(bench, resume=str(folder))


# Errors by the second


class Clock:
    """A clock that the test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_second_tells_what_failed_in_it() -> None:
    clock = Clock()
    recorder = Recorder(clock, lambda: 0.0)
    recorder.begin("m1_u2_s2.1")

    def request(error: str | None) -> None:
        exception = ValueError(error) if error else None
        recorder.record(request_type="GET", name="/", response_time=5.0, exception=exception)

    for error in ("503", "late", "503", None):
        request(error)
    clock.now += 1
    request("late")
    clock.now += 1
    request(None)
    clock.now += 1
    recorder.close_seconds(users=2)

    assert [second["errors"] for second in recorder.seconds(0)] == [
        [{"error": "503", "count": 2}, {"error": "late", "count": 1}],
        [{"error": "late", "count": 1}],
        [],
    ]


def test_a_second_s_errors_are_as_many_as_its_failures() -> None:
    clock = Clock()
    recorder = Recorder(clock, lambda: 0.0)
    recorder.begin("m1_u2_s2.1")

    for number in range(100):
        recorder.record(
            request_type="GET", name="/", response_time=5.0, exception=ValueError(str(number))
        )
    clock.now += 1
    recorder.close_seconds(users=2)

    (second,) = recorder.seconds(0)
    assert sum(error["count"] for error in second["errors"]) == 100
    assert len(second["errors"]) < 50
    assert second["requests"][0]["failures"] == [(5.0, 100)]


def test_a_tail_begins_with_no_rest_of_a_line_that_is_not_whole_yet(log: Path) -> None:
    log.write_bytes(b"first\n" + b"x" * 1000)
    tail = Tail(log, last_bytes=100)
    assert tail.poll() in ([], [b"first"])

    with log.open("ab") as file:
        file.write(b"yyy\nnext\n")

    assert tail.poll() == [b"x" * 1000 + b"yyy", b"next"]
