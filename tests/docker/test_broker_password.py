"""The random password of the bundled stack's broker: who needs it, and where it must not appear."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.state import CellStatus
from tests.support.docker_harness import DockerBench, docker
from tests.support.harness import gone, until

NETWORK_IMAGE = "redis:7-alpine"
TWO_CELLS = ("--set", "models=1,2", "--set", "run_time=4s")


def test_each_run_and_resume_has_a_password_that_appears_in_no_file_and_on_no_command_line(
    bundled: DockerBench,
) -> None:
    with recorded_command_lines() as lines:
        bundled.start("run", "fast", *TWO_CELLS)
        bundled.when("m1_u2_s10", Phase.MEASURING)
        first = password(bundled)
        bundled.when("m2_u2_s10", Phase.MEASURING)
        assert password(bundled) == first
        assert environment(bundled, "model-2")["BROKER_PASSWORD"] == first
        assert ping(bundled).startswith("NOAUTH ")
        check_health(bundled)
        children = bundled.runner().children(recursive=True)

        bundled.runner().kill()
        until(lambda: gone(children), within_s=8, what="no process left")
        resumed = bundled.start("run", "--resume", "fast")
        until(lambda: bundled.state().cells["m2_u2_s10"].attempt == 2, what="resumed")
        bundled.when("m2_u2_s10", Phase.MEASURING)
        second = password(bundled)
        shown = [without_environment(bundled, name) for name in ("broker-1", "api-1", "model-1")]
        _, output = resumed.communicate(timeout=60)

    assert resumed.returncode == 0, output
    assert bundled.state().cells["m2_u2_s10"].status is CellStatus.FINISHED
    assert first != second
    assert min(len(first), len(second)) >= 32
    files = [path.read_text("utf-8", "replace") for path in texts(bundled)]
    assert any("compose" in line and " up " in line for line in lines)
    for secret in (first, second):
        for text in (*lines, *shown, *files, output):
            assert secret not in text


def test_the_stack_starts_by_hand_without_a_password(bundled: DockerBench) -> None:
    project = bundled.projects[0]
    compose = ("compose", "-f", str(bundled.root / "stack" / "compose.yaml"), "-p", project)
    docker(*compose, "up", "--detach", "broker")

    until(lambda: ping(bundled) == "PONG", what="a broker without a password")
    check_health(bundled)
    # It handles SIGTERM, so it stops at once, with exit code 0.
    docker("stop", "--time", "60", bundled.container("broker-1"))
    state = json.loads(docker("inspect", bundled.container("broker-1")))[0]["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)


@contextmanager
def recorded_command_lines() -> Iterator[set[str]]:
    """Collect the command lines of all processes of this machine, containers included."""
    lines: set[str] = set()
    stopped = threading.Event()

    def record() -> None:
        while not stopped.wait(0.1):
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    lines.add(" ".join(process.cmdline()))

    thread = threading.Thread(target=record)
    thread.start()
    try:
        yield lines
    finally:
        stopped.set()
        thread.join()


def texts(bench: DockerBench) -> list[Path]:
    """Return all files of the workspace's runs and of its state folder."""
    return [
        path for top in (bench.reports, bench.home) for path in top.rglob("*") if path.is_file()
    ]


def environment(bench: DockerBench, name: str) -> dict[str, str]:
    variables = json.loads(docker("inspect", bench.container(name)))[0]["Config"]["Env"]
    return dict(variable.split("=", 1) for variable in variables)


def password(bench: DockerBench) -> str:
    return environment(bench, "broker-1")["BROKER_PASSWORD"]


def without_environment(bench: DockerBench, name: str) -> str:
    """Return what `docker inspect` shows of a container, except its environment."""
    container = json.loads(docker("inspect", bench.container(name)))[0]
    del container["Config"]["Env"]
    return json.dumps(container)


def check_health(bench: DockerBench) -> None:
    """Run the health check of the broker. Raises an exception if it fails."""
    broker = bench.container("broker-1")
    check = json.loads(docker("inspect", broker))[0]["Config"]["Healthcheck"]["Test"]
    assert check[0] == "CMD-SHELL"
    docker("exec", broker, "sh", "-c", check[1])


def ping(bench: DockerBench) -> str:
    """Ping the broker from a container of its network that is not part of the project."""
    network = ("--network", f"{bench.projects[0]}_default")
    client = ("redis-cli", "-h", "broker", "ping")
    return docker("run", "--rm", *network, NETWORK_IMAGE, *client, check=False)
