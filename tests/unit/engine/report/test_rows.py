"""The cells of a run as rows."""

import pytest

from loadbench.engine.journal.events import Event, Stages, Verdict
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.report.rows import Row, rows
from tests.support.builders import (
    answered,
    cell_finished,
    cell_started,
    requests,
    state_after,
)
from tests.support.four_cells import BEGUN, SWEEP


def row_of(key: str, *events: Event) -> Row:
    """The row of a cell after the events."""
    (row,) = (row for row in rows(state_after(*events)) if row.cell == key)
    return row


def test_a_measured_cell_has_its_numbers() -> None:
    row = row_of("m4_u2_s2", *SWEEP)
    assert (row.requests, row.failures, row.aborted) == (11, 1, 2)
    assert row.failure_ratio == pytest.approx(1 / 11, abs=1e-6)
    assert (row.rps, row.measured_s) == (1.5, 8.0)
    assert (row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms, row.max_ms) == (10, 20, 900, 900, 900)
    assert (row.verdict, row.reasons) == (
        "suspect",
        "9.1 % of the requests failed: a, b; not settled",
    )


def test_latency_covers_successful_requests_only() -> None:
    slow_failures = requests(((10.0, 5),), failures=((30_000.0, 500),))
    row = row_of("m1_u2_s2", BEGUN, cell_started(), cell_finished(requests=slow_failures))
    assert (row.p99_ms, row.max_ms) == (10, 10)


def test_a_cell_without_requests_has_no_percentiles_and_no_failure_ratio() -> None:
    nothing = cell_finished(requests=(), completed=0, verdict=Verdict.INVALID)
    row = row_of("m1_u2_s2", BEGUN, cell_started(), nothing)
    assert (row.requests, row.rps) == (0, 0)
    assert (row.failure_ratio, row.p50_ms, row.max_ms) == (None, None, None)


@pytest.mark.parametrize(
    ("key", "verdict", "reasons"),
    [
        ("m2_u2_s2", "failed", "model-1 ended (137)"),
        ("m3_u2_s2", "skipped", "asked for"),
    ],
)
def test_a_cell_without_results_has_its_status_and_reason(
    key: str, verdict: str, reasons: str
) -> None:
    row = row_of(key, *SWEEP)
    assert (row.verdict, row.reasons, row.attempt) == (verdict, reasons, 1)
    assert (row.requests, row.rps, row.p50_ms, row.measured_s) == (None, None, None, None)


def test_an_unfinished_cell_is_pending() -> None:
    assert row_of("m1_u2_s2", BEGUN).verdict == "pending"
    begun = row_of("m1_u2_s2", BEGUN, cell_started())
    assert (begun.verdict, begun.attempt) == ("pending", 1)


def test_a_cell_to_be_measured_again_has_no_results() -> None:
    again = (BEGUN, cell_started(), cell_finished(), answered("again", "m1_u2_s2"))
    assert row_of("m1_u2_s2", *again).requests is None


def test_stage_means_add_up_to_the_latency() -> None:
    stages = Stages(
        count=10, latency_ms=600, total_ms=550, queue_ms=310, decode_ms=30, infer_ms=180
    )
    assert stage_means(stages) == {
        "queue_ms": 31,
        "decode_ms": 3,
        "infer_ms": 18,
        "api_ms": 3,
        "network_ms": 5,
    }
    assert stage_means(Stages()) == {}


def test_a_sleep_in_the_api_shows_in_the_api_stage() -> None:
    slept = Stages(count=2, latency_ms=240, total_ms=238, queue_ms=4, decode_ms=6, infer_ms=28)
    row = row_of("m1_u2_s2", BEGUN, cell_started(), cell_finished(stages=slept))
    assert row.api_ms == 100
