"""Load levels: the load that a cell puts on the service.

Other modules use a level only through the protocol `Level`, not through the fields of a class. To
add a kind of load, add a class to this module.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import Field, TypeAdapter, ValidationError


class Level(Protocol):
    """Interface that all kinds of load share."""

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
        """A value that distinguishes levels with the same label, such as `10/s`; may be empty."""

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
        """Numeric fields of the level, by their names in journals and summaries."""

    @property
    def users(self) -> int | None:
        """Number of concurrent users. None if this kind of load does not fix it."""

    @property
    def ramp_s(self) -> float:
        """Seconds from the first user to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Closed load: a fixed number of users, each waiting for a response before the next request."""

    unit: ClassVar[str] = "users"
    users: Annotated[int, Field(ge=1, le=10**9)]
    spawn_rate: Annotated[float, Field(gt=1e-6, le=1e9)]
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
        """The key, such as `u50_s10`, with the spawn rate formatted as `%g`."""
        return f"u{self.users}_s{self.spawn_rate:g}"

    @property
    def report_name(self) -> str:
        """The name, such as `50_10`, with the spawn rate formatted as `%g`."""
        return f"{self.users}_{self.spawn_rate:g}"

    @property
    def fields(self) -> Mapping[str, float]:
        """Users and spawn rate."""
        return asdict(self)

    @property
    def ramp_s(self) -> float:
        """Seconds from the first user to the last. Locust starts users in batches once a second."""
        return max(0.0, math.ceil(self.users / self.spawn_rate) - 1)


KINDS: tuple[type[Level], ...] = (Closed,)
"""Kinds of load. In journals, the field names identify the kind."""


def level_of(fields: Mapping[str, Any]) -> Level:
    """Return the level recorded in a journal.

    Args:
        fields: The names and values of `Level.fields`. Other fields are ignored.

    Raises:
        ValueError: The fields match no kind of load that this version supports.
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
