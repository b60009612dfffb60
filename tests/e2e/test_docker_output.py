"""The output of docker and of services is limited."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES
from loadbench.engine.drivers.compose.client import ComposeCli
from loadbench.engine.drivers.docker import client
from loadbench.engine.drivers.docker.client import (
    Docker,
    Endpoint,
    current_endpoint,
    engine_info,
)
from loadbench.engine.drivers.docker.command import MAX_BYTES
from loadbench.engine.drivers.docker.log_follower import LogFollower
from loadbench.engine.drivers.docker.monitor import Monitor
from loadbench.engine.drivers.local.service import LocalProcess
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.errors import EngineError
from tests.support.fake_docker import Program
from tests.support.harness import until

DOCKER = Docker(Endpoint("default", "unix:///var/run/docker.sock"))
NESTED = "head -c 1000000 /dev/zero | tr '\\0' '['"
MANY_LINES = "yes $(head -c 1000 /dev/zero | tr '\\0' x)"
LONG_LINE = "head -c 300000000 /dev/zero; echo; echo after"
"""Prints a line of 300 MB, then a short one."""


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


@pytest.mark.parametrize("script", ["exec yes", "exec cat /dev/zero", "exec yes >&2"])
def test_a_command_that_prints_without_end_is_terminated(program: Program, script: str) -> None:
    program(script)
    with pytest.raises(EngineError, match=r"^docker ps printed more than 16 MB$"):
        DOCKER.run("ps")
    assert not children()


def test_a_cancelled_command_is_terminated(program: Program, tmp_path: Path) -> None:
    program(f"touch {tmp_path}/begun; exec sleep 600")
    cancel, failures = threading.Event(), []

    def run() -> None:
        try:
            DOCKER.run("ps", timeout_s=60, cancel=cancel)
        except EngineError as error:
            failures.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    until((tmp_path / "begun").exists)
    cancel.set()
    thread.join(10)
    assert failures == ["docker ps was cancelled"]
    assert not children()


def test_a_background_process_that_holds_the_output_does_not_delay_a_command(
    program: Program,
) -> None:
    program("setsid sleep 3 & echo done")
    started = time.monotonic()
    assert DOCKER.run("ps") == "done\n"
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exec yes", "printed more than 16 MB"),
        ("exec sleep 600", "did not finish within 1 s"),
        (NESTED, "failed: .*recursion limit"),
        ("""echo '[{"Name": "x", "Endpoints": {"docker": {"Host": "http://["}}}]'""", "failed: "),
        ("""echo '{"Name": 1}'""", "failed: "),
    ],
)
def test_a_context_that_cannot_be_read_is_an_engine_error(
    program: Program, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    monkeypatch.setattr(client, "COMMAND_TIMEOUT_S", 1.0)
    program(script)
    with pytest.raises(EngineError, match=f"`docker context inspect` {message}"):
        current_endpoint()
    assert not children()


@pytest.mark.parametrize(
    "script",
    [NESTED, "echo '[]'", "echo 5", "echo NaN", """echo '{"ServerErrors": 5}'""", "exec yes"],
)
def test_unusable_engine_information_is_an_engine_error(program: Program, script: str) -> None:
    program(script)
    if script == "echo '[]'":
        assert engine_info(DOCKER) == {}
        return
    with pytest.raises(EngineError):
        engine_info(DOCKER)


@pytest.mark.parametrize(
    "output",
    [NESTED, "echo 5", "echo '[5]'", "echo '[[]]'", """echo '[{"State": []}]'""", "exec yes"],
)
def test_unusable_containers_are_an_engine_error(program: Program, output: str) -> None:
    program(f'case "$*" in *inspect*) {output};; *) echo abc;; esac')
    with pytest.raises(EngineError):
        Monitor(DOCKER, "p").poll()


def test_containers_with_fields_of_other_types_are_an_engine_error(program: Program) -> None:
    state = '"Status": "running", "ExitCode": "many", "OOMKilled": 0, "StartedAt": "", "Pid": 1'
    rest = '"Image": "", "HostConfig": {}, "NetworkSettings": {}, "Config": {"Labels": {}}'
    inspected = f'[{{"Id": "a", "Name": "b", "State": {{{state}}}, {rest}}}]'
    program(f"case \"$*\" in *inspect*) echo '{inspected}';; *) echo abc;; esac")
    with pytest.raises(EngineError, match="exit_code"):
        Monitor(DOCKER, "p").poll()


def test_containers_on_another_machine_have_rounded_received_bytes(program: Program) -> None:
    labels = '"Labels": {"com.docker.compose.service": "app"}'
    state = (
        '"Status": "running", "ExitCode": 0, "OOMKilled": false, "StartedAt": "", '
        f'"Pid": {2**22 + 1}'
    )
    rest = '"Image": "", "HostConfig": {}, "NetworkSettings": {}'
    inspected = (
        f'[{{"Id": "a", "Name": "b", "State": {{{state}}}, {rest}, "Config": {{{labels}}}}}]'
    )
    lines = [
        f'{{"ID": "a", "CPUPerc": "5.00%", "MemUsage": "1MiB / 1GiB", "NetIO": "{size}"}}'
        for size in ("nonsense", "12.3kB / 45B")
    ]
    program(
        f"""case "$*" in
        *inspect*) echo '{inspected}';;
        *stats*) echo '{lines[0]}'; echo '{lines[1]}'; exec sleep 60;;
        *ps*) echo a;;
        *) exec sleep 60;;
        esac"""
    )
    monitor = Monitor(DOCKER, "p")
    monitor.start()

    until(lambda: "a" in monitor.usage and monitor.usage["a"].received_bytes is not None)
    usage = monitor.usage["a"]
    monitor.close()

    assert (usage.received_bytes, usage.received_error_bytes) == (12_300, 50)
    assert (usage.cpu_cores, usage.memory_bytes) == (0.05, 2**20)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (NESTED, "did not return JSON"),
        ("echo 5", "did not return a JSON object"),
        ("exec yes", "printed more than 16 MB"),
    ],
)
def test_an_unusable_compose_configuration_is_an_engine_error(
    program: Program, script: str, message: str
) -> None:
    program(script)
    with pytest.raises(EngineError, match=message):
        ComposeCli(DOCKER, "p").config(timeout_s=30)
    assert not children()


def compose_lines(timeout_s: float = 60.0) -> list[str]:
    lines: list[str] = []
    ComposeCli(DOCKER, "p").run(
        lambda docker: docker.compose.down(stream_logs=True),
        timeout_s=timeout_s,
        on_line=lines.append,
    )
    return lines


def test_long_lines_of_compose_are_cut(program: Program) -> None:
    program(LONG_LINE)
    assert [len(line.encode()) for line in compose_lines()] == [MAX_OUTPUT_LINE_BYTES, len("after")]


def test_no_output_of_a_command_that_exits_at_once_is_lost(program: Program) -> None:
    program("echo bye")
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda _: compose_lines(), range(40)))
    assert outputs == [["bye"]] * 40


def test_the_total_output_of_compose_is_limited(program: Program) -> None:
    program(f"{MANY_LINES} | head -c 40000000; echo last")
    lines = compose_lines()
    assert sum(map(len, lines)) <= MAX_BYTES
    assert lines[-1] == "[limit of 16 MB reached]"


def test_endless_output_of_compose_ends_at_its_timeout(program: Program) -> None:
    program(f"exec {MANY_LINES}")
    started = time.monotonic()
    assert compose_lines(timeout_s=5.0)[-1] == "[limit of 16 MB reached]"
    assert time.monotonic() - started < 15
    until(lambda: not children())


def test_long_log_lines_of_containers_are_cut(program: Program, tmp_path: Path) -> None:
    program(f"printf 'model-1  | '; {LONG_LINE}; printf 'model-1  | \\000last'")
    path = tmp_path / "stack.log"
    log = StackLog(path)
    follower = LogFollower(DOCKER, "p", log)
    follower.follow()
    until(lambda: path.exists() and b"last" in path.read_bytes())
    follower.close()
    log.close()
    lines = path.read_bytes().splitlines()
    assert [len(line) < MAX_OUTPUT_LINE_BYTES + 100 for line in lines] == [True] * 3
    assert lines[1].endswith(b" compose | after")


def test_long_log_lines_of_local_processes_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "stack.log"
    log = StackLog(path)
    process = LocalProcess(
        *("model-1", "model", ["sh", "-c", f"{LONG_LINE}; exit 3"]),
        cwd=tmp_path,
        environment=dict(os.environ),
        log=log,
    )
    until(lambda: not process.is_running)
    fault = process.fault()
    process.stop()
    log.close()
    assert [len(line) for line in fault.log_lines] == [
        MAX_OUTPUT_LINE_BYTES + len("…"),
        len("after"),
    ]
    assert path.stat().st_size < MAX_OUTPUT_LINE_BYTES + 200
