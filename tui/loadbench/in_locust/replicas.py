"""Distributes the users evenly among the replicas of a service."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Protocol


class HasHost(Protocol):
    """The part of one of Locust's users that matters here."""

    host: str | None
    """Base URL of its requests."""


class Replicas:
    """Assigns each new user to a replica: the one with the fewest users of the same class.

    Locust starts the users of several classes in turns, so counting the classes together would
    give each replica users of some classes only.
    """

    def __init__(self) -> None:
        self.urls: tuple[str, ...] = ()
        """Base URLs of the replicas. Empty if all requests go to one address."""
        self._assigned: dict[type, Counter[str]] = {}

    def begin(self, text: str) -> None:
        """Set the replicas of a new cell.

        Args:
            text: Their base URLs as a JSON list, or an empty text if there are none.
        """
        self.urls = tuple(map(str, json.loads(text))) if text else ()
        self._assigned = {}

    def assign(self, user: HasHost) -> None:
        """Set the host of a new user, if there are replicas."""
        if not self.urls:
            return
        own = self._assigned.setdefault(type(user), Counter())
        total = sum(self._assigned.values(), Counter())
        url = min(self.urls, key=lambda one: (own[one], total[one]))
        own[url] += 1
        user.host = url

    def address_of(self, url: object, users: Sequence[object]) -> str | None:
        """Return the base URL to which a request went; None if there are no replicas.

        Args:
            url: The URL of the request. Other protocols than HTTP may not report one.
            users: Arguments of the current greenlet, the first of which may be its user.
        """
        if not self.urls:
            return None
        if isinstance(url, str) and "://" in url:
            scheme, _, rest = url.partition("://")
            return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}"
        return str(getattr(users[0], "host", "")) if users else ""
