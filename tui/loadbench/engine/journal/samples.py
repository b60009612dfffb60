"""Samples of one attempt in bounded memory: recent seconds in full, older ones in buckets."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

from loadbench.engine.journal.events import Sample
from loadbench.engine.journal.time_bucket import BUCKET_S, TimeBucket, bucket_of
from loadbench.engine.profile.model import SETTLE_WINDOWS, Profile

FULL_RESOLUTION_S = 600
"""Minimum number of seconds kept in full. Charts of attempts up to this length can then use slices
narrower than a bucket. With eight containers, a second takes about 10 kB and a bucket about 1 kB
(bench/memory.py). Each measurement adds 0.3 kB to a bucket.
"""

FullSeconds = tuple[Sample, ...]
Part = Sample | TimeBucket


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Samples(Sequence[Sample]):
    """An immutable sequence of samples that can be extended without being copied.

    The state of a run is immutable: deriving a newer state must not change the older one. All
    states therefore share an append-only list of old chunks, and each records how many of them
    belong to it. A chunk is ten seconds. An old chunk is a bucket, unless a phase starts within it.
    """

    whole_s: int = FULL_RESOLUTION_S
    """Minimum number of the newest seconds to keep in full."""
    first: Sample | None = None
    """The first sample, or None if there are no samples."""
    _old: list[TimeBucket | FullSeconds] = field(default_factory=list)
    _old_length: int = 0
    _recent: tuple[FullSeconds, ...] = ()
    _current: FullSeconds = ()
    """The newest seconds, fewer than a full chunk."""

    def plus(self, sample: Sample, bounds: Iterable[int] = ()) -> "Samples":
        """Return a sequence with one more sample.

        Args:
            sample: The next second. There are no gaps: the recorder also writes seconds without
                requests.
            bounds: Seconds at which phases start. No bucket extends across a phase start.
        """
        first, current = self.first or sample, (*self._current, sample)
        if len(current) < BUCKET_S:
            return replace(self, first=first, _current=current)
        recent = (*self._recent, current)
        if (len(recent) - 1) * BUCKET_S < self.whole_s:
            return replace(self, _recent=recent, _current=())
        is_list_extended = self._old_length < len(self._old)
        old = self._old[: self._old_length] if is_list_extended else self._old
        begin = first.second + self._old_length * BUCKET_S
        is_divided = any(begin < bound < begin + BUCKET_S for bound in bounds)
        old.append(recent[0] if is_divided else bucket_of(recent[0]))
        length = self._old_length + 1
        return replace(self, _old=old, _old_length=length, _recent=recent[1:], _current=())

    def parts(self, begin: int = 0, end: int | None = None) -> Iterator[Part]:
        """Yield the samples of a range, and buckets in place of older samples.

        Args:
            begin: Index of the first second.
            end: Index after the last second. If None, the range extends to the end.

        Raises:
            LookupError: `begin` or `end` falls within a bucket; see `divides`.
        """
        end = len(self) if end is None else min(end, len(self))
        for at in range(begin - begin % BUCKET_S, end, BUCKET_S):
            chunk = self._chunk(at)
            if not isinstance(chunk, TimeBucket):
                yield from chunk[max(0, begin - at) : end - at]
            elif begin <= at and at + BUCKET_S <= end:
                yield chunk
            else:
                raise LookupError(f"seconds {at} to {at + BUCKET_S - 1} are merged in one bucket")

    def divides(self, index: int) -> bool:
        """Return whether `index` falls within a bucket."""
        return index % BUCKET_S > 0 and isinstance(self._chunk(index), TimeBucket)

    def _chunk(self, index: int) -> TimeBucket | FullSeconds:
        number = index // BUCKET_S
        if number < self._old_length:
            return self._old[number]
        number -= self._old_length
        return self._recent[number] if number < len(self._recent) else self._current

    def __len__(self) -> int:
        return (self._old_length + len(self._recent)) * BUCKET_S + len(self._current)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        """Return seconds that are kept in full.

        Raises:
            LookupError: A requested second is merged into a bucket.
        """
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        chunk = self._chunk(index)
        if isinstance(chunk, TimeBucket):
            # Not an IndexError, which would silently end iteration.
            raise LookupError(f"second {index} is merged in a bucket")  # noqa: TRY004  # no type error
        return chunk[index % BUCKET_S]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Samples) and list(self.parts()) == list(other.parts())

    def __hash__(self) -> int:
        return hash(len(self))

    def __repr__(self) -> str:
        return f"<{len(self)} samples>"


def whole_seconds(profile: Profile | None) -> int:
    """Return the number of seconds to keep in full, enough for the settling check."""
    needed_s = SETTLE_WINDOWS * math.ceil(profile.settle.window) if profile else 0
    return max(FULL_RESOLUTION_S, needed_s)
