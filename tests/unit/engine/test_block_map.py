"""The immutable mapping of cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.block_map import BlockMap


@given(st.lists(st.text(max_size=4), unique=True, max_size=300), st.data())
def test_it_equals_a_dictionary_after_any_replacement(keys: list[str], data: st.DataObject) -> None:
    expected = dict.fromkeys(keys, 0)
    found = BlockMap.of(expected)
    for number in range(1, 4 if keys else 1):
        key = data.draw(st.sampled_from(keys))
        before = dict(found)
        after = found.replaced(key, number)
        assert dict(found) == before
        expected[key], found = number, after

    assert found == expected
    assert list(found) == keys
    assert list(found.values()) == list(expected.values())
    assert list(found.items()) == list(expected.items())
    assert len(found) == len(found.values()) == len(keys)


@pytest.mark.parametrize("size", [0, 1, 64, 200])
def test_a_missing_key_is_neither_found_nor_replaced(size: int) -> None:
    found = BlockMap.of({str(number): number for number in range(size)})

    assert "x" not in found
    assert found.get("x") is None
    with pytest.raises(KeyError):
        found.replaced("x", 1)


def test_unchanged_blocks_are_shared() -> None:
    one = BlockMap.of({str(number): object() for number in range(1000)})
    other = one.replaced("500", object())

    assert (
        sum(first is not second for first, second in zip(one.values(), other.values(), strict=True))
        == 1
    )
    assert one == one.replaced("500", one["500"])
    assert one != other
