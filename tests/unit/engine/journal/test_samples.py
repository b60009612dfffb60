"""Samples: an immutable sequence of recent seconds, with older ones merged into buckets."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import (
    Container,
    ErrorCount,
    Measurement,
    Requests,
    Sample,
    Stages,
)
from loadbench.engine.journal.samples import Part, Samples
from loadbench.engine.journal.time_bucket import (
    BUCKET_S,
    ContainerRange,
    RequestTotals,
    TimeBucket,
    bucket_of,
)
from tests.support.builders import requests, sample, samples_of

FULL_RESOLUTION_S = 30
LENGTH = 95


def busy_second(second: int) -> Sample:
    """Return a random second with two request names, failures, stages, measurements, containers."""
    draw = random.Random(second)
    latencies = {round(draw.lognormvariate(3, 1), 1): draw.randint(1, 3) for _ in range(20)}
    return sample(
        second=second,
        users=draw.randint(1, 9),
        requests=(
            replace(
                requests(tuple(sorted(latencies.items())), ((5.0, draw.randint(0, 2)),))[0],
                stages=draw.choice([None, Stages(count=1, latency_ms=draw.randint(1, 9))]),
            ),
            Requests(method="GET", name="/", successes=((0.05, 1),)),
        ),
        stages=Stages(count=1, latency_ms=draw.randint(1, 9), total_ms=1.0),
        measurements=tuple(
            Measurement(
                kind="METRIC",
                name=name,
                unit=unit,
                values=((-draw.random(), 1), (float(draw.randint(0, 9)), draw.randint(1, 3))),
                failures=draw.randint(0, 1),
            )
            for name, unit in draw.sample([("first token", "ms"), ("tokens", ""), ("a", "b")], 2)
        ),
        errors=(ErrorCount(error=draw.choice(["503", "timeout"]), count=1),),
        containers=tuple(
            Container(
                name=f"model-{number}",
                service="model",
                state="running",
                cpu_cores=draw.choice([None, draw.random()]),
                memory_bytes=draw.randint(1, 10**9),
            )
            for number in (1, 2)
        ),
    )


SECONDS = [busy_second(second) for second in range(LENGTH)]


def totals_of(parts: list[Any]) -> RequestTotals:
    totals = RequestTotals()
    for part in parts:
        totals.add(part)
    return totals


def starts(parts: list[Part]) -> list[tuple[int, bool]]:
    return [(part.second, isinstance(part, TimeBucket)) for part in parts]


@given(st.lists(st.booleans(), max_size=30))
def test_earlier_versions_never_change(branches: list[bool]) -> None:
    versions: list[tuple[Samples, list[int]]] = [(Samples(), [])]
    for number, from_the_middle in enumerate(branches):
        samples, expected = versions[len(versions) // 2 if from_the_middle else -1]
        versions.append((samples.plus(sample(second=number)), [*expected, number]))

    for samples, expected in versions:
        assert [each.second for each in samples] == expected
        assert len(samples) == len(expected)
        assert [each.second for each in samples[1:]] == expected[1:]
        assert [each.second for each in samples[-3:]] == expected[-3:]
        assert [each.second for each in samples[:2]] == expected[:2]


def test_the_newest_sample_is_last_and_indices_are_checked() -> None:
    one = Samples().plus(sample(second=1))
    two = one.plus(sample(second=2))

    assert (one[-1].second, two[-1].second, two[0].second) == (1, 2, 1)
    for index in (1, -2):
        try:
            one[index]
        except IndexError:
            continue
        raise AssertionError(index)


def test_equal_samples_are_equal() -> None:
    assert Samples().plus(sample()) == Samples().plus(sample())
    assert Samples() != Samples().plus(sample())


# Older seconds


def test_older_seconds_are_merged_into_buckets_and_recent_ones_kept_in_full() -> None:
    samples = samples_of(SECONDS, whole_s=FULL_RESOLUTION_S)

    parts = list(samples.parts())

    assert len(samples) == LENGTH
    whole = [(second, False) for second in range(60, LENGTH)]
    assert starts(parts) == [*((second, True) for second in range(0, 60, BUCKET_S)), *whole]
    assert list(samples[-FULL_RESOLUTION_S:]) == SECONDS[-FULL_RESOLUTION_S:]
    assert samples.first == SECONDS[0]


def test_totals_over_buckets_equal_totals_over_all_seconds() -> None:
    kept = totals_of(list(samples_of(SECONDS, whole_s=FULL_RESOLUTION_S).parts()))
    every = totals_of(SECONDS)

    assert kept.requests == every.requests
    assert any(one.stages for one in kept.requests)
    assert kept.measurements == every.measurements
    assert len(kept.measurements) == 3
    assert kept.errors == every.errors
    assert kept.stages == every.stages


def test_a_bucket_has_the_minimum_and_maximum_of_its_seconds() -> None:
    seconds = SECONDS[:BUCKET_S]
    bucket = bucket_of(seconds)

    users = [second.users for second in seconds]
    successes = [
        sum(n for request in second.requests for _, n in request.successes) for second in seconds
    ]
    assert (bucket.second, bucket.min_users, bucket.users) == (0, min(users), max(users))
    assert (bucket.min_successes, bucket.max_successes) == (min(successes), max(successes))
    readings = [second.containers[1] for second in seconds]
    cores = [reading.cpu_cores for reading in readings if reading.cpu_cores is not None]
    memory = [reading.memory_bytes for reading in readings if reading.memory_bytes is not None]
    assert bucket.unpacked().containers[1] == ContainerRange(
        name="model-2",
        min_cpu_cores=min(cores),
        max_cpu_cores=max(cores),
        min_memory_bytes=min(memory),
        max_memory_bytes=max(memory),
    )


@pytest.mark.parametrize("latency_ms", [0.01, 9.99, 41.3, 950.0, 123_400.0, 0.125, 1 / 3, 1e12])
def test_a_bucket_keeps_latencies_exactly(latency_ms: float) -> None:
    histogram = tuple(sorted([(latency_ms, 70_000), (10.0, 1)]))

    [found] = bucket_of([sample(requests=requests(histogram))]).requests

    assert found.successes == histogram


def test_no_bucket_spans_the_start_of_a_phase() -> None:
    samples = samples_of(SECONDS, whole_s=FULL_RESOLUTION_S, bounds=[14, 30, 57])

    found = [second for second, is_bucket in starts(list(samples.parts())) if is_bucket]

    assert found == [0, 20, 30, 40]
    assert starts(list(samples.parts(14, 57)))[:7] == [
        *((second, False) for second in range(14, 20)),
        (20, True),
    ]
    assert len(totals_of(list(samples.parts(14, 57))).errors) > 0
    assert not any(samples.divides(index) for index in (14, 30, 57, LENGTH))


def test_a_bucket_cannot_be_divided() -> None:
    samples = samples_of(SECONDS, whole_s=FULL_RESOLUTION_S)

    assert samples.divides(5)
    for begin, end in ((5, LENGTH), (0, 5)):
        with pytest.raises(LookupError, match="one bucket"):
            list(samples.parts(begin, end))
    with pytest.raises(LookupError, match="second 5 is merged in a bucket"):
        samples[5]
    with pytest.raises(LookupError, match="is merged in a bucket"):
        list(samples)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_versions_that_grow_from_the_same_samples_are_independent(growth: list[int]) -> None:
    versions = [samples_of(SECONDS[:50], whole_s=20)]
    expected_parts = [list(versions[0].parts())]
    for number, seconds in enumerate(growth):
        grown = versions[number // 2]
        for _ in range(seconds):
            grown = grown.plus(sample(second=len(grown), users=number))
        versions.append(grown)
        expected_parts.append(list(grown.parts()))

    assert [list(version.parts()) for version in versions] == expected_parts
