"""Samples of one attempt, as an immutable sequence that grows without being copied."""

from collections.abc import Sequence
from typing import overload

from loadbench.engine.journal.events import Sample


class Samples(Sequence[Sample]):
    """A view of the first samples of a list that is only ever appended to.

    The state of a run is a value: an older one must not change when a newer one is made. Copying
    a tuple for each second would make a day of them quadratic, so states share one list, and each
    knows how much of it is its own.
    """

    __slots__ = ("_length", "_shared")

    def __init__(self, shared: list[Sample] | None = None, length: int = 0) -> None:
        self._shared = [] if shared is None else shared
        self._length = length

    def plus(self, sample: Sample) -> "Samples":
        """Return these samples and one more."""
        grown_by_another = self._length < len(self._shared)
        shared = self._shared[: self._length] if grown_by_another else self._shared
        shared.append(sample)
        return Samples(shared, self._length + 1)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        if isinstance(index, slice):
            return self._shared[slice(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        return self._shared[index if index >= 0 else self._length + index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(self._length)

    def __repr__(self) -> str:
        return f"<{self._length} samples>"
