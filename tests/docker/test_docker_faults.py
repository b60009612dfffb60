"""Container failures with a real engine: the reason of the failed cell, and the cells after it."""

import os
import signal
import socket
import stat
from pathlib import Path

import pytest
from PIL import Image

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.state import CellStatus
from tests.support.docker_harness import LONG, DockerBench, EngineProxy, docker
from tests.support.harness import until

ONE = ("--set", "models=1")
IMAGE = "python:3.11-slim-bookworm"


def test_a_model_that_runs_out_of_memory_fails_its_cell_and_the_next_is_measured(
    bundled: DockerBench,
) -> None:
    # A small file with many pixels. Decoding takes 64 MB of memory and longer than sending, so that
    # with 16 users many images are decoded at once on any machine. Formats are detected by content.
    large = bundled.root / "large"
    large.mkdir()
    Image.new("RGB", (4000, 4000)).save(large / "black.jpg", "PNG")
    environment = "{DECODE_THREADS: '16', BATCH_WAIT_MS: '500'}"
    limits = ("--set", "stack.memory_mb=400", "--set", f"stack.environment={environment}")
    batches = ("--set", "batch_size=16", "--set", "users=16,1", "--set", "spawn_rates=100")
    more = ("--set", "run_time=10s", "--set", f"load.images={large}", "--set", "load.timeout=20s")

    done = bundled.call("run", "fast", *limits, *batches, *more, within_s=150)

    assert done.returncode == 3
    failed = bundled.state().cells["m1_u16_s100"].failed
    assert failed is not None
    assert failed.container == "model-1"
    assert failed.exit_code == 137
    assert "killed by the kernel (exit code 137): out of memory (limit 400 MB)" in failed.reason
    assert "raise stack.memory_mb or lower batch_size" in failed.reason
    assert "did not become ready" not in failed.reason
    assert bundled.state().cells["m1_u1_s100"].status is CellStatus.FINISHED
    assert bundled.left() == []


def test_an_exited_container_fails_its_cell_with_exit_code_and_last_log_lines(
    foreign: DockerBench,
) -> None:
    foreign.start("run", "theirs", *LONG, "--set", "models=2,1")
    foreign.when("m2_u2_s10", name="theirs")
    docker("exec", foreign.container("app-2"), "sh", "-c", "echo oh dear >/proc/1/fd/1")
    docker("kill", "--signal", "TERM", foreign.container("app-2"))
    docker("kill", "--signal", "KILL", foreign.container("app-2"))

    foreign.when("m1_u2_s10", name="theirs")

    failed = foreign.state("theirs").cells["m2_u2_s10"].failed
    assert failed is not None
    assert failed.reason == "app-2 was killed (exit code 137)"
    assert (failed.container, failed.exit_code) == ("app-2", 137)
    assert "oh dear" in failed.log_lines


CHANGES = {
    "app-1 is paused": ("pause",),
    "app-1 exited and was restarted (restart count 0)": ("restart", "--time", "0"),
    "app-1 was removed by another process": ("rm", "--force"),
}
"""Docker commands of another process, by the reason of the cell that they fail."""


def test_a_container_changed_by_another_process_fails_its_cell_and_is_replaced(
    foreign: DockerBench,
) -> None:
    foreign.start("run", "theirs", *LONG, "--set", "models=1", "--set", "users=1,2,3,4")
    for users, command in enumerate(CHANGES.values(), start=1):
        foreign.when(f"m1_u{users}_s10", name="theirs")
        docker(*command, foreign.container("app-1"))

    foreign.when("m1_u4_s10", name="theirs")

    for users, reason in enumerate(CHANGES, start=1):
        assert foreign.reason(f"m1_u{users}_s10").startswith(reason)


