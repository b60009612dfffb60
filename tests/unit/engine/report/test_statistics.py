"""Request statistics as numbers."""

from loadbench.engine.journal.events import Requests
from loadbench.engine.report.rows import PERCENTILES
from loadbench.engine.report.running_totals import Accumulator
from loadbench.engine.report.statistics import (
    StatisticsWindow,
    cell_statistics,
    latency_percentiles,
    live_statistics,
)
from tests.support.builders import cell_finished, sample, state_with


def named(*names: str) -> tuple[Requests, ...]:
    """Ten successes of each name, and a failure."""
    return tuple(
        Requests(method="GET", name=name, successes=((10.0, 10),), failures=((1.0, 1),))
        for name in names
    )


def test_statistics_of_a_live_cell_say_over_what_they_are() -> None:
    samples = [sample(second=second) for second in range(4)]

    before = live_statistics(Accumulator().of(state_with(samples)))
    measured = live_statistics(Accumulator().of(state_with(samples, measured_from=1)))

    assert (before.window, before.seconds) == (StatisticsWindow.BEFORE_MEASURING, 4)
    assert (measured.window, measured.seconds) == (StatisticsWindow.MEASURED_SO_FAR, 3)
    assert [row.rps for row in (*before.rows, *measured.rows)] == [40.0, 40.0]


def test_several_names_have_a_row_of_all_below_them() -> None:
    finished = cell_finished(requests=named("/b", "/a"), completed=18)
    statistics = cell_statistics(finished)

    assert [row.name for row in statistics.rows] == ["GET /a", "GET /b", "all"]
    assert [(row.failures, row.rps) for row in statistics.rows] == [(1, 1.0), (1, 1.0), (2, 1.8)]
    assert (statistics.rows[-1].successes, statistics.rows[-1].requests) == (20, 22)


def test_a_finished_cell_has_the_seconds_and_the_throughput_of_its_window() -> None:
    statistics = cell_statistics(cell_finished(completed=30, measured_s=5.0))

    assert (statistics.window, statistics.seconds) == (StatisticsWindow.MEASURED, 5.0)
    assert [row.rps for row in statistics.rows] == [6.0]


def test_percentiles_say_whether_enough_samples_back_them() -> None:
    found = latency_percentiles(((10.0, 100),))

    assert [it.name for it in found] == list(PERCENTILES)
    assert {it.value_ms for it in found} == {10.0}
    assert [it.has_enough_samples for it in found] == [True, True, False, False, False, True]


def test_without_a_success_percentiles_have_no_value() -> None:
    assert {(it.value_ms, it.has_enough_samples) for it in latency_percentiles(())} == {
        (None, False)
    }


def test_without_a_request_there_is_no_row() -> None:
    assert live_statistics(Accumulator().of(state_with([]))).rows == ()
