"""Polling and parsing the metrics of a service."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.drivers.metrics import (
    IMAGES,
    MAX_WORKER_CHARACTERS,
    MAX_WORKERS,
    MetricsPoller,
    fetch_metrics,
    parse_metrics,
)
from loadbench.engine.drivers.metrics import INFER_SECONDS as INFER
from loadbench.engine.journal.events import ServiceMetrics, Worker
from tests.support.harness import until

PAGE = """# HELP loadbench_queue_length Jobs waiting for a worker.
# TYPE loadbench_queue_length gauge
loadbench_queue_length 7.0
# TYPE loadbench_workers gauge
loadbench_workers 2.0
# TYPE loadbench_worker_images_total counter
loadbench_worker_images_total{worker="model-2.2"} 40.0
loadbench_worker_images_total{worker="model-1.1"} 60.0
# TYPE loadbench_worker_infer_seconds_total counter
loadbench_worker_infer_seconds_total{worker="model-1.1"} 1.25
loadbench_worker_infer_seconds_total{worker="model-2.2"} 4.5
"""


class Pages:
    """An HTTP server with one metrics page."""

    def __init__(self) -> None:
        self.status, self.body, self.requests = 200, PAGE.encode(), 0
        self.headers: dict[str, str] = {}
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                pages.requests += 1
                self.send_response(pages.status)
                for name, value in pages.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(pages.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def pages() -> Iterator[Pages]:
    made = Pages()
    threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_queue_length_workers_and_totals_are_parsed() -> None:
    assert parse_metrics(PAGE.encode()) == ServiceMetrics(
        queue_length=7.0,
        workers=2,
        totals=(
            Worker(id="model-1.1", images=60, infer_s=1.25),
            Worker(id="model-2.2", images=40, infer_s=4.5),
        ),
    )


def test_missing_metrics_are_none() -> None:
    only_queue = "# TYPE loadbench_queue_length gauge\nloadbench_queue_length 3\n"
    assert parse_metrics(only_queue.encode()) == ServiceMetrics(queue_length=3.0)
    assert parse_metrics(b"# TYPE up gauge\nup 1\n") is None
    assert parse_metrics(b"") is None


def test_types_are_optional_and_other_metrics_are_ignored() -> None:
    samples = "".join(line for line in PAGE.splitlines(keepends=True) if not line.startswith("#"))
    others = "weird{ 1\n# TYPE other gauge\nother 1\nloadbench_broker_up 1\n"
    assert parse_metrics((others + samples).encode()) == parse_metrics(PAGE.encode())


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "1e300", "9" * 400])
def test_implausible_values_are_ignored(value: str) -> None:
    page = f"loadbench_queue_length {value}\nloadbench_workers {value}\n"
    page += f'loadbench_worker_images_total{{worker="a"}} {value}\n'
    assert parse_metrics(page.encode()) is None


def worker_page(*names: str) -> bytes:
    return "".join(
        f'{IMAGES}{{worker="{x}"}} 1\n{INFER}{{worker="{x}"}} 1\n' for x in names
    ).encode()


def test_long_names_of_workers_are_ignored() -> None:
    found = parse_metrics(worker_page("a", "b" * (MAX_WORKER_CHARACTERS + 1)))
    assert found is not None
    assert [worker.id for worker in found.totals] == ["a"]


def test_the_number_of_workers_is_limited() -> None:
    names = [f"model-{number}" for number in range(MAX_WORKERS)]
    found = parse_metrics(worker_page(*names))
    assert found is not None
    assert len(found.totals) == MAX_WORKERS
    with pytest.raises(BadInputError, match="more or longer lines"):
        parse_metrics(worker_page(*names, "one", "two"))


@pytest.mark.parametrize(
    "page",
    [
        worker_page(*(f"model-{number}" for number in range(30_000))),
        f'{IMAGES}{{worker="{"x" * 3_000_000}"}} 1\n'.encode(),
        (IMAGES + "{" + ",".join(f'a{number}="b"' for number in range(250_000)) + "} 1\n").encode(),
        f"loadbench_workers{'{' * 1_000_000}\n".encode(),
        b'loadbench_workers{a="' + b"\\" * 3_000_000 + b'"} 1\n',
        b"loadbench_workers 1 " + b"9" * 400 + b"\n",
        b"loadbench_workers 1\n" * 200_000,
        b"\n" * 3_000_000 + b"loadbench_workers x\n",
        b"x" * 4_000_001,
    ],
)
def test_large_and_malformed_pages_are_rejected_quickly(page: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(BadInputError):
        parse_metrics(page)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_an_incomplete_or_undecodable_response_gives_no_metrics(
    pages: Pages, encoding: str
) -> None:
    pages.headers = {"Content-Encoding": encoding, "Content-Length": "5000"}
    assert fetch_metrics(f"{pages.host}/metrics") is None


@pytest.mark.parametrize("body", [b"<html>not found</html>", b"\xff\xfe", b"loadbench_workers x"])
def test_a_page_in_another_format_gives_no_metrics(pages: Pages, body: bytes) -> None:
    pages.body = body
    assert fetch_metrics(f"{pages.host}/metrics") is None


def test_an_error_status_or_a_refused_connection_gives_no_metrics(pages: Pages) -> None:
    pages.status = 404
    assert fetch_metrics(f"{pages.host}/metrics") is None
    assert fetch_metrics("http://127.0.0.1:1/metrics") is None


def test_the_latest_metrics_are_kept_until_stale_or_until_the_address_changes(pages: Pages) -> None:
    now = [100.0]
    metrics = MetricsPoller(clock=lambda: now[0])
    metrics.follow(pages.host)
    try:
        newest = until(metrics.newest, what="metrics")
        assert newest.queue_length == 7.0
        pages.status = 500
        requests_before = pages.requests
        until(lambda: pages.requests > requests_before, what="another poll")
        now[0] += 10
        assert metrics.newest() is None
        metrics.follow("http://127.0.0.1:1")
        assert metrics.newest() is None
    finally:
        metrics.close()