def test_a_killed_process_in_a_running_container_fails_its_cell(
    foreign: DockerBench,
) -> None:
    foreign.change_foreign_services(app={"mem_limit": "128m"})
    foreign.start("run", "theirs", *LONG, *ONE, "--set", "users=1,2")
    foreign.when("m1_u1_s10", name="theirs")
    # The highest OOM score makes the kernel kill this process first.
    grow = "open('/proc/self/oom_score_adj', 'w').write('1000'); bytearray(10**9)"
    docker("exec", foreign.container("app-1"), "python", "-c", grow, check=False)

    foreign.when("m1_u2_s10", name="theirs")

    failed = foreign.state("theirs").cells["m1_u1_s10"].failed
    assert failed is not None
    assert failed.reason.startswith(
        "the kernel killed a process in app-1: out of memory (limit 128 MB)"
    )
    assert (failed.container, failed.exit_code) == ("app-1", None)


def test_a_container_that_exits_at_once_twice_ends_the_run_with_its_reason_once(
    foreign: DockerBench,
) -> None:
    broken = ["python", "-c", "import sys; print('no such model', flush=True); sys.exit(3)"]
    foreign.change_foreign_services(app={"command": broken})

    done = foreign.call("run", "theirs", *ONE, "--set", "users=1,2,3,4")

    assert done.returncode == 3
    reason = "app-1 did not become ready: it exited with code 3"
    lines = done.stderr.splitlines()
    assert [line.strip() for line in lines if "Failed: " in line] == [
        f"Failed: {reason}",
        "Failed: for the same reason as m1_u1_s10",
    ]
    assert "| no such model" in done.stderr
    [aborted] = [line for line in lines if line.startswith("Run aborted: ")]
    assert aborted.startswith(f"Run aborted: {reason} (2 starts failed in the same way); fix this")
    outstanding = [state.cell.key for state in foreign.state("theirs").outstanding]
    assert outstanding == ["m1_u3_s10", "m1_u4_s10"]
    run = f"theirs/{foreign.folder('theirs').name}"
    assert f"Next: loadbench-tui run --resume {run} --retry-failed" in lines
    assert foreign.left() == []


def test_a_replica_that_stops_slowly_does_not_fail_the_start_of_the_next_cell(
    foreign: DockerBench,
) -> None:
    # The main process of a container ignores SIGTERM, unless it handles it.
    slow = {"stop_signal": "SIGTERM", "stop_grace_period": "9s", "healthcheck": None}
    foreign.change_foreign_services(app=slow)

    foreign.start("run", "theirs", "--set", "models=2,1", "--set", "stack.startup_timeout=8s")
    until(lambda: foreign.state("theirs").cells["m1_u2_s10"].ended_at, what="the last cell")

    cell = foreign.state("theirs").cells["m1_u2_s10"]
    assert cell.status is CellStatus.FINISHED, cell.failed
    assert cell.phase_s[Phase.SCALING] > 8
    journal = (foreign.folder("theirs") / "journal.jsonl").read_text()
    assert "Stopping app-2 (grace period 9 s)" in journal


def test_an_unhealthy_container_is_reported_with_the_output_of_its_check(
    foreign: DockerBench,
) -> None:
    check = {"test": ["CMD-SHELL", "echo it is too cold; exit 1"], "interval": "1s", "retries": 2}
    foreign.change_foreign_services(app={"healthcheck": check})

    done = foreign.call("run", "theirs", *ONE, "--set", "stack.startup_timeout=8s")

    assert done.returncode == 3
    assert "not ready within startup_timeout (8 s): app-1 is unhealthy (it is too cold)" in (
        foreign.reason("m1_u2_s10")
    )
    assert "Waiting until ready, at most 8 s: app-1 is unhealthy" in done.stderr


