"""The load generator with a real Locust process, against a server in the test process."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
import requests

from loadbench.engine.load.locust import LocustLoad
from loadbench.engine.load.protocol import LoadState, Measured
from loadbench.engine.load.scenario import scenario_of_file
from loadbench.engine.measure.buckets import count, failures, merge, percentile, successes
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.errors import LoadError, LoadLostError
from tests.support.harness import REPOSITORY, child_named, gone, requests_in_report, until

USERS = 3
CELL = Cell(models=1, level=Closed(users=USERS, spawn_rate=100))
USER = """
from locust import {kind}, task, constant

class User({kind}):
    wait_time = constant(0.02)

    @task
    def get(self):
        {body}
"""

HEADLESS = ("--headless", "--json", "-u", "1", "-r", "1", "-t", "3s")
WITH_SHAPE = """
from locust import HttpUser, LoadTestShape
class User(HttpUser): pass
class Shape(LoadTestShape):
    def tick(self): return None
"""
WITH_BAD_LISTENER = """
from locust import HttpUser, events
class User(HttpUser): pass
@events.init.add_listener
def on_init(**_): raise ValueError('in init')
"""


class Server:
    """An HTTP server that counts requests and can delay or reject them."""

    def __init__(self) -> None:
        self.requests = 0
        self.status = 200
        self.reject_every = 0
        self.headers: dict[str, str] = {}
        self.release = threading.Event()
        self.release.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                server.requests += 1
                server.release.wait(30)
                is_rejected = server.reject_every and server.requests % server.reject_every == 0
                self.send_response(503 if is_rejected else server.status)
                for name, value in {**server.headers, "Content-Length": "2"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok")
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def load(tmp_path: Path) -> Iterator[LocustLoad]:
    made = make_load(tmp_path)
    yield made
    made.close()


def load_file(file: Path, *, timeout_s: float = 5) -> LocustLoad:
    """Return a load of one locustfile, with its log beside it."""
    images, log = REPOSITORY / "images", file.with_name("log")
    return LocustLoad(scenario_of_file(file), images=images, timeout_s=timeout_s, log=log)


def make_load(
    folder: Path, kind: str = "FastHttpUser", body: str = "self.client.get('/')", timeout: float = 5
) -> LocustLoad:
    file = folder / "user.py"
    file.write_text(USER.format(kind=kind, body=body))
    return load_file(file, timeout_s=timeout)


def state(load: LocustLoad, since: int = 0) -> LoadState:
    """Return the state, which must be available."""
    now = load.state(since)
    assert now is not None
    return now


def measure(
    load: LocustLoad,
    server: Server,
    *,
    seconds: float = 1.0,
    tag: str = "t",
    cell: Cell = CELL,
    replicas: tuple[str, ...] = (),
) -> Measured:
    """Measure a cell in the same way as the runner, without settling."""
    load.swarm(cell, server.host, tag, replicas)
    until(lambda: (now := state(load)).cell == tag and now.spawned)
    load.measure(seconds)
    until(lambda: state(load).remaining_s == 0)
    load.stop()
    return load.measured()


def test_the_report_agrees_with_the_requests_of_the_window(
    load: LocustLoad, server: Server
) -> None:
    load.start()

    measured = measure(load, server)

    number = count(successes(measured.requests))
    assert number > 10
    assert measured.measured_s == 1.0
    assert abs(measured.completed - number) <= USERS
    assert (measured.aborted, measured.errors, measured.exceptions) == (0, (), ())
    assert requests_in_report(load.report().decode()) == number


REPLICA_USERS = """
import time
from locust import FastHttpUser, HttpUser, User, constant, task

class Fast(FastHttpUser):
    wait_time = constant(0.02)
    @task
    def get(self): self.client.get("/")

class Slow(HttpUser):
    wait_time = constant(0.02)
    @task
    def get(self): self.client.get("/")

class Other(User):
    wait_time = constant(0.02)
    @task
    def call(self):
        self.environment.events.request.fire(
            request_type="GRPC", name="call", response_time=1.0, response_length=0,
            exception=None, context={},
        )
