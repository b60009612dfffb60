"""Polls a service's metrics every second: queue length, number of workers, work of each worker.

Any service can expose these metrics in the Prometheus text format. docs/service.md lists the names.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import requests
from prometheus_client.parser import text_string_to_metric_families
from urllib3.exceptions import HTTPError

from loadbench.engine.journal.events import ServiceMetrics, Worker

PATH = "/metrics"
QUEUE_LENGTH = "loadbench_queue_length"
WORKERS = "loadbench_workers"
IMAGES = "loadbench_worker_images_total"
INFER_SECONDS = "loadbench_worker_infer_seconds_total"
_METRIC_NAMES = (QUEUE_LENGTH, WORKERS, IMAGES, INFER_SECONDS)
_MAX_VALUE = 1e15
"""Upper limit of plausible values. Larger values and NaN are ignored."""

POLL_INTERVAL_S = 1.0
REQUEST_TIMEOUT_S = 1.0
STALE_AFTER_S = 2.5
"""Age in seconds above which metrics are no longer reported."""

MAX_BYTES = 4_000_000
"""Size limit of a metrics page. Pages with queue and worker metrics are much smaller."""


class MetricsPoller:
    """Polls the metrics of a service in a background thread.

    Args:
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._url = ""
        self._newest: tuple[float, ServiceMetrics] | None = None
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, host: str) -> None:
        """Start polling the service at this base URL, which replaces any previous one."""
        self._url = host + PATH
        self._newest = None
        if self._thread is None:
            self._thread = threading.Thread(target=self._poll, name="metrics", daemon=True)
            self._thread.start()

    def newest(self) -> ServiceMetrics | None:
        """Return the latest metrics, or None if there are none yet or they are stale."""
        newest = self._newest
        if newest is None or self._clock() - newest[0] > STALE_AFTER_S:
            return None
        return newest[1]

    def close(self) -> None:
        """Stop polling."""
        self._closed.set()

    def _poll(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not self._closed.is_set():
                url = self._url
                metrics = fetch_metrics(session, url)
                if metrics and url == self._url:
                    self._newest = (self._clock(), metrics)
                self._closed.wait(POLL_INTERVAL_S)


def fetch_metrics(session: requests.Session, url: str) -> ServiceMetrics | None:
    """Return the metrics of a page, or None if there is no response or no known metric."""
    # An open keep-alive connection would delay the shutdown of the service.
    headers = {"Connection": "close", "Accept": "text/plain"}
    with (
        suppress(requests.RequestException, HTTPError, OSError, ValueError),
        session.get(url, timeout=REQUEST_TIMEOUT_S, headers=headers, stream=True) as response,
    ):
        if response.ok:
            return parse_metrics(_read_body(response))
    return None


def parse_metrics(text: str) -> ServiceMetrics | None:
    """Parse a page in the Prometheus text format. Return None if it has no known metrics.

    Raises:
        ValueError: A line with a known metric name is malformed.
    """
    # Other lines are not parsed: there may be many, and they may be malformed.
    known = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(_METRIC_NAMES))
    values: dict[str, float] = {}
    by_worker: dict[str, dict[str, float]] = {IMAGES: {}, INFER_SECONDS: {}}
    for family in text_string_to_metric_families(known):
        for sample in family.samples:
            worker, value = sample.labels.get("worker"), float(sample.value)
            if not 0 <= value <= _MAX_VALUE:
                continue
            if sample.name in by_worker and worker is not None:
                by_worker[sample.name][worker] = value
            elif not sample.labels:
                values[sample.name] = value
    images, infer = by_worker[IMAGES], by_worker[INFER_SECONDS]
    totals = tuple(
        Worker(id=name, images=int(images[name]), infer_s=round(infer[name], 4))
        for name in sorted(images.keys() & infer.keys())
    )
    length, workers = values.get(QUEUE_LENGTH), values.get(WORKERS)
    if length is None and workers is None and not totals:
        return None
    return ServiceMetrics(
        queue_length=length, workers=None if workers is None else int(workers), totals=totals
    )


def _read_body(response: requests.Response) -> str:
    """Read a response body within the time and size limits.

    Raises:
        ValueError: A limit was exceeded.
    """
    deadline, body = time.monotonic() + REQUEST_TIMEOUT_S, b""
    for chunk in response.iter_content(65536):
        body += chunk
        if len(body) > MAX_BYTES or time.monotonic() > deadline:
            raise ValueError("metrics page exceeds the size or time limit")
    return body.decode("utf-8", "replace")
