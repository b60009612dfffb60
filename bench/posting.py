"""Users who post pictures to the service and note every answer, for the other benchmarks."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURES = tuple(path.read_bytes() for path in sorted((REPOSITORY / "images").glob("*.jpg")))
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request got."""

    number: int
    """Requests are numbered from 0; number n sends picture n modulo their count."""
    begun_s: float
    """By the monotonic clock."""
    latency_ms: float
    status: int
    """0: no answer."""
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def stages(self) -> dict[str, float]:
        """Where the time of a prediction went, in ms, its way there and back included."""
        told = {name: float(dur) for name, dur in self.body["timings_ms"].items()}
        total = told.pop("total")
        return told | {"api": total - sum(told.values()), "network": self.latency_ms - total}


class Users:
    """A number of users, each of whom posts the next picture after the answer to the last."""

    def __init__(
        self,
        url: str,
        users: int,
        *,
        most: int | None = None,
        after_refusal_s: Callable[[Answer], float] = lambda _: 0.0,
    ) -> None:
        """Start them.

        Args:
            url: The service, as `http://host:port`.
            users: How many.
            most: The number of requests after which all stop; None: they go on until `stop`.
            after_refusal_s: How long a user waits after a 503.
        """
        self._address = urlsplit(url).netloc
        self._most = most
        self._after_refusal_s = after_refusal_s
        self._numbers = count()
        self._stopped = threading.Event()
        self.answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._use) for _ in range(users)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[Answer]:
        """Wait for what is under way, and return all answers."""
        self._stopped.set()
        return self.join()

    def join(self) -> list[Answer]:
        """Wait until all requests are made, and return all answers."""
        for thread in self._threads:
            thread.join()
        return self.answers

    def during(self, seconds: float) -> list[Answer]:
        """Return the answers that come in the next seconds."""
        before = len(self.answers)
        time.sleep(seconds)
        return self.answers[before:]

    @property
    def busy(self) -> bool:
        """Whether somebody still posts."""
        return any(thread.is_alive() for thread in self._threads)

    def _use(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_S)
        while not self._stopped.is_set():
            number = next(self._numbers)
            if self._most is not None and number >= self._most:
                return
            answer = post(connection, number)
            self.answers.append(answer)
            if answer.status == http.client.SERVICE_UNAVAILABLE:
                self._stopped.wait(self._after_refusal_s(answer))


def post(connection: http.client.HTTPConnection, number: int) -> Answer:
    """Post one picture."""
    begun = time.monotonic()
    try:
        connection.request(
            "POST", "/predict", PICTURES[number % len(PICTURES)], {"Content-Type": "image/jpeg"}
        )
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        latency_ms = (time.monotonic() - begun) * 1000
        return Answer(number=number, begun_s=begun, latency_ms=latency_ms, status=0)
    return Answer(
        number=number,
        begun_s=begun,
        latency_ms=(time.monotonic() - begun) * 1000,
        status=response.status,
        body=json.loads(body),
        headers=dict(response.getheaders()),
    )


def median_stages(answers: Sequence[Answer]) -> dict[str, float]:
    """Return the median of each stage in ms."""
    stages = [answer.stages for answer in answers]
    return {name: statistics.median(it[name] for it in stages) for name in stages[0]}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile, `share` in 0…1."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
