"""Users that post images to the service and record every response, for other benchmarks."""

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
    """The response to one request."""

    number: int
    """Number of the request, from 0. Request n sends image n modulo the number of images."""
    started_s: float
    """Start of the request, in monotonic seconds."""
    latency_ms: float
    status: int
    """HTTP status, or 0 if there was no response."""
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def stages(self) -> dict[str, float]:
        """Duration of each stage of a prediction in ms, including `api` and `network`."""
        stages = {name: float(dur) for name, dur in self.body["timings_ms"].items()}
        total = stages.pop("total")
        return stages | {"api": total - sum(stages.values()), "network": self.latency_ms - total}


class Users:
    """Concurrent users that each post the next image after the response to the previous one."""

    def __init__(
        self,
        url: str,
        users: int,
        *,
        max_requests: int | None = None,
        pause_after_rejection_s: Callable[[Answer], float] = lambda _: 0.0,
    ) -> None:
        """Start the users.

        Args:
            url: Address of the service, as `http://host:port`.
            users: Number of users.
            max_requests: Total number of requests, or None to continue until `stop`.
            pause_after_rejection_s: Returns the seconds that a user waits after a 503.
        """
        self._address = urlsplit(url).netloc
        self._max_requests = max_requests
        self._pause_after_rejection_s = pause_after_rejection_s
        self._numbers = count()
        self._stopped = threading.Event()
        self.answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._use) for _ in range(users)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[Answer]:
        """Stop the users after their requests in flight, and return all answers."""
        self._stopped.set()
        return self.join()

    def join(self) -> list[Answer]:
        """Wait until all requests have completed, and return all answers."""
        for thread in self._threads:
            thread.join()
        return self.answers

    def during(self, seconds: float) -> list[Answer]:
        """Wait for this many seconds, and return the answers that arrived."""
        before = len(self.answers)
        time.sleep(seconds)
        return self.answers[before:]

    @property
    def busy(self) -> bool:
        """Whether any user is still active."""
        return any(thread.is_alive() for thread in self._threads)

    def _use(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_S)
        while not self._stopped.is_set():
            number = next(self._numbers)
            if self._max_requests is not None and number >= self._max_requests:
                return
            answer = post(connection, number)
            self.answers.append(answer)
            if answer.status == http.client.SERVICE_UNAVAILABLE:
                self._stopped.wait(self._pause_after_rejection_s(answer))


def post(connection: http.client.HTTPConnection, number: int) -> Answer:
    """Post one image and return the answer."""
    started = time.monotonic()
    try:
        connection.request(
            "POST", "/predict", PICTURES[number % len(PICTURES)], {"Content-Type": "image/jpeg"}
        )
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        latency_ms = (time.monotonic() - started) * 1000
        return Answer(number=number, started_s=started, latency_ms=latency_ms, status=0)
    return Answer(
        number=number,
        started_s=started,
        latency_ms=(time.monotonic() - started) * 1000,
        status=response.status,
        body=json.loads(body),
        headers=dict(response.getheaders()),
    )


def median_stages(answers: Sequence[Answer]) -> dict[str, float]:
    """Return the median of each stage in ms."""
    stages = [answer.stages for answer in answers]
    return {name: statistics.median(each[name] for each in stages) for name in stages[0]}


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the nearest-rank percentile for a fraction, 0 to 1."""
    ordered = sorted(values)
    return ordered[max(0, -int(-fraction * len(ordered) // 1) - 1)]