"""


def test_users_of_all_classes_and_protocols_are_distributed_among_replicas(
    tmp_path: Path, server: Server
) -> None:
    second, load = Server(), make_load(tmp_path)
    (tmp_path / "user.py").write_text(REPLICA_USERS)
    hosts, cell = (server.host, second.host), Cell(models=2, level=Closed(users=6, spawn_rate=100))
    try:
        load.start()
        spread = measure(load, server, cell=cell, replicas=hosts)
        single = measure(load, server, cell=cell, tag="single")
    finally:
        load.close()
        second.close()
    counts = {one.host: count(one.successes) + count(one.failures) for one in spread.replicas}
    total = count(successes(spread.requests))
    assert {one.method for one in spread.requests} == {"GET", "GRPC"}
    assert counts.keys() == set(hosts)
    assert sum(counts.values()) == total
    assert all(abs(number / total - 0.5) < 0.1 for number in counts.values())
    assert single.replicas == ()


def test_the_report_has_the_same_percentiles_of_successes_and_counts_failures(
    load: LocustLoad, server: Server
) -> None:
    server.reject_every = 4
    load.start()

    measured = measure(load, server)

    good, bad = (kind(measured.requests) for kind in (successes, failures))
    page = load.report().decode()
    report = json.loads(page.rpartition("window.templateArgs = ")[2].partition("\n")[0])
    total = report["requests_statistics"][-1]
    assert (total["num_requests"], total["num_failures"]) == (count(good) + count(bad), count(bad))
    assert count(bad) > 0
    ranks = report["response_time_statistics"][-1]
    for fraction in ("0.5", "0.9", "0.95", "0.99", "1.0"):
        assert ranks[fraction] == percentile(good, float(fraction)), fraction
    assert total["median_response_time"] == percentile(good, 0.5)


def test_every_user_is_in_flight_or_thinking(load: LocustLoad, server: Server) -> None:
    load.start()

    conditions = measure(load, server).circumstances

    assert conditions.thinking > 0.3
    assert 0.8 * USERS < conditions.in_flight + conditions.thinking <= USERS
    assert count(conditions.lag) > 5
    assert conditions.clock_jump_ms < 50


def test_a_stall_of_the_service_causes_a_gap(load: LocustLoad, server: Server) -> None:
    load.start()
    load.swarm(CELL, server.host, "t")
    until(lambda: state(load).spawned)
    load.measure(1.5)
    server.release.clear()
    until(lambda: (state(load).remaining_s or 0) < 0.7)
    server.release.set()
    until(lambda: state(load).remaining_s == 0)
    load.stop()

    gaps = load.measured().circumstances.gaps

    assert gaps[-1][0] > 500
    assert gaps[-1][1] == 1


def test_a_window_excludes_earlier_requests(load: LocustLoad, server: Server) -> None:
    load.start()
    server.status = 503
    load.swarm(CELL, server.host, "t")
    until(lambda: server.requests > 50)
    server.status = 200

    until(lambda: any(successes(second.requests) for second in state(load).seconds))
    load.measure(0.5)
    until(lambda: state(load).remaining_s == 0)
    load.stop()

    measured = load.measured()
    assert failures(measured.requests) == ()
    assert count(successes(measured.requests)) < server.requests


def test_failures_are_counted_separately_with_their_errors(
    load: LocustLoad, server: Server
) -> None:
    server.status = 503
    load.start()

    measured = measure(load, server)

    assert successes(measured.requests) == ()
    assert measured.completed == 0
    assert count(failures(measured.requests)) == sum(error.count for error in measured.errors)
    assert "503" in measured.errors[0].error


def test_stages_are_summed_over_the_responses_that_report_them(
    load: LocustLoad, server: Server
) -> None:
    server.headers["Server-Timing"] = "queue;dur=1.5, decode;dur=2, infer;dur=3, total;dur=8"
    load.start()

    measured = measure(load, server)

    stages = measured.stages
    assert stages.count == count(successes(measured.requests))
    assert stages.queue_ms == pytest.approx(1.5 * stages.count)
    assert stages.total_ms == pytest.approx(8 * stages.count)


def test_each_second_is_reported_once_and_belongs_to_the_attempt(
    load: LocustLoad, server: Server
) -> None:
    load.start()
    measure(load, server, tag="first")
    measure(load, server, seconds=2.0, tag="second")

    now = state(load, 1)

    assert now.cell == "second"
    assert [second.second for second in now.seconds] == list(range(1, 1 + len(now.seconds)))
    assert all(second.users == USERS for second in now.seconds[:1])
    assert now.seconds[0].clients[0].cpu_cores > 0


@pytest.mark.parametrize("kind", ["FastHttpUser", "HttpUser"])
def test_requests_to_a_hung_service_fail_after_the_timeout(
    tmp_path: Path, server: Server, kind: str
) -> None:
    load = make_load(tmp_path, kind, timeout=1)
    server.release.clear()
    try:
        load.start()
        started = time.monotonic()

        measured = measure(load, server, seconds=0.5)

        assert time.monotonic() - started < 8
        assert successes(measured.requests) == ()
        slowest = percentile(failures(measured.requests), 1.0)
        # The first requests started before the window, so it may contain none.
        assert slowest is None or slowest >= 1000
    finally:
        server.release.set()
        load.close()


def test_requests_of_killed_users_are_counted_as_aborted(tmp_path: Path, server: Server) -> None:
    file = tmp_path / "user.py"
    text = USER.format(kind="FastHttpUser", body="self.client.get('/')")
    file.write_text(text.replace("    wait_time", "    network_timeout = 60.0\n    wait_time"))
    load = load_file(file, timeout_s=0.5)
    try:
        load.start()
        load.swarm(CELL, server.host, "t")
        until(lambda: server.requests > 3)
        load.measure(2.0)
        # Requests that started before the window do not count, so wait until they are answered.
        answered = server.requests
        until(lambda: server.requests > answered + 2 * USERS)
        server.release.clear()
        until(lambda: state(load).remaining_s == 0)
        load.stop()

        assert load.measured().aborted == USERS
    finally:
        server.release.set()
        load.close()


def test_missing_users_are_reported(tmp_path: Path, server: Server) -> None:
    file = tmp_path / "user.py"
    text = USER.format(kind="FastHttpUser", body="self.client.get('/')")
    file.write_text(text + "    def on_start(self):\n        raise ValueError('no data')\n")
    load = load_file(file)
    try:
        load.start()

        measured = measure(load, server)

        assert measured.fewest_users == 0
        assert measured.exceptions[0].error == "user.py:11 in on_start: ValueError: no data"
    finally:
        load.close()


def test_exceptions_of_user_code_are_reported(tmp_path: Path, server: Server) -> None:
    load = make_load(tmp_path, body="raise ValueError('mine')")
    try:
        load.start()

        measured = measure(load, server)

        assert measured.requests == ()
        assert measured.exceptions[0].error == "user.py:9 in get: ValueError: mine"
    finally:
        load.close()


def test_the_web_api_rejects_requests_without_token_or_host(
    load: LocustLoad, server: Server
) -> None:
    load.start()
    url, token = load._url, load._token
    good = {"X-Loadbench-Token": token}
    attempts: list[tuple[dict[str, str], int]] = [
        ({}, 401),
        ({"X-Loadbench-Token": "wrong"}, 401),
        ({**good, "Host": "evil.example"}, 421),
        ({**good, "Host": "localhost:" + url.rpartition(":")[2]}, 421),
    ]

    for headers, status in attempts:
        for path in ("/", "/stats/requests", "/loadbench/state?since=0", "/assets/x", "/nowhere"):
            assert requests.get(url + path, headers=headers, timeout=5).status_code == status
        swarm = requests.post(url + "/swarm", headers=headers, timeout=5)
        assert swarm.status_code == status
    assert state(load).seconds == ()


def test_locust_listens_only_on_loopback_and_its_token_is_not_on_the_command_line(
    load: LocustLoad,
) -> None:
    load.start()
    assert load._process is not None
    process = child_named(psutil.Process(), "loadbench.in_locust")

    listening = [c.laddr.ip for c in process.net_connections("tcp") if c.status == "LISTEN"]

    assert listening == ["127.0.0.1"]
    assert load._token not in " ".join(process.cmdline())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import locust\nboom", "user.py:2: NameError: name 'boom' is not defined"),
        ("def f(:\n", "user.py:1: SyntaxError"),
        ("import no_such_module", "user.py:1: ModuleNotFoundError: No module named"),
        ("x = 1", "no user class. Define a class derived from HttpUser"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        (WITH_SHAPE, "the load shape Shape would replace the profile's user counts"),
        (WITH_BAD_LISTENER, "ValueError: in init"),
    ],
)
def test_an_error_in_a_user_file_is_reported_in_one_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "user.py").write_text(text)
    load = load_file(tmp_path / "user.py")

    with pytest.raises(LoadError) as caught:
        load.start()

    load.close()
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_killed_locust_is_lost(load: LocustLoad) -> None:
    load.start()
    process = child_named(psutil.Process(), "loadbench.in_locust")
    process.kill()
    until(lambda: gone([process]))

    with pytest.raises(LoadLostError, match="killed by signal 9"):
        load.state(0)


def test_an_unresponsive_locust_is_lost_after_three_requests(
    load: LocustLoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadbench.engine.load.locust.RESPONSE_TIMEOUT_S", 0.2)
    load.start()
    process = child_named(psutil.Process(), "loadbench.in_locust")
    process.suspend()

    assert [load.state(0), load.state(0)] == [None, None]
    with pytest.raises(LoadLostError, match="no response from Locust to GET /loadbench/state"):
        load.state(0)


BAD_ANSWER = """
from locust import FastHttpUser, events, task

