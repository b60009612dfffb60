"""The series of a cell's charts, from its samples."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.journal.events import Buckets, Phase, Sample
from loadbench.engine.journal.phases import PhaseStart
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.metrics import default_metric
from loadbench.engine.report.slices import Slices
from loadbench.ui.lines.charts.axes import time_ticks
from loadbench.ui.lines.charts.plot import Chart, PlotPoint, Series
from loadbench.ui.lines.charts.series import (
    goal_note,
    latency_chart,
    legend,
    throughput_chart,
)
from loadbench.ui.lines.text import SERIES, plain
from tests.support.builders import (
    requests,
    sample,
    samples_of,
)


def seconds(number: int, since: int = 0) -> list[Sample]:
    """Samples of a cell that vary from second to second."""
    return [
        sample(
            second=second,
            users=1 + second % 7,
            requests=requests(((10.0 + second % 5, 1 + second % 3),), ((1.0, second % 2),)),
        )
        for second in range(since, since + number)
    ]


HOUR = seconds(4000)
NO_GOALS = Goals()


def chart(*lines: Sequence[PlotPoint], right: bool = False, **changes: object) -> Chart:
    """A chart of ten seconds; `right`: with the last line on the right axis."""
    series = [
        Series(
            name=f"line {i}",
            points=line,
            tone=SERIES[i],
            sign=".o*"[i],
            right=right and i == len(lines) - 1,
        )
        for i, line in enumerate(lines)
    ]
    made = Chart(series=series, x_limits=(0.0, 10.0), x_ticks=time_ticks(10), marks=[5.0])
    return replace(made, **changes)  # type: ignore[arg-type]  # names are Chart's own


# Series


def drawn(
    samples: Sequence[Sample], goals: Goals = NO_GOALS, *, growing: bool = False
) -> tuple[Chart, Chart]:
    """The two charts of a cell."""
    slices = Slices().of(samples_of(samples))
    phases = (PhaseStart(Phase.SETTLING, 0), PhaseStart(Phase.MEASURING, 5))
    return (
        latency_chart(slices, phases, goals, growing=growing),
        throughput_chart(slices, phases, growing=growing),
    )


def points(chart: Chart) -> dict[str, list[PlotPoint]]:
    """The points of each series by its name."""
    return {one.name: list(one.points) for one in chart.series}


def test_latency_has_a_line_per_percentile() -> None:
    one = sample(requests=requests(tuple((float(ms), 1) for ms in range(1, 101))))

    latency, _ = drawn([one])

    assert points(latency) == {"p50": [(0, 50.0)], "p90": [(0, 90.0)], "p99": [(0, 99.0)]}


@pytest.mark.parametrize(
    ("goals", "names", "goal", "note"),
    [
        ({}, ["p50", "p90", "p99"], None, ""),
        ({"p95_ms": 100}, ["p50", "p95", "p99"], 100.0, "┈ p95 goal 100"),
        ({"p95_ms": 1000}, ["p50", "p95", "p99"], 1000.0, "p95 goal 1000 (above)"),
        ({"p99_ms": 90.5, "p50_ms": 10}, ["p50", "p90", "p99"], 90.5, "┈ p99 goal 90.5"),
        ({"min_rps": 10}, ["p50", "p90", "p99"], None, ""),
    ],
)
def test_latency_shows_the_percentile_with_a_goal_and_its_limit(
    goals: dict[str, float], names: list[str], goal: float | None, note: str
) -> None:
    one = sample(requests=requests(tuple((float(ms), 1) for ms in range(1, 101))))
    limits = Goals(**goals)

    latency, throughput = drawn([one], limits)

    assert [line.name for line in latency.series] == names
    assert (latency.goal, throughput.goal) == (goal, None)
    assert goal_note(latency, default_metric(limits)) == note
    if "p95" in names:
        assert points(latency)["p95"] == [(0, 95.0)]


def test_seconds_without_a_success_are_gaps() -> None:
    latency, throughput = drawn([sample(second=0), sample(second=1, requests=())])

    assert points(latency)["p50"] == [(0, 10.0), (1, None)]
    assert points(throughput)["req/s"] == [(0, 40.0), (1, 0.0)]


def test_throughput_is_per_second_for_any_length_of_slice() -> None:
    _, throughput = drawn([sample(second=second) for second in range(121)])

    assert {y for _, y in points(throughput)["req/s"]} == {40.0}


def test_users_are_on_the_right_axis() -> None:
    _, throughput = drawn(seconds(3))

    assert {one.name for one in throughput.series if one.right} == {"users"}
    assert points(throughput)["users"] == [(0, 1.0), (1, 2.0), (2, 3.0)]


def test_there_is_a_line_of_failures_if_there_are_any() -> None:
    _, without = drawn([sample()])
    _, failing = drawn([sample(requests=requests(failures=((1.0, 6),)))])

    assert "failures/s" not in points(without)
    assert points(failing)["failures/s"] == [(0, 6.0)]


def test_a_mark_is_at_the_start_of_the_measurement_window() -> None:
    assert [chart.marks for chart in drawn(seconds(9))] == [[5.0], [5.0]]


def test_the_axis_of_a_finished_cell_ends_with_its_samples() -> None:
    assert drawn(seconds(33))[0].x_limits == (0.0, 33.0)


def test_the_axis_of_a_growing_cell_grows_in_steps() -> None:
    ends = [drawn(HOUR[:length], growing=True)[0].x_limits[1] for length in range(1, 62)]

    assert sorted(set(ends)) == [10, 20, 30, 45, 60, 90]
    assert ends == sorted(ends)


@given(st.integers(1, 4000))
@settings(max_examples=20)
def test_a_growing_axis_has_room_for_all_samples(length: int) -> None:
    assert drawn(HOUR[:length], growing=True)[0].x_limits[1] >= length


def test_beyond_an_hour_the_axis_grows_by_hours() -> None:
    assert drawn(HOUR[:3601], growing=True)[0].x_limits[1] == 7200


@pytest.mark.parametrize("growing", [True, False])
def test_an_empty_chart_is_ten_seconds_long(growing: bool) -> None:
    latency, throughput = drawn([], growing=growing)

    assert (latency.x_limits, throughput.x_limits) == ((0.0, 10.0), (0.0, 10.0))
    assert not latency.has_points


def test_a_chart_of_gaps_has_no_points() -> None:
    latency, throughput = drawn([sample(requests=())])

    assert not latency.has_points
    assert throughput.has_points


@pytest.mark.parametrize(
    ("end_s", "labels"),
    [
        (10, ["0s", "2s", "4s", "6s", "8s", "10s"]),
        (20, ["0s", "5s", "10s", "15s", "20s"]),
        (33, ["0s", "10s", "20s", "30s"]),
        (150, ["0s", "30s", "60s", "90s", "2m", "2:30"]),
        (600, ["0s", "2m", "4m", "6m", "8m", "10m"]),
        (3600, ["0s", "20m", "40m", "1:00h"]),
        (20_000, ["0s", "2:00h", "4:00h"]),
        (86_400, ["0s", "6:00h", "12:00h", "18:00h", "24:00h"]),
    ],
)
def test_ticks_of_a_time_axis_are_round(end_s: float, labels: list[str]) -> None:
    ticks = time_ticks(end_s)

    assert [label for _, label in ticks] == labels


@given(st.integers(10, 72_000))
def test_a_time_axis_has_a_few_evenly_spaced_ticks(end_s: int) -> None:
    ticks = [at for at, _ in time_ticks(end_s)]

    assert 3 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-1] <= end_s
    assert len({b - a for a, b in pairwise(ticks)}) == 1


def test_the_legend_has_the_line_or_sign_of_each_series() -> None:
    made = drawn(seconds(3))[1]

    assert plain(tuple(legend(made, 12, signs=False))) == " ─ failures/s ─ req/s ─ users"
    assert plain(tuple(legend(made, 12, signs=True))) == " x failures/s r req/s u users"


def test_the_legend_of_a_growing_chart_has_the_newest_values() -> None:
    one = sample(requests=requests(tuple((float(ms), 1) for ms in range(1, 101))))
    latency, throughput = drawn([one, sample(second=1, requests=())], growing=True)

    # The second without a request has no latency.
    assert plain(tuple(legend(latency, 12, signs=False))) == " ─ p50 50.0 ─ p90 90.0 ─ p99 99.0"
    assert plain(tuple(legend(throughput, 12, signs=False))) == " ─ req/s 0 ─ users 2"
    without = legend(latency, 12, signs=False, has_values=False)
    assert plain(tuple(without)) == " ─ p50 ─ p90 ─ p99"


def test_the_legend_marks_percentiles_whose_lines_coincide() -> None:
    one = sample(requests=requests(((40.0, 50), (41.0, 45), (200.0, 5))))
    latency, _ = drawn([one, sample(second=1, requests=one.requests)], growing=True)

    assert plain(tuple(legend(latency, 9, signs=True))) == " . p50 40.0 ≈ o p90 41.0 * p99 200"


def test_percentiles_of_a_slice_cover_all_its_seconds() -> None:
    buckets: list[Buckets] = [((10.0, 9),), ((500.0, 1),)]
    samples = [
        sample(second=second, requests=requests(buckets[second % 2])) for second in range(121)
    ]

    latency, _ = drawn(samples)

    assert points(latency)["p50"][0] == (0, 10.0)
    assert points(latency)["p99"][0] == (0, 500.0)
    assert Slices().of(samples_of(samples))[0].successes == 10
