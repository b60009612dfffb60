"""Polls a service's metrics every second: queue length, number of workers, work of each worker.

Any service can expose these metrics in the Prometheus text format. docs/service.md lists the names.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from itertools import islice

from prometheus_client.parser import text_string_to_metric_families

from loadbench.engine.bounds.connect import DEFAULT_TRUST, NoResponseError, Trust
from loadbench.engine.bounds.http import request
from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.journal.events import ServiceMetrics, Worker

PATH = "/metrics"
QUEUE_LENGTH = "loadbench_queue_length"
WORKERS = "loadbench_workers"
IMAGES = "loadbench_worker_images_total"
INFER_SECONDS = "loadbench_worker_infer_seconds_total"
_KNOWN_LINE = re.compile(f"^(?:{QUEUE_LENGTH}|{WORKERS}|{IMAGES}|{INFER_SECONDS})[^\\n]*", re.M)
_MAX_VALUE = 1e15
"""Upper limit of plausible values. Larger values and NaN are ignored."""

POLL_INTERVAL_S = 1.0
REQUEST_TIMEOUT_S = 1.0
STALE_AFTER_S = 2.5
"""Age in seconds above which metrics are no longer reported."""

MAX_BYTES = 4_000_000
"""Size limit of a metrics page, which may contain many other metrics."""

MAX_WORKERS = 1_000
"""Limit for the workers of a page. Each sample in the journal contains them."""

MAX_WORKER_CHARACTERS = 120
"""Limit for the name of a worker."""

_MAX_LINES = 2 * MAX_WORKERS + 2
_MAX_LINE_CHARACTERS = 1_000
"""Limit for a line with a known metric. The parser takes minutes for a very long line."""


class MetricsPoller:
    """Polls the metrics of a service in a background thread.

    Args:
        clock: Monotonic clock, in seconds.
        headers: HTTP headers of the requests.
        trust: Which certificates of services to trust.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        headers: Mapping[str, str] | None = None,
        trust: Trust = DEFAULT_TRUST,
    ) -> None:
        self._clock = clock
        self._headers = dict(headers or {})
        self._trust = trust
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

    def pause(self) -> None:
        """Stop polling until `follow` is called again."""
        self._url, self._newest = "", None

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
        while not self._closed.is_set():
            url = self._url
            metrics = fetch_metrics(url, self._headers, self._trust) if url else None
            if metrics and url == self._url:
                self._newest = (self._clock(), metrics)
            self._closed.wait(POLL_INTERVAL_S)


def fetch_metrics(
    url: str, headers: Mapping[str, str] | None = None, trust: Trust = DEFAULT_TRUST
) -> ServiceMetrics | None:
    """Return the metrics of a page, or None if there is no usable page or no known metric."""
    try:
        response = request(
            url,
            timeout_s=REQUEST_TIMEOUT_S,
            max_bytes=MAX_BYTES,
            headers={"Accept": "text/plain", **(headers or {})},
            trust=trust,
        )
        return parse_metrics(response.body) if response.is_success else None
    except (NoResponseError, BadInputError):
        return None


def parse_metrics(page: bytes) -> ServiceMetrics | None:
    """Parse a page in the Prometheus text format. Return None if it has no known metrics.

    Raises:
        BadInputError: A line with a known metric name is malformed, or a limit is exceeded.
    """
    return parse(page, _parse, max_bytes=MAX_BYTES)


def _parse(page: bytes) -> ServiceMetrics | None:
    values: dict[str, float] = {}
    by_worker: dict[str, dict[str, float]] = {IMAGES: {}, INFER_SECONDS: {}}
    for family in text_string_to_metric_families(_known_lines(page.decode("utf-8", "replace"))):
        for sample in family.samples:
            worker, value = sample.labels.get("worker"), sample.value
            if not 0 <= value <= _MAX_VALUE:
                continue
            if sample.name in by_worker and worker is not None:
                if len(worker) <= MAX_WORKER_CHARACTERS:
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


def _known_lines(text: str) -> str:
    """Return the lines with known metrics. Others may be many or malformed and are not parsed.

    Raises:
        ValueError: There are too many lines, or one is too long.
    """
    lines = [found[0] for found in islice(_KNOWN_LINE.finditer(text), _MAX_LINES + 1)]
    if len(lines) > _MAX_LINES or any(len(line) > _MAX_LINE_CHARACTERS for line in lines):
        raise ValueError("more or longer lines than any service needs")
    return "".join(f"{line}\n" for line in lines)
