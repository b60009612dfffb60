"""Samples of one attempt in bounded memory: recent seconds whole, older ones in buckets."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

from loadbench.engine.journal.events import Sample
from loadbench.engine.journal.time_bucket import BUCKET_S, TimeBucket, bucket_of

WHOLE_S = 600
"""Seconds that are kept whole at least: charts of attempts up to that have narrower slices.
Each costs about 10 kB with eight containers, a bucket about 1 kB (bench/memory.py).
"""

WholeSeconds = tuple[Sample, ...]
Part = Sample | TimeBucket


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Samples(Sequence[Sample]):
    """An immutable sequence of seconds that grows without being copied.

    The state of a run is a value: an older one must not change when a newer one is made. So all
    states share the list of old chunks, which is only ever appended to, and each knows how much of
    it is its own. A chunk has ten seconds; an old one is a bucket, unless a phase begins within it.
    """

    whole_s: int = WHOLE_S
    """How many of the newest seconds are kept whole, at least."""
    first: Sample | None = None
    """None: there are no samples."""
    _old: list[TimeBucket | WholeSeconds] = field(default_factory=list)
    _old_length: int = 0
    _recent: tuple[WholeSeconds, ...] = ()
    _current: WholeSeconds = ()
    """Fewer than a chunk holds."""

    def plus(self, sample: Sample, bounds: Iterable[int] = ()) -> "Samples":
        """Return these samples and one more.

        Args:
            sample: The next second. Seconds follow each other without a gap: the recorder writes
                those without requests too.
            bounds: Seconds at which phases begin: no bucket reaches across one.
        """
        first, current = self.first or sample, (*self._current, sample)
        if len(current) < BUCKET_S:
            return replace(self, first=first, _current=current)
        recent = (*self._recent, current)
        if (len(recent) - 1) * BUCKET_S < self.whole_s:
            return replace(self, _recent=recent, _current=())
        grown_by_another = self._old_length < len(self._old)
        old = self._old[: self._old_length] if grown_by_another else self._old
        begin = first.second + self._old_length * BUCKET_S
        is_divided = any(begin < bound < begin + BUCKET_S for bound in bounds)
        old.append(recent[0] if is_divided else bucket_of(recent[0]))
        length = self._old_length + 1
        return replace(self, _old=old, _old_length=length, _recent=recent[1:], _current=())

    def parts(self, begin: int = 0, end: int | None = None) -> Iterator[Part]:
        """Yield the samples of a range, and buckets where there are no samples any more.

        Args:
            begin: The index of the first second.
            end: The index after the last one; None: to the end.

        Raises:
            LookupError: A bucket would have to be divided; see `divides`.
        """
        end = len(self) if end is None else min(end, len(self))
        for at in range(begin - begin % BUCKET_S, end, BUCKET_S):
            chunk = self._chunk(at)
            if not isinstance(chunk, TimeBucket):
                yield from chunk[max(0, begin - at) : end - at]
            elif begin <= at and at + BUCKET_S <= end:
                yield chunk
            else:
                raise LookupError(f"second {at} and those after it are one bucket")

    def divides(self, index: int) -> bool:
        """Return whether a bucket would have to be divided to begin or end there."""
        return index % BUCKET_S > 0 and isinstance(self._chunk(index), TimeBucket)

    def _chunk(self, index: int) -> TimeBucket | WholeSeconds:
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
        """Return seconds that are kept whole.

        Raises:
            LookupError: One of them is not.
        """
        if isinstance(index, slice):
            return [self[it] for it in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        chunk = self._chunk(index)
        if isinstance(chunk, TimeBucket):
            # Not an IndexError, which would end a loop as if there were no more seconds.
            raise LookupError(f"second {index} is kept in a bucket only")  # noqa: TRY004  # not its type
        return chunk[index % BUCKET_S]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Samples) and list(self.parts()) == list(other.parts())

    def __hash__(self) -> int:
        return hash(len(self))

    def __repr__(self) -> str:
        return f"<{len(self)} samples>"
