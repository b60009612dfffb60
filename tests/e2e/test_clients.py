"""Headers, TLS settings and local names of a profile, in the requests of Locust's own clients."""

import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loadbench.engine.bounds.connect import Trust
from loadbench.engine.load.locust import LocustLoad
from loadbench.engine.load.scenario import scenario_of_file
from loadbench.engine.measure.buckets import count
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from tests.support.certificates import make_certificate
from tests.support.harness import until

USERS = """
from locust import FastHttpUser, HttpUser, constant, task


class Fast(FastHttpUser):
    wait_time = constant(0.05)
    default_headers = {"x-own": "class"}
    insecure = False

    @task
    def ask(self):
        self.client.get("/fast")
        self.client.get("/away", name="/fast")
        self.client.get("OTHER/absolute", name="/fast")


class Plain(HttpUser):
    wait_time = constant(0.05)

    def on_start(self):
        self.client.headers["X-Own"] = "start"

    @task
    def ask(self):
        self.client.get("/plain")
        self.client.get("/away", name="/base/plain")
        self.client.get("OTHER/absolute", name="/base/plain")


class Kept(FastHttpUser):
    wait_time = constant(0.05)
    host = "OTHER"

    @task
    def ask(self):
        self.client.get("/kept")
"""
HEADERS = {"Host": "api.example.com", "X-Key": "k", "X-Own": "profile"}
CELL = Cell(models=1, level=Closed(users=3, spawn_rate=10))


class Site(ThreadingHTTPServer):
    """An HTTPS server that records the headers of its requests."""

    daemon_threads = True

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.received: Counter[tuple[str, ...]] = Counter()
        self.other = ""
        """Base URL to which some of its pages redirect."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """Write no log."""


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        names = ("Host", "X-Key", "X-Own")
        self.server.received[self.path, *(str(self.headers.get(name)) for name in names)] += 1
        is_redirect = self.path.endswith("/away")
        self.send_response(302 if is_redirect else 200)
        if is_redirect:
            self.send_header("Location", f"{self.server.other}/redirected")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"), "DNS:api.localhost")


@contextmanager
def serving(certificate: Path) -> Iterator[Site]:
    made = Site(certificate)
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


@pytest.fixture
def site(certificate: Path) -> Iterator[Site]:
    with serving(certificate) as made:
        yield made


@pytest.fixture
def other(certificate: Path) -> Iterator[Site]:
    """Another site at the same host name, which must not get the headers of the profile."""
    with serving(certificate) as made:
        yield made


@pytest.mark.parametrize("is_verified", [True, False])
def test_both_clients_use_the_headers_and_certificates_of_the_profile(
    site: Site,
    other: Site,
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_verified: bool,
) -> None:
    # Otherwise requests would prefer this file to both.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    site.other = f"https://api.localhost:{other.server_port}"
    (tmp_path / "user.py").write_text(USERS.replace("OTHER", site.other))
    trust = Trust(ca_file=str(certificate)) if is_verified else Trust(verify=False)
    scenario = replace(scenario_of_file(tmp_path / "user.py"), keep_host=("Kept",))
    load = LocustLoad(
        scenario,
        images=tmp_path,
        timeout_s=5,
        headers=HEADERS,
        trust=trust,
        log=tmp_path / "log",
    )
    try:
        load.start()
        # Resolvers do not know this name.
        load.swarm(CELL, f"https://api.localhost:{site.server_port}/base", "t")
        until(lambda: len(site.received) >= 4 and len(other.received) >= 5)
        load.measure(0.5)
        until(lambda: (now := load.state(0)) is not None and now.remaining_s == 0)
        load.stop()
        measured = load.measured()
    finally:
        load.close()

    assert set(site.received) == {
        ("/base/fast", "api.example.com", "k", "class"),
        ("/base/plain", "api.example.com", "k", "start"),
        ("/base/away", "api.example.com", "k", "class"),
        ("/base/away", "api.example.com", "k", "start"),
    }
    host = f"api.localhost:{other.server_port}"
    assert set(other.received) == {
        ("/kept", host, "None", "None"),
        *(
            (path, host, "None", own)
            for path in ("/redirected", "/absolute")
            for own in ("class", "start")
        ),
    }
    # Locust's HttpUser names requests by their whole path.
    assert {request.name for request in measured.requests} == {"/fast", "/base/plain", "/kept"}
    assert sum(count(request.failures) for request in measured.requests) == 0
    assert "InsecureRequestWarning" not in (tmp_path / "log").read_text()
