"""Request statistics by name."""

from loadbench.engine.journal.events import Requests
from loadbench.engine.report.rows import PERCENTILES
from loadbench.engine.report.running_totals import Accumulator
from loadbench.engine.report.statistics import (
    StatisticsWindow,
    cell_statistics,
    latency_percentiles,
    live_statistics,
)
from tests.support.builders import cell_finished, measurement, sample, state_with


def named(*names: str) -> tuple[Requests, ...]:
    """Ten successes and one failure of each name."""
    return tuple(
        Requests(method="GET", name=name, successes=((10.0, 10),), failures=((1.0, 1),))
        for name in names
    )


def test_live_statistics_state_their_window() -> None:
    samples = [sample(second=second) for second in range(4)]

    before = live_statistics(Accumulator().of(state_with(samples)))
    measured = live_statistics(Accumulator().of(state_with(samples, measured_from=1)))

    assert (before.window, before.seconds) == (StatisticsWindow.BEFORE_MEASURING, 4)
    assert (measured.window, measured.seconds) == (StatisticsWindow.MEASURED_SO_FAR, 3)
    assert [row.rps for row in (*before.rows, *measured.rows)] == [40.0, 40.0]


def test_several_names_have_a_last_row_of_all_requests() -> None:
    finished = cell_finished(requests=named("/b", "/a"), completed=18)
    statistics = cell_statistics(finished)

    assert [row.name for row in statistics.rows] == ["GET /a", "GET /b", "all"]
    assert [(row.failures, row.rps) for row in statistics.rows] == [(1, 1.0), (1, 1.0), (2, 1.8)]
    assert (statistics.rows[-1].successes, statistics.rows[-1].requests) == (20, 22)


def test_a_finished_cell_has_the_length_and_throughput_of_its_window() -> None:
    statistics = cell_statistics(cell_finished(completed=30, measured_s=5.0))

    assert (statistics.window, statistics.seconds) == (StatisticsWindow.MEASURED, 5.0)
    assert [row.rps for row in statistics.rows] == [6.0]


def test_percentiles_state_whether_they_have_enough_samples() -> None:
    found = latency_percentiles(((10.0, 100),))

    assert [one.name for one in found] == list(PERCENTILES)
    assert {one.value_ms for one in found} == {10.0}
    assert [one.has_enough_samples for one in found] == [True, True, False, False, False, True]


def test_percentiles_without_a_successful_request_have_no_value() -> None:
    assert {(one.value_ms, one.has_enough_samples) for one in latency_percentiles(())} == {
        (None, False)
    }


def test_no_requests_give_no_rows() -> None:
    assert live_statistics(Accumulator().of(state_with([]))).rows == ()


def test_the_main_requests_have_their_own_row() -> None:
    of_main = Requests(method="GET", name="/a", successes=((10.0, 10),), failures=(), completed=9)
    finished = cell_finished(requests=(*named("/b"), of_main), completed=20)

    statistics = cell_statistics(finished, "GET /a")

    assert [(row.name, row.is_main) for row in statistics.rows] == [
        ("GET /a", True),
        ("GET /b", False),
        ("all", False),
    ]
    assert statistics.main
    assert (statistics.main.name, statistics.main.rps) == ("GET /a", 0.9)
    assert cell_statistics(finished).main == statistics.rows[-1]


def test_a_main_name_of_several_methods_covers_all_of_them() -> None:
    requests = (Requests(method="POST", name="/a", successes=(), failures=()), *named("/a", "/b"))

    main = cell_statistics(cell_finished(requests=requests), "/a").main

    assert main
    assert (main.name, main.successes, main.failures) == ("/a", 10, 1)


def test_statistics_have_the_measurements_of_their_window() -> None:
    samples = [sample(second=second, measurements=(measurement(),)) for second in range(4)]

    [live] = live_statistics(Accumulator().of(state_with(samples, measured_from=2))).measurements
    [found] = cell_statistics(cell_finished(measurements=(measurement(),))).measurements

    assert (live.count, found.count) == (80, 40)
