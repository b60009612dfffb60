"""The load that a cell puts on the service, as a type of its own. Pure.

Plan, fold, rows and views know a level by what `Level` says of it, never by its fields: another
kind of load is another class here.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, ClassVar, Protocol

from pydantic import TypeAdapter, ValidationError


class Level(Protocol):
    """How much load there is in a cell."""

    unit: ClassVar[str]
    """What the label counts: `users`."""

    @property
    def phrase(self) -> str:
        """The label with its unit: `1 user`, `50 users`."""

    @property
    def label(self) -> str:
        """How much of that unit: `50`."""

    @property
    def detail(self) -> str:
        """What else tells it from a level with the same label: `10/s`. Empty: nothing."""

    @property
    def amount(self) -> float:
        """The label as a number: more is more load."""

    @property
    def order(self) -> tuple[float, ...]:
        """What levels are sorted by, ascending load."""

    @property
    def key(self) -> str:
        """Its part of a cell's key: `u50_s10`."""

    @property
    def report_name(self) -> str:
        """Its part of the name of a cell's report: `50_10`."""

    @property
    def fields(self) -> Mapping[str, float]:
        """Its numbers by the names that journals and summaries give them."""

    @property
    def users(self) -> int | None:
        """Users at a time. None: as many as the load takes."""

    @property
    def ramp_s(self) -> float:
        """Seconds from the first user to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A fixed number of users, each of whom waits for a response before the next request."""

    unit: ClassVar[str] = "users"
    users: int
    spawn_rate: float
    """Users started per second, in batches: whole users, all of a batch at once."""

    @property
    def label(self) -> str:
        """The number of users."""
        return str(self.users)

    @property
    def phrase(self) -> str:
        """The number of users, with that word."""
        return "1 user" if self.users == 1 else f"{self.users} users"

    @property
    def detail(self) -> str:
        """The spawn rate."""
        return f"{self.spawn_rate:g}/s"

    @property
    def amount(self) -> float:
        """The number of users."""
        return float(self.users)

    @property
    def order(self) -> tuple[float, ...]:
        """By users, then by spawn rate."""
        return self.users, self.spawn_rate

    @property
    def key(self) -> str:
        """`u50_s10`; the spawn rate as `%g`."""
        return f"u{self.users}_s{self.spawn_rate:g}"

    @property
    def report_name(self) -> str:
        """`50_10`; the spawn rate as `%g`."""
        return f"{self.users}_{self.spawn_rate:g}"

    @property
    def fields(self) -> Mapping[str, float]:
        """Users and spawn rate."""
        return asdict(self)

    @property
    def ramp_s(self) -> float:
        """Seconds from the first user to the last; Locust starts them in whole seconds."""
        return max(0.0, math.ceil(self.users / self.spawn_rate) - 1)


KINDS: tuple[type[Level], ...] = (Closed,)
"""Kinds of load, told apart in journals by the names of their fields."""


def level_of(fields: Mapping[str, Any]) -> Level:
    """Return the level that a journal recorded.

    Args:
        fields: Those of `Level.fields`, perhaps among others.

    Raises:
        ValueError: They are those of no kind that this version knows.
    """
    for kind in KINDS:
        try:
            return _adapter(kind).validate_python(dict(fields))
        except ValidationError:
            continue
    raise ValueError(f"no level has the fields {', '.join(fields)}")


@cache
def _adapter(kind: type[Level]) -> TypeAdapter[Level]:
    return TypeAdapter(kind)
