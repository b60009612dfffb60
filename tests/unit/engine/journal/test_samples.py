"""Samples that grow: an immutable sequence which shares what it does not have to copy."""

from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.samples import Samples
from tests.support.builders import sample


@given(st.lists(st.booleans(), max_size=30))
def test_every_version_keeps_what_it_had(branches: list[bool]) -> None:
    versions: list[tuple[Samples, list[int]]] = [(Samples(), [])]
    for number, from_the_start in enumerate(branches):
        samples, expected = versions[len(versions) // 2 if from_the_start else -1]
        versions.append((samples.plus(sample(second=number)), [*expected, number]))

    for samples, expected in versions:
        assert [one.second for one in samples] == expected
        assert len(samples) == len(expected)
        assert [one.second for one in samples[1:]] == expected[1:]
        assert [one.second for one in samples[-3:]] == expected[-3:]
        assert [one.second for one in samples[:2]] == expected[:2]


def test_the_newest_is_at_the_end_and_nothing_is_beyond() -> None:
    one = Samples().plus(sample(second=1))
    two = one.plus(sample(second=2))

    assert (one[-1].second, two[-1].second, two[0].second) == (1, 2, 1)
    for index in (1, -2):
        try:
            one[index]
        except IndexError:
            continue
        raise AssertionError(index)


def test_growing_copies_nothing() -> None:
    samples = Samples()
    for second in range(100):
        samples = samples.plus(sample(second=second))

    assert len({id(it._shared) for it in (samples, samples.plus(sample()))}) == 1


def test_equal_samples_are_equal() -> None:
    assert Samples().plus(sample()) == Samples().plus(sample())
    assert Samples() != Samples().plus(sample())
