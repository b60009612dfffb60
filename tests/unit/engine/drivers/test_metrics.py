"""What is read of a service's own metrics."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from loadbench.engine.drivers.metrics import MetricsPoller, fetch_metrics, parse_metrics
from loadbench.engine.journal.events import ServiceMetrics, Worker
from tests.support.harness import until

OURS = """# HELP loadbench_queue_length Jobs that no worker has taken.
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
    """A server of one page of metrics."""

    def __init__(self) -> None:
        self.status, self.body, self.asked = 200, OURS.encode(), 0
        self.headers: dict[str, str] = {}
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                pages.asked += 1
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


def test_queue_workers_and_what_each_has_done_are_read() -> None:
    assert parse_metrics(OURS) == ServiceMetrics(
        queue_length=7.0,
        workers=2,
        totals=(
            Worker(id="model-1.1", images=60, infer_s=1.25),
            Worker(id="model-2.2", images=40, infer_s=4.5),
        ),
    )


def test_what_is_not_told_is_not_made_up() -> None:
    only_queue = "# TYPE loadbench_queue_length gauge\nloadbench_queue_length 3\n"
    assert parse_metrics(only_queue) == ServiceMetrics(queue_length=3.0)
    assert parse_metrics("# TYPE up gauge\nup 1\n") is None
    assert parse_metrics("") is None


def test_a_page_is_read_without_types_and_among_what_others_tell() -> None:
    told = "".join(line for line in OURS.splitlines(keepends=True) if not line.startswith("#"))
    foreign = "weird{ 1\n# TYPE other gauge\nother 1\nloadbench_broker_up 1\n"
    assert parse_metrics(foreign + told) == parse_metrics(OURS)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "1e300"])
def test_what_is_no_number_of_anything_is_not_believed(value: str) -> None:
    page = f"loadbench_queue_length {value}\nloadbench_workers {value}\n"
    page += f'loadbench_worker_images_total{{worker="a"}} {value}\n'
    assert parse_metrics(page) is None


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_an_answer_that_breaks_off_or_cannot_be_unpacked_tells_nothing(
    pages: Pages, encoding: str
) -> None:
    pages.headers = {"Content-Encoding": encoding, "Content-Length": "5000"}
    with requests.Session() as session:
        assert fetch_metrics(session, f"{pages.host}/metrics") is None


@pytest.mark.parametrize("body", [b"<html>not found</html>", b"\xff\xfe", b"loadbench_workers x"])
def test_a_page_of_something_else_tells_nothing(pages: Pages, body: bytes) -> None:
    pages.body = body
    with requests.Session() as session:
        assert fetch_metrics(session, f"{pages.host}/metrics") is None


def test_a_service_without_metrics_tells_nothing(pages: Pages) -> None:
    pages.status = 404
    with requests.Session() as session:
        assert fetch_metrics(session, f"{pages.host}/metrics") is None
        assert fetch_metrics(session, "http://127.0.0.1:1/metrics") is None


def test_the_newest_is_kept_until_it_is_stale_or_another_service_is_asked(pages: Pages) -> None:
    now = [100.0]
    metrics = MetricsPoller(clock=lambda: now[0])
    metrics.follow(pages.host)
    try:
        told = until(metrics.newest, what="metrics")
        assert told.queue_length == 7.0
        pages.status = 500
        asked = pages.asked
        until(lambda: pages.asked > asked, what="another look")
        now[0] += 10
        assert metrics.newest() is None
        metrics.follow("http://127.0.0.1:1")
        assert metrics.newest() is None
    finally:
        metrics.close()
