"""What the load generator adds to each percentile."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Buckets, CellFinished, Machine, Requests
from loadbench.engine.measure.buckets import (
    fine_bucket_ms,
    fine_bucket_width_ms,
    percentile,
    to_buckets,
)
from loadbench.engine.measure.client_delay import Added, added_by_percentile, added_ms
from tests.support.builders import cell_finished, circumstances

LAG = ((0.1, 90), (5.0, 10))
SHARED = Machine(
    cores=2, cpu_cores=1.2, others_cpu_cores=0.05, stolen_cpu_cores=0.0, swapped_bytes=0
)


def finished(successes: Buckets, undelayed: Buckets, lag: Buckets = LAG) -> CellFinished:
    """A cell with one name of requests."""
    one = Requests(method="GET", name="/", successes=successes, undelayed=undelayed)
    return cell_finished(requests=(one,), circumstances=circumstances(lag=lag))


def by_fraction(cell: CellFinished) -> dict[float, Added]:
    return {one.fraction: one for one in added_by_percentile(cell)}


def test_the_difference_of_the_percentiles_is_added() -> None:
    cell = finished(((20.5, 90), (31.0, 10)), ((20.0, 90), (25.0, 10)))

    found = by_fraction(cell)

    assert [(fraction, one.ms) for fraction, one in found.items()] == [
        (0.5, 0.5),
        (0.9, 0.5),
        (0.95, 6.0),
        (0.99, 6.0),
    ]
    assert [one.is_too_much for one in found.values()] == [False, False, True, True]
    assert not any(one.is_estimate for one in found.values())
    assert added_ms(cell, 0.95) == 6.0


def test_the_limit_is_relative_to_the_latency_without_the_delay_less_what_is_unknown() -> None:
    found = by_fraction(finished(((206.0, 100),), ((200.0, 100),)))

    # 2 % and 5 % of 200 ms, in buckets of 0.5 ms, and 0.05 ms for the way
    assert [found[fraction].limit_ms for fraction in (0.5, 0.95)] == [3.7, 9.7]


def test_p99_9_has_a_limit_only_with_enough_samples() -> None:
    few = finished(((20.0, 9_989), (90.0, 10)), ((20.0, 9_999),))
    enough = finished(((20.0, 9_989), (90.0, 11)), ((20.0, 10_000),))

    assert 0.999 not in by_fraction(few)
    assert by_fraction(enough)[0.999].is_too_much
    assert added_ms(few, 0.999) == 70.0  # stated in any case


@pytest.mark.parametrize("known", [0, 500, 998])
def test_unknown_delays_are_estimated_from_the_event_loop_lag(known: int) -> None:
    cell = finished(((20.0, 1_000),), ((19.5, known),) if known else ())

    found = by_fraction(cell)

    assert all(one.is_estimate for one in found.values())
    assert found[0.5].ms == 0.1
    assert found[0.95].ms == 5.0
    assert found[0.95].limit_ms == 2.0


def test_an_estimate_without_lag_adds_nothing() -> None:
    cell = finished(((fine_bucket_ms(104.6), 100), (fine_bucket_ms(1004.0), 10)), (), ((0.0, 9),))

    assert [one.ms for one in added_by_percentile(cell)] == [0.0] * 4


def test_one_unknown_delay_in_a_thousand_is_no_estimate() -> None:
    cell = finished(((20.0, 1_000),), ((19.5, 999),))

    assert added_ms(cell, 0.5) == 0.5


def test_limits_of_estimates_are_higher_on_a_shared_machine_and_others_are_not() -> None:
    estimated, known = finished(((20.0, 100),), ()), finished(((20.0, 100),), ((19.0, 100),))

    def limit(cell: CellFinished) -> float:
        conditions = circumstances(lag=LAG, machine=SHARED)
        return by_fraction(replace(cell, circumstances=conditions))[0.5].limit_ms

    assert limit(estimated) == 3.0
    assert limit(known) == 0.94


def test_only_main_requests_count() -> None:
    other = Requests(method="GET", name="slow", successes=((90.0, 5),), undelayed=((10.0, 5),))
    cell = finished(((20.0, 5),), ((19.0, 5),))
    cell = replace(cell, requests=(*cell.requests, other))

    assert added_ms(cell, 0.5, "/") == 1.0
    assert added_ms(cell, 0.5, "slow") == 80.0


def test_without_successes_or_conditions_nothing_is_stated() -> None:
    assert added_by_percentile(finished((), ())) == ()
    assert added_ms(finished((), ()), 0.5) is None
    assert added_ms(replace(finished(((20.0, 5),), ()), circumstances=None), 0.5) is None


delays = st.lists(
    st.tuples(st.floats(0.1, 2_000), st.floats(0, 50)).map(lambda one: (one[0], one[0] + one[1])),
    min_size=1,
    max_size=60,
)


@given(delays, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_stated_delay_is_the_true_one_but_for_rounding(
    requests: list[tuple[float, float]], fraction: float
) -> None:
    def histogram(values: list[float]) -> Buckets:
        return to_buckets(Counter(map(fine_bucket_ms, values)))

    true, measured = zip(*requests, strict=True)
    latencies, undelayed = histogram([*measured]), histogram([*true])
    stated = added_ms(finished(latencies, undelayed), fraction)

    reported = percentile(latencies, fraction) or 0.0
    rank = sorted(true)[max(0, -(-len(true) * round(1000 * fraction) // 1000) - 1)]
    exact = reported - rank
    assert stated is not None
    assert stated >= 0
    assert abs(stated - exact) <= fine_bucket_width_ms(rank) / 2 + 0.001
