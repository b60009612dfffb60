"""Decides where users send their requests: distributes them evenly among the service's replicas."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from loadbench.engine.bounds.loopback import address_of, origin_of


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
        self.keep: Mapping[type, str] = {}
        """Base URLs of the user classes whose requests do not go to the service."""
        self._service: frozenset[str | None] = frozenset()
        self._assigned: dict[type, Counter[str]] = {}

    def begin(self, text: str, host: str | None) -> None:
        """Set the addresses of the service in a new cell.

        Args:
            text: Base URLs of its replicas as a JSON list, or an empty text if there are none.
            host: Its base URL.
        """
        self.urls = tuple(map(str, json.loads(text))) if text else ()
        self._service = frozenset(origin_of(url) for url in (host, *self.urls) if url)
        self._assigned = {}

    def assign(self, user: HasHost) -> None:
        """Set the host of a new user, if its class keeps its own, or if there are replicas."""
        if kept := self.keep.get(type(user)):
            user.host = kept
            return
        if not self.urls:
            return
        own = self._assigned.setdefault(type(user), Counter())
        total = sum(self._assigned.values(), Counter())
        url = min(self.urls, key=lambda one: (own[one], total[one]))
        own[url] += 1
        user.host = url

    def is_service(self, url: str) -> bool:
        """Return whether a URL is one of the service under test."""
        return origin_of(url) in self._service

    def address_of(self, url: object, users: Sequence[object]) -> str | None:
        """Return the base URL to which a request went.

        Args:
            url: The URL of the request. Other protocols than HTTP may not report one.
            users: Arguments of the current greenlet, the first of which may be its user.

        Returns:
            None if there are no replicas, or if the user's class keeps its own host.
        """
        if not self.urls or (users and type(users[0]) in self.keep):
            return None
        if isinstance(url, str) and "://" in url:
            return address_of(url)
        return str(getattr(users[0], "host", "")) if users else ""
