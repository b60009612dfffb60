"""The highlights of a run, from events and from a golden journal."""

import pytest

from loadbench.engine.journal.codec import SAMPLE_PREFIX
from loadbench.engine.journal.events import (
    CellPhase,
    Container,
    Containers,
    Event,
    Note,
    Phase,
    Result,
    RunFinished,
    RunResumed,
    Verdict,
)
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.report.highlights import (
    CellNumbers,
    Highlight,
    HighlightKind,
    RunProgress,
    cell_outcomes,
    highlights_since,
)
from loadbench.engine.report.metrics import Metric
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    entries,
    make_profile,
    requests,
    run_started,
)
from tests.support.golden import JOURNALS

KEY = "m1_u2_s2"


def after(*events: Event) -> list[Highlight]:
    """The highlights of events after the start of the first cell."""
    before: list[Event] = [run_started(), cell_started()]
    return list(highlights_since(entries([*before, *events]), len(before)))


def model(**fields: object) -> Container:
    """A running container, unless the fields override it."""
    return Container(name="model-1", service="model", **{"state": "running", **fields})  # type: ignore[arg-type]  # keyword arguments of Container


def test_a_finished_cell_has_its_verdict_and_numbers() -> None:
    responses = requests(((10.0, 90),), ((30.0, 1),))
    finished = cell_finished(
        verdict=Verdict.SUSPECT,
        reasons=("few samples", "1 stall"),
        requests=responses,
        completed=90,
        measured_s=5.0,
    )

    (found,) = after(finished)

    assert (found.kind, found.cell) == (HighlightKind.CELL_FINISHED, KEY)
    assert (found.verdict, found.outcome) == (Verdict.SUSPECT, Verdict.SUSPECT)
    assert found.needs_attention
    assert found.reasons == ("few samples", "1 stall")
    assert found.numbers == CellNumbers(
        rps=18.0, percentile=Metric.P90, latency_ms=10.0, has_enough_samples=False, failures=1
    )


def test_a_finished_cell_has_the_percentile_with_a_goal() -> None:
    begun = run_started(make_profile(goals={"p95_ms": 500}))
    finished = cell_finished(requests=requests(((10.0, 190), (30.0, 10))))

    *_, found = highlights_since(entries([begun, cell_started(), finished]), 1)

    assert found.numbers is not None
    assert (found.numbers.percentile, found.numbers.latency_ms) == (Metric.P95, 10.0)
    assert found.numbers.has_enough_samples


@pytest.mark.parametrize(
    ("verdict", "needs_attention"),
    [(Verdict.VALID, False), (Verdict.SUSPECT, True), (Verdict.INVALID, True)],
)
def test_every_verdict_except_valid_needs_attention(
    verdict: Verdict, needs_attention: bool
) -> None:
    assert [found.needs_attention for found in after(cell_finished(verdict=verdict))] == [
        needs_attention
    ]


@pytest.mark.parametrize(
    ("event", "kind", "outcome", "needs_attention"),
    [
        (cell_failed(), HighlightKind.CELL_FAILED, CellStatus.FAILED, True),
        (cell_skipped(), HighlightKind.CELL_SKIPPED, CellStatus.SKIPPED, False),
    ],
)
def test_a_cell_without_results_has_its_outcome_and_reason(
    event: Event, kind: HighlightKind, outcome: CellStatus, needs_attention: bool
) -> None:
    (found,) = after(event)

    assert (found.kind, found.outcome, found.cell) == (kind, outcome, KEY)
    assert (found.needs_attention, found.numbers) == (needs_attention, None)
    assert len(found.reasons) == 1


def test_a_container_that_exited_or_restarted_is_a_highlight() -> None:
    measuring = CellPhase(cell=KEY, phase=Phase.MEASURING)
    running, restarted = Containers(containers=(model(),)), model(restarts=1)
    ended = model(state="exited", exit_code=1, restarts=1)

    restarts = after(measuring, running, Containers(containers=(restarted,)))
    ends = after(measuring, running, Containers(containers=(ended,)))

    assert [(found.kind, found.container) for found in restarts] == [
        (HighlightKind.CONTAINER_RESTARTED, restarted)
    ]
    assert [(found.kind, found.container) for found in ends] == [
        (HighlightKind.CONTAINER_ENDED, ended)
    ]
    assert {found.cell for found in (*restarts, *ends)} == {KEY}


def test_the_answer_to_skip_is_omitted_because_the_skipped_cell_is_a_highlight() -> None:
    assert after(answered("skip", KEY)) == []
    (paused,) = after(answered("pause"))
    assert (paused.kind, paused.text) == (HighlightKind.COMMAND_ACCEPTED, "pause it is")


def test_a_note_needs_attention() -> None:
    (found,) = after(Note(text="Locust ended"))

    assert (found.kind, found.text, found.needs_attention) == (
        HighlightKind.NOTE,
        "Locust ended",
        True,
    )


def test_a_resumed_run_has_its_progress() -> None:
    begun = run_started(make_profile(users=[2, 4]))
    resumed = RunResumed(pid=1, retry=(), hardware={}, versions={})

    (found,) = highlights_since(entries([begun, cell_started(), cell_finished(), resumed]), 3)

    assert found.kind is HighlightKind.RUN_RESUMED
    assert found.progress == RunProgress(outstanding=1, total=2)


@pytest.mark.parametrize(
    ("result", "left", "needs_attention"),
    [
        (Result.DONE, None, False),
        (Result.DONE, "model-1 is left", True),
        (Result.STOPPED, None, True),
    ],
)
def test_a_finished_run_has_its_result_and_its_leftovers(
    result: Result, left: str | None, needs_attention: bool
) -> None:
    (found,) = after(RunFinished(result=result, reason="why", left=left))

    assert (found.kind, found.result, found.reasons) == (
        HighlightKind.RUN_FINISHED,
        result,
        ("why",),
    )
    assert (found.text, found.needs_attention) == (left or "", needs_attention)


def test_the_last_outcome_of_each_cell_counts() -> None:
    begun = run_started(make_profile(users=[2, 4]))
    read: list[Event] = [begun, cell_started(), cell_failed()]
    read += [cell_started(attempt=2), cell_finished(attempt=2)]
    read += [cell_started("m1_u4_s2"), cell_skipped("m1_u4_s2", attempt=1)]

    assert cell_outcomes(highlights_since(entries(read), 0)) == {
        KEY: Verdict.VALID,
        "m1_u4_s2": CellStatus.SKIPPED,
    }


def test_the_kinds_of_a_golden_journal() -> None:
    journal = JOURNALS / "containers.jsonl"
    every = journal.read_bytes().splitlines()
    lines = [line for line in every if not line.startswith(SAMPLE_PREFIX)]

    found = highlights_since(JournalReader(journal.parent).decode_all(lines), 0)

    ends = [highlight.container.name for highlight in found if highlight.container]
    assert ends == ["model-2"]
    assert found[-1].kind is HighlightKind.RUN_FINISHED
    assert {one.cell for one in found if one.outcome is CellStatus.FAILED} >= {"m2_u16_s20"}
