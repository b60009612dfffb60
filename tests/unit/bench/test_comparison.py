"""The simulation of comparisons, with fewer pairs."""

from bench.comparison import UNEQUAL, SimulatedRate, planted, rates, unequal_rates

SEED = 5
PAIRS = 60


def test_all_rates_are_near_their_limits() -> None:
    found = list(rates(SEED, PAIRS))
    assert len(found) == 10
    # The standard error of a rate of 60 pairs is at most 6.5 percentage points.
    assert [rate.text for rate in found if not _within(rate, 0.2)] == []


def test_planted_errors_miss_their_limits() -> None:
    power, *too_many = planted(SEED, PAIRS)
    assert not _within(power, 0.2)
    assert len(too_many) == 3
    assert [rate.text for rate in too_many if _within(rate, 0.1)] == []


def test_unequal_spreads_are_simulated() -> None:
    texts = [unequal_rates(case, SEED, 3) for case in UNEQUAL]
    assert all(text.endswith("(of 3)") for text in texts)


def _within(rate: SimulatedRate, tolerance: float) -> bool:
    share = rate.count / rate.pairs
    return share <= rate.limit + tolerance if rate.is_maximum else share >= rate.limit - tolerance
