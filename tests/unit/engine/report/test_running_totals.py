"""Running totals of an attempt."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import ErrorCount, Requests, Sample, Stages
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.journal.time_bucket import MAX_ERROR_KINDS
from loadbench.engine.measure.buckets import merge
from loadbench.engine.report.running_totals import Accumulator, RunningTotals
from tests.support.builders import measurement, requests, sample, samples_of, state_with

latencies = st.sampled_from([1.0, 2.0, 5.0, 10.0, 100.0])
histograms = st.dictionaries(latencies, st.integers(1, 5), max_size=3).map(
    lambda counts: tuple(sorted(counts.items()))
)
numbers = st.integers(0, 1000).map(float)
many_requests = st.lists(
    st.builds(
        Requests,
        method=st.sampled_from(["GET", "POST"]),
        name=st.sampled_from(["/a", "/b"]),
        successes=histograms,
        failures=histograms,
    ),
    max_size=3,
    unique_by=lambda entry: (entry.method, entry.name),
).map(tuple)
some_stages = st.builds(
    Stages,
    count=st.integers(0, 9),
    latency_ms=numbers,
    total_ms=numbers,
    queue_ms=numbers,
    decode_ms=numbers,
    infer_ms=numbers,
)
some_errors = st.lists(
    st.builds(ErrorCount, error=st.sampled_from(["no", "late", "503"]), count=st.integers(1, 9)),
    max_size=2,
).map(tuple)


@st.composite
def attempts(draw: st.DrawFn) -> list[Sample]:
    """Successive seconds of a cell."""
    return [
        sample(
            second=second,
            requests=draw(many_requests),
            stages=draw(some_stages),
            errors=draw(some_errors),
        )
        for second in range(draw(st.integers(0, 8)))
    ]


def as_sums(totals: RunningTotals) -> dict[str, Any]:
    """The totals without the order of names and of equally frequent errors."""
    return {
        "seconds": totals.seconds,
        "measured": totals.is_measured,
        "requests": {(r.method, r.name): (r.successes, r.failures) for r in totals.requests},
        "stages": totals.stages,
        "errors": {error.error: error.count for error in totals.errors},
    }


def merged(samples: Sequence[Sample]) -> dict[str, Any]:
    """The expected totals of the samples, summed directly."""
    every = [entry for one in samples for entry in one.requests]
    names = {(entry.method, entry.name) for entry in every}
    errors: dict[str, int] = {}
    for error in (error for one in samples for error in one.errors):
        errors[error.error] = errors.get(error.error, 0) + error.count
    fields = ("count", "latency_ms", "total_ms", "queue_ms", "decode_ms", "infer_ms")
    return {
        "seconds": len(samples),
        "requests": {
            name: (
                merge(r.successes for r in every if (r.method, r.name) == name),
                merge(r.failures for r in every if (r.method, r.name) == name),
            )
            for name in names
        },
        "stages": Stages(
            **{field: sum(getattr(one.stages, field) for one in samples) for field in fields}
        ),
        "errors": errors,
    }


@given(attempts())
def test_the_totals_cover_all_samples_of_an_attempt(samples: list[Sample]) -> None:
    totals = Accumulator().of(state_with(samples))

    assert as_sums(totals) == {"measured": False, **merged(samples)}


@given(attempts(), st.integers(0, 8))
def test_the_totals_cover_only_the_measurement_window_once_it_begins(
    samples: list[Sample], since: int
) -> None:
    totals = Accumulator().of(state_with(samples, measured_from=since))

    counted = samples[since:] or samples
    assert as_sums(totals) == {"measured": bool(samples[since:]), **merged(counted)}


@given(attempts(), st.integers(0, 8))
def test_adding_samples_one_by_one_gives_the_same_totals(samples: list[Sample], since: int) -> None:
    accumulator = Accumulator()

    for length in range(len(samples) + 1):
        measured_from = since if length >= since else None
        state = state_with(samples[:length], measured_from=measured_from)
        grown, at_once = accumulator.of(state), Accumulator().of(state)
        assert as_sums(grown) == as_sums(at_once)


def test_totals_have_the_measurements_of_the_window() -> None:
    samples = [sample(second=n, measurements=(measurement(),)) for n in range(5)]

    [found] = Accumulator().of(state_with(samples, measured_from=2)).measurements

    assert found == measurement(values=((40.0, 60), (50.0, 57), (80.0, 3)))


def test_another_attempt_starts_from_zero() -> None:
    accumulator = Accumulator()
    accumulator.of(state_with([sample(second=0), sample(second=1)]))

    again = accumulator.of(state_with([sample(second=0, attempt=2)]))

    assert as_sums(again) == {"measured": False, **merged([sample()])}


def test_totals_of_an_earlier_state_can_be_computed() -> None:
    accumulator = Accumulator()
    both = [sample(second=0), sample(second=1)]
    accumulator.of(state_with(both))

    assert accumulator.of(state_with(both[:1])).seconds == 1
    assert as_sums(accumulator.of(state_with(both[:1])))["requests"] == merged(both[:1])["requests"]


def test_reading_from_the_middle_of_a_bucket_gives_the_same_totals() -> None:
    samples = [sample(second=n, requests=requests(((1.0 + n, 1),))) for n in range(40)]
    state = replace(EMPTY, samples=samples_of(samples, whole_s=10))
    before = replace(EMPTY, samples=samples_of(samples[:5], whole_s=10))
    accumulator = Accumulator()
    accumulator.of(before)

    assert as_sums(accumulator.of(state)) == {"measured": False, **merged(samples)}
    assert accumulator.of(state) == Accumulator().of(state)


def test_errors_are_sorted_by_frequency() -> None:
    def errors(**counts: int) -> tuple[ErrorCount, ...]:
        return tuple(ErrorCount(error=error, count=count) for error, count in counts.items())

    samples = [
        sample(second=0, errors=errors(rare=1, often=2)),
        sample(second=1, errors=errors(often=7, some=3)),
    ]

    found = Accumulator().of(state_with(samples)).errors

    assert found == errors(often=9, some=3, rare=1)


def test_errors_beyond_the_maximum_number_of_kinds_are_merged() -> None:
    many = tuple(ErrorCount(error=f"error {i}", count=2) for i in range(MAX_ERROR_KINDS + 3))

    found = Accumulator().of(state_with([sample(errors=many)])).errors

    assert found[0] == ErrorCount(error="other failures", count=6)
    assert len(found) == MAX_ERROR_KINDS + 1
