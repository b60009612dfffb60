"""The service's own metrics, read every second: queue, workers and what each has done.

Any service may tell them, in Prometheus' text format, under the names that docs/service.md gives.
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
_OURS = (QUEUE_LENGTH, WORKERS, IMAGES, INFER_SECONDS)
_MAX_VALUE = 1e15
"""More than anybody counts: what is more, or no number at all, is not believed."""

ASK_EVERY_S = 1.0
ASK_TIMEOUT_S = 1.0
STALE_AFTER_S = 2.5
MAX_BYTES = 4_000_000
"""More than any metrics page has that tells of queue and workers."""


class MetricsPoller:
    """Asks for the metrics of a service in a thread of its own.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._url = ""
        self._newest: tuple[float, ServiceMetrics] | None = None
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, host: str) -> None:
        """Ask the service at this address from now on."""
        self._url = host + PATH
        self._newest = None
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="metrics", daemon=True)
            self._thread.start()

    def newest(self) -> ServiceMetrics | None:
        """Return what was told last; None: nothing, or not lately."""
        newest = self._newest
        if newest is None or self._clock() - newest[0] > STALE_AFTER_S:
            return None
        return newest[1]

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()

    def _go_on(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not self._closed.is_set():
                url = self._url
                told = ask_metrics(session, url)
                if told and url == self._url:
                    self._newest = (self._clock(), told)
                self._closed.wait(ASK_EVERY_S)


def ask_metrics(session: requests.Session, url: str) -> ServiceMetrics | None:
    """Return what a service tells at a URL; None: it tells nothing that is known here."""
    # A kept connection would make the service linger when it is told to end.
    headers = {"Connection": "close", "Accept": "text/plain"}
    with (
        suppress(requests.RequestException, HTTPError, OSError, ValueError),
        session.get(url, timeout=ASK_TIMEOUT_S, headers=headers, stream=True) as response,
    ):
        if response.ok:
            return parse_metrics(_page(response))
    return None


def parse_metrics(text: str) -> ServiceMetrics | None:
    """Return what a page of metrics tells; None: nothing that is known here.

    Raises:
        ValueError: What it says under our names is no metric.
    """
    # Pages of others may be long, and may hold what no parser understands.
    ours = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(_OURS))
    values: dict[str, float] = {}
    of_workers: dict[str, dict[str, float]] = {IMAGES: {}, INFER_SECONDS: {}}
    for family in text_string_to_metric_families(ours):
        for sample in family.samples:
            worker, value = sample.labels.get("worker"), float(sample.value)
            if not 0 <= value <= _MAX_VALUE:
                continue
            if sample.name in of_workers and worker is not None:
                of_workers[sample.name][worker] = value
            elif not sample.labels:
                values[sample.name] = value
    images, infer = of_workers[IMAGES], of_workers[INFER_SECONDS]
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


def _page(response: requests.Response) -> str:
    """Return what a service answers, unless that takes too long or never ends.

    Raises:
        ValueError: It does.
    """
    deadline, page = time.monotonic() + ASK_TIMEOUT_S, b""
    for chunk in response.iter_content(65536):
        page += chunk
        if len(page) > MAX_BYTES or time.monotonic() > deadline:
            raise ValueError("a page of metrics without an end")
    return page.decode("utf-8", "replace")
