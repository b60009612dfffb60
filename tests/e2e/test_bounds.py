"""Runs against services and programs whose answers have no end: limited, and `stop` works."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.drivers.docker.client import COMMAND_TIMEOUT_S
from loadbench.engine.journal.events import Phase, Result
from loadbench.engine.journal.state import CellStatus
from tests.support.fake_docker import PUBLISHED, answers, write_docker
from tests.support.harness import Bench, gone, until
from tests.support.hostile_server import PAGES, SCRIPTS, HostileServer

LIMITED_MEMORY = ["prlimit", "--as=1000000000"]
CHECK = """
import sys
from loadbench.engine.drivers.docker.client import COMMAND_TIMEOUT_S
from loadbench.engine.drivers import health
health.REQUEST_TIMEOUT_S = 2.0
print(health.HealthChecks(()).missing(sys.argv[1:]))
"""
CHECK_TIMEOUT_S = 2.0
READY = ("/ok", "/nested", "/redirect-endless")
STOP_S = 10.0
"""Longest time until a run has stopped: Locust's exit and one timeout, on a busy machine."""

BUILT = PUBLISHED.replace('"model": {}', '"model": {"build": {"context": "."}}')

EXTERNAL = """
models: [1]
users: [2]
spawn_rates: [10]
run_time: 1s
settle: {{max: 0s}}
host: {host}
stack: {{driver: external, health: {health}, startup_timeout: {startup_timeout}}}
load: {{timeout: 5s}}
"""


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as made:
        yield made


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench.make(tmp_path)
    yield made
    made.close()


def save_external(bench: Bench, server: HostileServer, health: str, timeout: str = "4s") -> None:
    text = EXTERNAL.format(host=server.host, health=health, startup_timeout=timeout)
    bench.save_profile(text)


@pytest.mark.parametrize("path", [*SCRIPTS, *PAGES])
def test_a_health_check_ends_in_time_with_one_gigabyte(server: HostileServer, path: str) -> None:
    started = time.monotonic()
    process = subprocess.run(
        [*LIMITED_MEMORY, sys.executable, "-c", CHECK, server.host + path],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    # The margin includes the start of Python on a busy machine.
    assert time.monotonic() - started < CHECK_TIMEOUT_S + 3
    expected = "None" if path in READY else f"{server.host}{path}: "
    assert process.stdout.startswith(expected)
    assert not process.stderr


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/endless-body", "response larger than 1 MB"),
        ("/dripping-body", "no complete response within 5 s"),
    ],
)
def test_a_run_with_one_gigabyte_fails_its_cell_and_names_the_cause(
    bench: Bench, server: HostileServer, path: str, cause: str
) -> None:
    save_external(bench, server, path)

    viewer = bench.start("run", "fast", prefix=LIMITED_MEMORY)
    viewer.communicate(timeout=90)

    failed = bench.state().cells["m1_u2_s10"].failed
    assert failed is not None
    assert failed.reason.startswith("not ready within startup_timeout (4 s): ")
    assert cause in failed.reason


def test_a_run_with_one_gigabyte_measures_a_service_with_a_nested_response(
    bench: Bench, server: HostileServer
) -> None:
    save_external(bench, server, "/nested")

    viewer = bench.start("run", "fast", prefix=LIMITED_MEMORY)
    viewer.communicate(timeout=90)

    assert bench.state().cells["m1_u2_s10"].status is CellStatus.FINISHED


@pytest.mark.parametrize("path", ["/endless-body", "/dripping-body", "/redirect-loop"])
def test_stop_works_while_the_health_check_has_no_result(
    bench: Bench, server: HostileServer, path: str
) -> None:
    save_external(bench, server, path, timeout="600s")
    viewer = bench.start("run", "fast")
    until(lambda: len(server.requests) > 1, what="health checks")
    bench.when("m1_u2_s10", Phase.SCALING)

    assert_stops(bench, viewer)


@pytest.mark.parametrize("path", ["/endless-body", "/dripping-body", "/nested"])
def test_stop_works_while_metrics_have_no_end(
    bench: Bench, server: HostileServer, path: str
) -> None:
    server.pages["/metrics"] = f"HTTP/1.1 302 Found\r\nLocation: {path}\r\n\r\n".encode()
    save_external(bench, server, "/ok")
    viewer = bench.start("run", "fast", "--set", "run_time=600s")
    bench.when("m1_u2_s10")
    until(lambda: any(path.encode() in request for request in server.requests), what="metrics")

    assert_stops(bench, viewer)


@pytest.mark.parametrize("first", ["ps", "build", " up "])
def test_stop_works_while_docker_hangs(bench: Bench, tmp_path: Path, first: str) -> None:
    folder, mark = tmp_path / "bin", tmp_path / "hangs"
    folder.mkdir()
    hang = f"touch {mark}; trap '' TERM; while :; do sleep 0.1; done"
    working = answers(config=BUILT).replace("*context*)", "*'context inspect'*)")
    script = working.replace("esac", f"*'{first}'*) {hang};; esac")
    write_docker(folder, f"if test -e {mark}; then {hang}; fi\n{script}")
    path = f"{folder}:{os.environ['PATH']}"
    viewer = bench.start("run", "fast", "--set", "stack.driver=compose", PATH=path)
    until(mark.exists, what="docker")

    # Removing containers waits for the engine, which may only be busy.
    assert_stops(bench, viewer, within_s=STOP_S + COMMAND_TIMEOUT_S)


def assert_stops(
    bench: Bench, viewer: "subprocess.Popen[str]", *, within_s: float = STOP_S
) -> None:
    """Stop the run and check that it ends in order and leaves no process."""
    runner = bench.runner()
    processes = [runner, *runner.children(recursive=True)]
    started = time.monotonic()
    viewer.send_signal(signal.SIGTERM)
    viewer.communicate(timeout=60)

    assert time.monotonic() - started < within_s
    finished = bench.state().finished
    assert finished is not None
    assert finished.result is Result.STOPPED
    until(lambda: gone(processes), what="the end of all processes")
