"""States of Locust that need not be read again."""

from dataclasses import replace

import pytest

from loadbench.engine.load.protocol import LoadState
from loadbench.engine.load.state_cache import StateCache

MEASURING = LoadState(cell="m1.1", spawned=True, remaining_s=2.5, seconds=(), next_s=0.75)


class Clock:
    """A fake clock."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_state_is_known_until_its_next_second_has_ended(clock: Clock) -> None:
    cache = StateCache(clock)
    cache.keep(MEASURING)

    clock.now += 0.5
    known = cache.state()
    clock.now += 0.25

    assert known == replace(MEASURING, remaining_s=2.0)
    assert cache.state() is None


def test_the_window_ends_in_the_meantime(clock: Clock) -> None:
    cache = StateCache(clock)
    cache.keep(replace(MEASURING, remaining_s=0.25))

    clock.now += 0.5
    known = cache.state()

    assert known is not None
    assert known.remaining_s == 0


def test_before_all_users_have_been_started_nothing_is_known(clock: Clock) -> None:
    cache = StateCache(clock)
    cache.keep(replace(MEASURING, spawned=False))

    assert cache.state() is None


@pytest.mark.parametrize("is_cleared", [True, False])
def test_a_cleared_cache_knows_nothing(clock: Clock, *, is_cleared: bool) -> None:
    cache = StateCache(clock)
    cache.keep(MEASURING)

    if is_cleared:
        cache.clear()

    assert (cache.state() is None) == is_cleared


def test_a_load_generator_that_does_not_report_its_seconds_is_always_read(clock: Clock) -> None:
    cache = StateCache(clock)
    cache.keep(replace(MEASURING, next_s=0.0))

    assert cache.state() is None
