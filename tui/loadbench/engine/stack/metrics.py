"""The service's own metrics, read every second: queue, workers and what each has done.

Any service may tell them, in Prometheus' text format, under the names that docs/service.md gives.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import requests
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from loadbench.engine.events import Service, Worker

PATH = "/metrics"
ASK_EVERY_S = 1.0
ASK_TIMEOUT_S = 1.0
STALE_AFTER_S = 2.5
MOST_BYTES = 4_000_000
"""More than any metrics page has that tells of queue and workers."""


class ServiceMetrics:
    """Asks for the metrics of a service in a thread of its own.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._url = ""
        self._newest: tuple[float, Service] | None = None
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, host: str) -> None:
        """Ask the service at this address from now on."""
        self._url = host + PATH
        self._newest = None
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="metrics", daemon=True)
            self._thread.start()

    def newest(self) -> Service | None:
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


def ask_metrics(session: requests.Session, url: str) -> Service | None:
    """Return what a service tells at a URL; None: it tells nothing that is known here."""
    # A kept connection would make the service linger when it is told to end.
    headers = {"Connection": "close", "Accept": "text/plain"}
    with suppress(requests.RequestException, ValueError):
        with session.get(url, timeout=ASK_TIMEOUT_S, headers=headers, stream=True) as response:
            page = response.raw.read(MOST_BYTES, decode_content=True)
        if response.ok:
            return parse_metrics(page.decode("utf-8", "replace"))
    return None


def parse_metrics(text: str) -> Service | None:
    """Return what a page of metrics tells; None: nothing that is known here.

    Raises:
        ValueError: It is no page of metrics.
    """
    found = {family.name: family for family in text_string_to_metric_families(text)}
    length, workers = _value(found, "queue_length"), _value(found, "workers")
    images = _by_worker(found, "worker_images")
    infer = _by_worker(found, "worker_infer_seconds")
    totals = tuple(
        Worker(id=name, images=int(images[name]), infer_s=round(infer[name], 4))
        for name in sorted(images.keys() & infer.keys())
    )
    if length is None and workers is None and not totals:
        return None
    return Service(
        queue_length=length, workers=None if workers is None else int(workers), totals=totals
    )


def _value(found: Mapping[str, Metric], name: str) -> float | None:
    family = found.get(f"loadbench_{name}")
    return float(family.samples[0].value) if family and family.samples else None


def _by_worker(found: Mapping[str, Metric], name: str) -> dict[str, float]:
    family = found.get(f"loadbench_{name}")
    samples: Iterable[tuple[str, float]] = (
        (it.labels["worker"], float(it.value))
        for it in (family.samples if family else ())
        if it.name.endswith("_total") and "worker" in it.labels
    )
    return dict(samples)