class User(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")

@events.init.add_listener
def on_init(web_ui, **_):
    @web_ui.app.after_request
    def change(response):
        from flask import request
        if request.path == {path!r}:
            response.set_data({data})
        return response
"""
NUMBERS = '{"cell": "c", "spawned": true, "remaining_s": NaN, "seconds": []}'


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("'[' * 100_000", "recursion limit exceeded"),
        ("'x' * 20_000_000", "response larger than 16 MB"),
        ("'[]'", "LoadState"),
        (f"'{NUMBERS}'", "expected value"),
    ],
)
def test_an_unusable_state_is_the_trouble_of_its_cell(
    tmp_path: Path, data: str, problem: str
) -> None:
    with (
        bad_load(tmp_path, "/loadbench/state", data) as load,
        pytest.raises(LoadLostError) as caught,
    ):
        load.state(0)
    assert str(caught.value).startswith("unusable response from Locust to GET /loadbench/state: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", ["'[' * 100_000", "'{}'", "'NaN'"])
def test_other_unusable_responses_are_the_trouble_of_their_cell(tmp_path: Path, data: str) -> None:
    unusable = pytest.raises(LoadLostError, match="unusable response from Locust to ")
    with bad_load(tmp_path, "/swarm", data) as load, unusable:
        load.swarm(CELL, "http://127.0.0.1:1", "tag")
    with bad_load(tmp_path, "/loadbench/measure", data) as load, unusable:
        load.measure(1.0)
    with bad_load(tmp_path, "/loadbench/result", data) as load, unusable:
        load.measured()


@contextmanager
def bad_load(folder: Path, path: str, data: str) -> Iterator[LocustLoad]:
    """Start Locust with a user file that replaces the response of one path."""
    (folder / "user.py").write_text(BAD_ANSWER.format(path=path, data=data))
    load = load_file(folder / "user.py")
    load.start()
    try:
        yield load
    finally:
        load.close()


WRITES_TO_PIPES = """
import os, signal, stat
for fd in range(3, 64):
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            os.write(fd, {data})
    except OSError:
        pass
signal.pause()
"""


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("b'[' * 10_000 + b'\\n'", "recursion limit exceeded"),
        ("b'x' * 2_000_000", "larger than 1 MB"),
        ("b'{}\\n'", "none of port, error, failure, phase and notes"),
        ("b'{\"port\": 99999999999}\\n'", "port"),
    ],
)
def test_an_unusable_message_is_reported(tmp_path: Path, data: str, problem: str) -> None:
    (tmp_path / "user.py").write_text(WRITES_TO_PIPES.format(data=data))
    load = load_file(tmp_path / "user.py")

    with pytest.raises(LoadLostError, match="unusable message from Locust") as caught:
        load.start()

    load.close()
    assert problem in str(caught.value)


def test_a_long_error_of_a_user_file_is_cut(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text("raise ValueError('x' * 500_000)")
    load = load_file(tmp_path / "user.py")

    try:
        with pytest.raises(LoadError, match=r"user.py:1: ValueError: x+…$") as caught:
            load.start()
    finally:
        load.close()

    assert len(str(caught.value)) < 1000


def test_a_locust_killed_during_startup_is_lost(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text("import os; os.kill(os.getpid(), 9)")
    load = load_file(tmp_path / "user.py")

    with pytest.raises(LoadLostError, match="killed by signal 9"):
        load.start()


def test_locust_can_be_restarted_after_it_was_lost(load: LocustLoad, server: Server) -> None:
    load.start()
    child_named(psutil.Process(), "loadbench.in_locust").kill()

    load.start()

    assert count(successes(measure(load, server).requests)) > 0


def test_close_leaves_no_process(load: LocustLoad) -> None:
    load.start()
    process = child_named(psutil.Process(), "loadbench.in_locust")

    load.close()

    assert gone([process])
    load.close()


def test_the_shipped_locustfile_runs_under_plain_locust(server: Server, tmp_path: Path) -> None:
    locustfile = str(REPOSITORY / "locustfile.py")
    result = subprocess.run(
        [sys.executable, "-m", "locust", "-f", locustfile, "--host", server.host, *HEADLESS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    rows = json.loads(result.stdout)
    assert [row["name"] for row in rows] == ["/predict"]
    assert rows[0]["num_requests"] > 0


CHECKED = """
        with self.client.get('/', catch_response=True) as response:
            self.client.get('/other')
            response.success()
"""


@pytest.mark.parametrize("kind", ["FastHttpUser", "HttpUser"])
@pytest.mark.parametrize("body", ["self.client.get('/')", CHECKED], ids=["plain", "checked"])
def test_the_delay_by_locust_is_known_for_every_success(
    tmp_path: Path, server: Server, kind: str, body: str
) -> None:
    load = make_load(tmp_path, kind, body)
    load.start()
    try:
        measured = measure(load, server)
    finally:
        load.close()

    known = merge(one.undelayed for one in measured.requests)
    latency = successes(measured.requests)
    assert count(known) == count(latency) > 0
    median, undelayed = percentile(latency, 0.5), percentile(known, 0.5)
    assert median is not None
    assert undelayed is not None
    # 0: the server was so fast that its response arrived before the call that sent the request
    # returned.
    assert 0 <= undelayed < median
