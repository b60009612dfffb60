"""Requests without a latency: they count in numbers and rates, but not in percentiles."""

import json
from pathlib import Path

import pytest

from loadbench.engine.journal.codec import decode, encode
from loadbench.engine.journal.events import CellFinished, ReplicaRequests, Requests, Sample
from loadbench.engine.journal.time_bucket import RequestTotals, bucket_of
from loadbench.engine.measure.steady import steadiness
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.by_level import metric_by_level
from loadbench.engine.report.evidence.collect import window_evidence
from loadbench.engine.report.evidence.figures import FigureName
from loadbench.engine.report.export.summary import summary_json
from loadbench.engine.report.highlights import highlights_since
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.recommendation.goals import Outcome, check_goals, check_text
from loadbench.engine.report.rows import row_of
from loadbench.engine.report.series import seconds
from loadbench.engine.report.slices import Slices
from loadbench.engine.report.statistics import cell_statistics
from loadbench.engine.report.target.replicas import replica_rows
from loadbench.wording import event_line
from tests.support.builders import (
    cell_finished,
    cell_started,
    entries,
    make_cell,
    requests,
    run_started,
    sample,
    samples_of,
    state_after,
)

ANSWERS = Requests(method="WSR", name="answer", successes=((50.0, 90),), failures=((1.0, 2),))
PUSHES = Requests(method="WSP", name="pushed", untimed_successes=300, untimed_failures=8)
MIXED = cell_finished(requests=(ANSWERS, PUSHES), completed=390)
ONLY_PUSHES = cell_finished(requests=(PUSHES,), completed=300)


def second(number: int) -> Sample:
    return sample(second=number, requests=(ANSWERS, PUSHES))


def test_a_row_counts_them() -> None:
    events = (run_started(), cell_started(), MIXED)
    state = state_after(*events)
    row = row_of(state, state.cells[MIXED.cell])

    assert (row.requests, row.failures, row.failure_ratio, row.rps) == (400, 10, 0.025, 39.0)
    assert (row.p50_ms, row.max_ms) == (50, 50)
    assert row.few_samples == "p90 p95 p99 p99.9"
    assert metric_by_level(state, Metric.FAILURES)[0].points == ((2.0, 2.5),)


def test_a_row_without_any_latency_has_no_percentiles() -> None:
    state = state_after(run_started(), cell_started(), ONLY_PUSHES)
    row = row_of(state, state.cells[ONLY_PUSHES.cell])

    assert (row.requests, row.rps, row.p50_ms) == (308, 30.0, None)
    assert [row.latency_text(name) for name in ("p50_ms", "max_ms")] == ["-", "-"]
    line = event_line(entries((run_started(), cell_started(), ONLY_PUSHES))[-1], state)
    assert line is not None
    assert "30.0 req/s, p50 -, p90 -, p99 - ms, 8 failures" in line


def test_statistics_have_a_row_of_counts_and_no_latencies() -> None:
    pushed, answered, total = cell_statistics(MIXED).rows

    assert (pushed.requests, pushed.failures, pushed.rps) == (308, 8, 30.0)
    assert {one.value_ms for one in pushed.percentiles} == {None}
    assert (answered.requests, answered.percentiles[0].value_ms) == (92, 50)
    assert (total.requests, total.failures, total.rps) == (400, 10, 39.0)


def test_slices_and_seconds_count_them() -> None:
    [one, *_] = Slices().of(samples_of([second(0)]))
    [row] = seconds(entries((second(0),)))

    assert (one.successes, one.failures, one.p50_ms) == (390, 10, 50)
    assert (row.rps, row.failures, row.p50_ms) == (390, 10, 50)


def test_merged_seconds_keep_them() -> None:
    totals, merged = RequestTotals(), RequestTotals()
    many = [second(number) for number in range(10)]
    for one in many:
        totals.add(one)
    bucket = bucket_of(many)
    merged.add(bucket)

    assert merged.requests == totals.requests
    assert merged.requests[1].untimed_successes == 3000
    assert (bucket.min_successes, bucket.max_successes) == (390, 390)


def test_settling_compares_their_rate_and_the_median_of_the_others() -> None:
    steady = [second(number) for number in range(30)]
    faster = sample(requests=(ANSWERS, PUSHES, PUSHES))
    slower = sample(requests=(*requests(((90.0, 90),)), PUSHES))

    assert steadiness(steady, 10).is_steady
    assert "throughput" in steadiness([*steady, *[faster] * 10], 10).reason
    assert "median" in steadiness([*steady, *[slower] * 10], 10).reason


@pytest.mark.parametrize(
    ("finished", "outcome", "text"),
    [
        (MIXED, Outcome.PASSED, "p90 50.0 ms (goal 100 ms)"),
        (ONLY_PUSHES, Outcome.UNDECIDED, "p90 unknown, no latencies (goal 100 ms)"),
        (
            cell_finished(requests=(Requests(method="", name="", untimed_failures=9),)),
            Outcome.MISSED,
            "100 % of the requests failed, too many for p90 (goal 100 ms)",
        ),
    ],
)
def test_a_goal_for_a_percentile_covers_latencies_and_lost_requests(
    finished: CellFinished, outcome: Outcome, text: str
) -> None:
    [check] = check_goals(finished, Goals(p90_ms=100))

    assert (check.outcome, check_text(check)[: len(text)]) == (outcome, text)


def test_a_goal_for_failures_covers_all_requests() -> None:
    [check] = check_goals(MIXED, Goals(failure_ratio=0.03))

    assert (check.value, check.samples, check.outcome) == (0.025, 400, Outcome.PASSED)


def test_the_evidence_names_the_successes_with_a_latency() -> None:
    figures = {one.name: one for one in window_evidence(make_cell(), MIXED).figures}

    assert figures[FigureName.SUCCESSES].value == 390
    assert not figures[FigureName.SUCCESSES].is_beyond_limit
    assert figures[FigureName.SAMPLES].value == 90
    assert figures[FigureName.SAMPLES].is_beyond_limit
    assert figures[FigureName.FAILURE_RATIO].value == 0.025


def test_replicas_and_highlights_count_them() -> None:
    replicas = (
        ReplicaRequests(name="a", host="http://a", successes=((50.0, 30),), untimed_failures=10),
        ReplicaRequests(name="b", host="http://b", untimed_successes=60),
    )
    one, other = replica_rows(cell_finished(replicas=replicas))
    [highlight] = highlights_since(entries((run_started(), cell_started(), MIXED)), 2)

    assert (one.requests, one.failures, one.samples, one.share) == (40, 10, 30, 0.4)
    assert (other.requests, other.samples, other.p50_ms, other.share) == (60, 0, None, 0.6)
    assert highlight.numbers is not None
    assert highlight.numbers.failures == 10


def test_the_journal_omits_zeros_and_keeps_other_numbers() -> None:
    replica = ReplicaRequests(host="http://a", untimed_successes=1)
    for event in (cell_finished(requests=(ANSWERS, PUSHES), replicas=(replica,)), second(3)):
        [entry] = entries((event,))
        line = encode(entry)
        answers, pushes = json.loads(line)["requests"]

        assert set(answers) == {"method", "name", "successes", "failures"}
        assert (pushes["untimed_successes"], pushes["untimed_failures"]) == (300, 8)
        assert decode(line, Path("journal.jsonl")) == entry


def test_the_summary_is_valid_json() -> None:
    state = state_after(run_started(), cell_started(), ONLY_PUSHES)

    [cell] = json.loads(summary_json(state))["cells"]
    assert (cell["requests"], cell["p50_ms"]) == (308, None)
