"""An immutable mapping whose changed copies share nearly all of its values."""

from collections.abc import Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

V = TypeVar("V")

_BLOCK = 64
"""Number of values per block. A changed copy has one new block and refers to all others."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BlockMap(Mapping[str, V]):
    """An immutable mapping. Replacing a value takes microseconds, even if there are 10,000."""

    _index: Mapping[str, int]
    """Position of each key."""
    _blocks: Sequence[Sequence[V]]

    @classmethod
    def of(cls, values: Mapping[str, V]) -> "BlockMap[V]":
        """Return a mapping with the same keys and values, in the same order."""
        index = {key: position for position, key in enumerate(values)}
        known = tuple(values.values())
        starts = range(0, len(known), _BLOCK)
        return cls(index, tuple(known[start : start + _BLOCK] for start in starts))

    def replaced(self, key: str, value: V) -> "BlockMap[V]":
        """Return a copy with another value of an existing key.

        Raises:
            KeyError: The key does not exist.
        """
        number, offset = divmod(self._index[key], _BLOCK)
        blocks = list(self._blocks)
        blocks[number] = (*blocks[number][:offset], value, *blocks[number][offset + 1 :])
        return BlockMap(self._index, tuple(blocks))

    def values(self) -> ValuesView[V]:
        """Return a view of the values, in order."""
        return _Values(self, self._blocks)

    def __getitem__(self, key: str) -> V:
        number, offset = divmod(self._index[key], _BLOCK)
        return self._blocks[number][offset]

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        return f"BlockMap.of({dict(self)})"


class _Values(ValuesView[V]):
    """Iterates over blocks, which is faster than to look up each key."""

    def __init__(self, mapping: Mapping[str, V], blocks: Sequence[Sequence[V]]) -> None:
        super().__init__(mapping)
        self._blocks = blocks

    def __iter__(self) -> Iterator[V]:
        return chain.from_iterable(self._blocks)