def test_an_earlier_restart_does_not_fail_later_cells(foreign: DockerBench) -> None:
    # The app exits on a POST request and is restarted by the engine.
    app = foreign.root / "foreign" / "app.py"
    die = "    def do_POST(self) -> None:\n        os._exit(1)\n\n    def do_GET"
    app.write_text(app.read_text().replace("    def do_GET", die))
    foreign.change_foreign_services(app={"restart": "always"})
    foreign.start("run", "theirs", *LONG, *ONE, "--set", "users=1,2")
    foreign.when("m1_u1_s10", name="theirs")
    ask = "import urllib.request as u; u.urlopen('http://127.0.0.1:9000/', data=b'')"
    docker("exec", foreign.container("app-1"), "python", "-c", ask, check=False)

    foreign.when("m1_u2_s10", name="theirs")

    assert foreign.reason("m1_u1_s10").startswith("app-1 exited")
    containers = foreign.state("theirs").containers
    [app_1] = [container for container in containers if container.name == "app-1"]
    assert app_1.restarts == 0


def test_a_restart_loop_is_reported_before_the_startup_timeout(
    foreign: DockerBench,
) -> None:
    broken = ["python", "-c", "raise SystemExit('cannot open the model')"]
    foreign.change_foreign_services(app={"command": broken, "restart": "always"})

    foreign.call("run", "theirs", *ONE, "--set", "stack.startup_timeout=50s")

    failed = foreign.state("theirs").cells["m1_u2_s10"].failed
    assert failed is not None
    assert failed.reason.startswith("app-1 is in a restart loop (")
    assert "cannot open the model" in failed.log_lines


def test_a_completed_one_off_job_is_no_fault(foreign: DockerBench) -> None:
    foreign.change_foreign_services(
        migration={"image": IMAGE, "command": ["true"]},
        gateway={"depends_on": {"migration": {"condition": "service_completed_successfully"}}},
        seed={"image": IMAGE, "command": ["sh", "-c", "echo seeding; sleep 3"], "init": True},
    )

    done = foreign.call("run", "theirs", "--set", "run_time=3s")

    assert done.returncode == 0, done.stderr
    log = (foreign.folder("theirs") / "stack.log").read_text()
    assert log.count("| seeding") == 1


def test_an_image_that_cannot_be_pulled_aborts_the_run(foreign: DockerBench) -> None:
    foreign.change_foreign_services(app={"image": "localhost:1/missing/image:latest"})

    done = foreign.call("run", "theirs")

    assert done.returncode == 3
    assert foreign.run("theirs").status == "aborted"
    [message] = [line for line in done.stderr.splitlines() if line.startswith("Run aborted: ")]
    assert "an image is missing and cannot be pulled" in message
    assert "localhost:1" in message
    assert foreign.left() == []


def test_a_failed_build_aborts_the_run_and_is_logged(foreign: DockerBench) -> None:
    (foreign.root / "foreign" / "Dockerfile").write_text(
        "FROM python:3.11-slim-bookworm\nRUN echo compiling && exit 42\n"
    )
    foreign.change_foreign_services(app={"image": None, "build": "."})

    done = foreign.call("run", "theirs")

    assert done.returncode == 3
    [message] = [line for line in done.stderr.splitlines() if line.startswith("Run aborted: ")]
    assert "cannot build the image" in message
    assert "exit code: 42" in message or "code: 42" in message
    assert "compiling" in (foreign.folder("theirs") / "stack.log").read_text()
    assert foreign.left() == []


