"""Load levels: the load that a cell puts on the service. Pure.

All other modules use a level only through the protocol `Level`, never through the fields of a
class. A new kind of load is a new class here.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, ClassVar, Protocol

from pydantic import TypeAdapter, ValidationError


class Level(Protocol):
    """The load of a cell."""

    unit: ClassVar[str]
    """The unit of the label: `users`."""

    @property
    def phrase(self) -> str:
        """The label with its unit: `1 user`, `50 users`."""

    @property
    def label(self) -> str:
        """The amount of load without its unit: `50`."""

    @property
    def detail(self) -> str:
        """What distinguishes levels with the same label: `10/s`. Empty if nothing does."""

    @property
    def amount(self) -> float:
        """The label as a number. A larger number means more load."""

    @property
    def order(self) -> tuple[float, ...]:
        """Sort key for ascending load."""

    @property
    def key(self) -> str:
        """The part of a cell's key: `u50_s10`."""

    @property
    def report_name(self) -> str:
        """The part of the file name of a cell's report: `50_10`."""

    @property
    def fields(self) -> Mapping[str, float]:
        """The numbers of the level, by their field names in journals and summaries."""

    @property
    def users(self) -> int | None:
        """Number of concurrent users. None: not fixed by this kind of load."""

    @property
    def ramp_s(self) -> float:
        """Seconds from the first user to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Closed load: a fixed number of users, each waiting for a response before the next request."""

    unit: ClassVar[str] = "users"
    users: int
    spawn_rate: float
    """Users started per second."""

    @property
    def label(self) -> str:
        """The number of users."""
        return str(self.users)

    @property
    def phrase(self) -> str:
        """The number of users with its unit: `1 user`, `50 users`."""
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
        """Users, then spawn rate."""
        return self.users, self.spawn_rate

    @property
    def key(self) -> str:
        """`u50_s10`, with the spawn rate as `%g`."""
        return f"u{self.users}_s{self.spawn_rate:g}"

    @property
    def report_name(self) -> str:
        """`50_10`, with the spawn rate as `%g`."""
        return f"{self.users}_{self.spawn_rate:g}"

    @property
    def fields(self) -> Mapping[str, float]:
        """Users and spawn rate."""
        return asdict(self)

    @property
    def ramp_s(self) -> float:
        """Seconds from the first user to the last. Locust starts users once per second."""
        return max(0.0, math.ceil(self.users / self.spawn_rate) - 1)


KINDS: tuple[type[Level], ...] = (Closed,)
"""Kinds of load. In journals, the field names identify the kind."""


def level_of(fields: Mapping[str, Any]) -> Level:
    """Return the level recorded in a journal.

    Args:
        fields: The names and values of `Level.fields`. Other fields are ignored.

    Raises:
        ValueError: The fields match no kind of load of this version.
    """
    for kind in KINDS:
        try:
            return _adapter(kind).validate_python(dict(fields))
        except ValidationError:
            continue
    raise ValueError(f"no kind of load has the fields {', '.join(fields)}")


@cache
def _adapter(kind: type[Level]) -> TypeAdapter[Level]:
    return TypeAdapter(kind)
