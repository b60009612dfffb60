"""A table of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Mood(StrEnum):
    """Colour of a value, as a class of the style sheet. A word or sign repeats its meaning."""

    PLAIN = ""
    GOOD = "good"
    NEAR = "near"
    BAD = "bad"
    DIM = "dim"


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a table."""

    text: str
    mood: Mood = Mood.PLAIN
    href: str = ""
    """Percent-encoded address of a link. Empty if the value is no link."""
    hint: str = ""
    """Text that appears when pointing at the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTable:
    """A table with a header."""

    header: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    left: frozenset[int]
    """Indices of the left-aligned columns. All others are right-aligned, as numbers are."""
    wrapped: frozenset[int] = frozenset()
    """Indices of the columns whose texts are wrapped."""
    legend: tuple[str, ...] = ()
    """Lines below the table."""


def text_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Sequence[int] = (0,),
    wrapped: Sequence[int] = (),
    legend: Sequence[str] = (),
) -> PageTable:
    """Return a table of plain texts."""
    return PageTable(
        header=tuple(name.strip() for name in header),
        rows=tuple(tuple(map(Value, row)) for row in rows),
        left=frozenset(left),
        wrapped=frozenset(wrapped),
        legend=tuple(legend),
    )