def test_a_fixed_port_in_use_is_replaced_by_a_free_one(foreign: DockerBench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = f"stack.environment={{GATEWAY_PORT: '{taken.getsockname()[1]}'}}"

        done = foreign.call("run", "theirs", *ONE, "--set", environment)

    assert done.returncode == 0, done.stderr
    assert foreign.left() == []


def test_a_stop_does_not_wait_for_a_build(foreign: DockerBench) -> None:
    (foreign.root / "foreign" / "Dockerfile").write_text(
        "FROM python:3.11-slim-bookworm\nRUN echo begun && sleep 300\n"
    )
    foreign.change_foreign_services(app={"image": None, "build": "."})
    shown = foreign.start("run", "theirs")
    log = foreign.folder("theirs") / "stack.log"
    until(lambda: log.exists() and "begun" in log.read_text(), what="a build")

    shown.send_signal(signal.SIGINT)
    shown.communicate(timeout=15)

    assert shown.returncode == 130
    assert foreign.helpers() == []


def test_a_stop_does_not_wait_for_a_service_that_is_not_ready(foreign: DockerBench) -> None:
    waits = {"app": {"condition": "service_healthy"}}
    never = {"test": ["CMD", "false"], "interval": "1s", "retries": 1000}
    foreign.change_foreign_services(app={"healthcheck": never}, gateway={"depends_on": waits})
    shown = foreign.start("run", "theirs", *ONE)
    until(lambda: "loadbench" in " ".join(foreign.left()), what="containers")

    shown.send_signal(signal.SIGINT)
    shown.communicate(timeout=30)

    assert shown.returncode == 130
    assert foreign.left() == []


def test_a_service_that_waits_for_its_dependency_fails_after_the_timeout(
    foreign: DockerBench,
) -> None:
    waits = {"app": {"condition": "service_healthy"}}
    never = {"test": ["CMD", "false"], "interval": "1s", "retries": 1000}
    foreign.change_foreign_services(app={"healthcheck": never}, gateway={"depends_on": waits})

    foreign.call("run", "theirs", *ONE, "--set", "stack.startup_timeout=5s")

    assert "Docker Compose timed out after 5 s" in foreign.reason("m1_u2_s10")
    assert foreign.left() == []


def test_an_unreachable_engine_aborts_the_run_which_can_be_resumed_later(
    foreign: DockerBench, proxy: EngineProxy
) -> None:
    foreign.fixed["DOCKER_HOST"] = proxy.host
    shown = foreign.start("run", "theirs", "--set", "models=1", "--set", "users=1,2", *LONG)
    foreign.when("m1_u1_s10", name="theirs")

    proxy.close()
    _, output = shown.communicate(timeout=90)

    assert shown.returncode == 3
    assert "cannot connect to the Docker engine at unix://" in foreign.reason("m1_u1_s10")
    run = f"theirs/{foreign.folder('theirs').name}"
    assert f"fix this, then resume with `run --resume {run} --retry-failed`" in output
    assert [state.cell.key for state in foreign.state("theirs").outstanding] == ["m1_u2_s10"]
    assert "may still be running" in output
    assert "Cannot check for leftover containers" in foreign.call("runs").stderr
    proxy.listen()
    assert foreign.container("app-1") in foreign.call("runs").stdout
    foreign.start("run", "--resume", "theirs", "--retry-failed")
    assert foreign.when("m1_u1_s10", name="theirs").cells["m1_u1_s10"].attempt == 2


def test_containers_of_a_run_killed_after_its_last_cell_are_removed_by_a_resume(
    foreign: DockerBench,
) -> None:
    shown = foreign.start("run", "theirs", *ONE)
    journal, runner = foreign.folder("theirs") / "journal.jsonl", foreign.runner("theirs")
    until(lambda: b'{"type":"cell_finished"' in journal.read_bytes(), what="the last result")
    runner.suspend()
    runner.kill()
    _, output = shown.communicate(timeout=60)
    assert shown.returncode == 0, output
    assert "The runner was killed after the last cell" in output
    listed = foreign.call("runs").stdout
    assert "left containers behind" in listed
    assert foreign.container("app-1") in listed

    finished = foreign.call("run", "--resume", "theirs")

    assert finished.returncode == 0, finished.stderr
    assert foreign.left() == []
    end = foreign.state("theirs").finished
    assert end is not None
    assert end.left is None


def test_a_temporarily_unresponsive_engine_is_no_fault(
    foreign: DockerBench, proxy: EngineProxy
) -> None:
    foreign.fixed["DOCKER_HOST"] = proxy.host
    shown = foreign.start("run", "theirs", *ONE, "--set", "run_time=16s")
    foreign.when("m1_u2_s10", name="theirs")

    proxy.hang()
    until(lambda: len(foreign.state("theirs").samples) > 13, what="13 seconds")
    proxy.go_on()
    _, output = shown.communicate(timeout=60)

    assert shown.returncode == 0, output
    assert foreign.left() == []


def test_a_socket_without_permission_is_reported(foreign: DockerBench) -> None:
    if os.getuid() != 0:
        pytest.skip("the test drops root privileges and does not run as root")
    real = Path(docker_path())
    shims = shim(foreign.root, "docker", f'exec setpriv --reuid 65534 --clear-groups {real} "$@"')

    refused = foreign.call("run", "theirs", PATH=f"{shims}:{os.environ['PATH']}")

    assert refused.returncode == 3
    assert "permission denied for the Docker engine at unix://" in refused.stderr
    assert "usermod -aG docker" in refused.stderr
    assert not foreign.reports.exists()


def test_a_missing_engine_is_reported(foreign: DockerBench) -> None:
    refused = foreign.call("run", "theirs", DOCKER_HOST="unix:///nowhere.sock")

    assert refused.returncode == 3
    assert "cannot connect to the Docker engine at unix:///nowhere.sock: start it" in refused.stderr
    assert not foreign.reports.exists()


def test_an_engine_over_ssh_is_supported_and_requires_a_host(foreign: DockerBench) -> None:
    # A local shell takes the place of ssh to another machine.
    script = 'while [ "$1" != -- ]; do shift; done; shift 2; unset DOCKER_HOST; exec sh -c "$*"'
    shims = shim(foreign.root, "ssh", script)
    foreign.fixed |= {"PATH": f"{shims}:{os.environ['PATH']}", "DOCKER_HOST": "ssh://me@elsewhere"}

    refused = foreign.call("run", "theirs", *ONE)
    assert refused.returncode == 3
    assert "host: required, because the Docker engine is on another machine (ssh://me@else" in (
        refused.stderr
    )

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = f"stack.environment={{GATEWAY_PORT: '{port}'}}"
    remote = ("--set", f"host=http://127.0.0.1:{port}", "--set", environment)
    done = foreign.call("run", "theirs", *ONE, *remote, within_s=120)
    assert done.returncode == 0, done.stderr
    started = foreign.state("theirs").started
    assert started is not None
    assert started.project is not None
    assert started.project.engine == "ssh://me@elsewhere"
    assert foreign.left() == []


def test_the_current_docker_context_is_used(foreign: DockerBench, proxy: EngineProxy) -> None:
    config = foreign.home / "docker"
    config.mkdir(parents=True)
    plugins = Path(foreign.fixed["DOCKER_CONFIG"]) / "cli-plugins"
    if plugins.is_dir():
        (config / "cli-plugins").symlink_to(plugins)
    foreign.fixed["DOCKER_CONFIG"] = str(config)
    docker("--config", str(config), "context", "create", "mine", "--docker", f"host={proxy.host}")
    docker("--config", str(config), "context", "use", "mine")

    done = foreign.call("run", "theirs", *ONE)

    assert done.returncode == 0, done.stderr
    started = foreign.state("theirs").started
    assert started is not None
    assert started.project is not None
    assert (started.project.context, started.project.engine) == ("mine", proxy.host)


def test_validate_reports_a_service_that_cannot_be_scaled(foreign: DockerBench) -> None:
    foreign.change_foreign_services(app={"network_mode": "service:gateway", "depends_on": None})
    foreign.change_foreign_services(gateway={"depends_on": None})

    refused = foreign.call("validate", "theirs")

    assert refused.returncode == 2
    obstacle = "app cannot be scaled because it has network_mode: service:gateway"
    assert f"stack.service: {obstacle}" in refused.stderr
    assert f"{foreign.root / 'profiles' / 'theirs.yaml'}:" in refused.stderr


def docker_path() -> str:
    return next(
        str(Path(folder) / "docker")
        for folder in os.environ["PATH"].split(":")
        if (Path(folder) / "docker").exists()
    )


def shim(folder: Path, name: str, script: str) -> Path:
    """Write a program that shadows the real one on the PATH; return its folder."""
    shims = folder / "shims"
    shims.mkdir(exist_ok=True)
    file = shims / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return shims
