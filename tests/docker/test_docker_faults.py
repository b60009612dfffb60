"""Everything that goes wrong with containers, for real: what a cell says, and that others go on."""

import os
import signal
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from loadbench.engine.journal.state import CellStatus
from tests.support.docker_harness import LONG, DockerBench, EngineProxy, docker, strays
from tests.support.harness import until

ONE = ("--set", "models=1")
IMAGE = "python:3.11-slim-bookworm"


def test_a_model_that_runs_out_of_memory_fails_its_cell_and_the_next_is_measured(
    ours: DockerBench,
) -> None:
    # A small file of many pixels: decoding takes 64 MB of memory and longer than sending, so that
    # with 16 users many are decoded at once on any machine. Formats are recognized by content.
    large = ours.root / "large"
    large.mkdir()
    Image.new("RGB", (4000, 4000)).save(large / "black.jpg", "PNG")
    environment = "{DECODE_THREADS: '16', BATCH_WAIT_MS: '500'}"
    limits = ("--set", "stack.memory_mb=400", "--set", f"stack.environment={environment}")
    batches = ("--set", "batch_size=16", "--set", "users=16,1", "--set", "spawn_rates=100")
    more = ("--set", "run_time=20s", "--set", f"load.images={large}", "--set", "load.timeout=20s")

    done = ours.call("run", "fast", *limits, *batches, *more, within_s=150)

    assert done.returncode == 3
    failed = ours.state().cells["m1_u16_s100"].failed
    assert failed is not None
    assert failed.container == "model-1"
    assert failed.exit_code == 137
    assert (
        "killed by the kernel (exit code 137), out of memory: its limit is 400 MB" in failed.reason
    )
    assert "raise it (stack.memory_mb), or lower batch_size" in failed.reason
    assert "never was ready" not in failed.reason
    assert ours.state().cells["m1_u1_s100"].status is CellStatus.FINISHED
    assert ours.left() == []


def test_a_container_that_ends_fails_its_cell_with_code_and_last_words(
    theirs: DockerBench,
) -> None:
    theirs.start("run", "theirs", *LONG, "--set", "models=2,1")
    theirs.when("m2_u2_s10", name="theirs")
    docker("exec", theirs.container("app-2"), "sh", "-c", "echo oh dear >/proc/1/fd/1")
    docker("kill", "--signal", "TERM", theirs.container("app-2"))
    docker("kill", "--signal", "KILL", theirs.container("app-2"))

    theirs.when("m1_u2_s10", name="theirs")

    failed = theirs.state("theirs").cells["m2_u2_s10"].failed
    assert failed is not None
    assert failed.reason == "app-2 was killed (exit code 137)"
    assert (failed.container, failed.exit_code) == ("app-2", 137)
    assert "oh dear" in failed.log_lines


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (("pause",), "app-1 is paused"),
        (("restart", "--time", "0"), "app-1 ended and was started again (0 times)"),
        (("rm", "--force"), "app-1 was removed by somebody else"),
    ],
)
def test_what_somebody_does_to_a_container_fails_its_cell_and_is_mended(
    theirs: DockerBench, deed: tuple[str, ...], reason: str
) -> None:
    theirs.start("run", "theirs", *LONG, "--set", "models=1", "--set", "users=1,2")
    theirs.when("m1_u1_s10", name="theirs")
    docker(*deed, theirs.container("app-1"))

    theirs.when("m1_u2_s10", name="theirs")

    assert theirs.reason("m1_u1_s10").startswith(reason)


def test_a_killed_process_of_a_container_that_keeps_running_fails_its_cell(
    theirs: DockerBench,
) -> None:
    theirs.change_theirs(app={"mem_limit": "128m"})
    theirs.start("run", "theirs", *LONG, *ONE, "--set", "users=1,2")
    theirs.when("m1_u1_s10", name="theirs")
    # It volunteers to be the process that is killed.
    grow = "open('/proc/self/oom_score_adj', 'w').write('1000'); bytearray(10**9)"
    docker("exec", theirs.container("app-1"), "python", "-c", grow, check=False)

    theirs.when("m1_u2_s10", name="theirs")

    failed = theirs.state("theirs").cells["m1_u1_s10"].failed
    assert failed is not None
    assert failed.reason.startswith(
        "a process of app-1 was killed by the kernel, out of memory: its limit is 128 MB"
    )
    assert (failed.container, failed.exit_code) == ("app-1", None)


def test_a_container_that_ends_at_once_is_told_with_its_last_words(theirs: DockerBench) -> None:
    broken = ["python", "-c", "import sys; print('no such model', flush=True); sys.exit(3)"]
    theirs.change_theirs(app={"command": broken})

    done = theirs.call("run", "theirs", *ONE)

    assert done.returncode == 3
    assert "app-1 never was ready: it ended with exit code 3" in done.stderr
    assert "| no such model" in done.stderr
    assert theirs.left() == []


def test_a_container_that_is_never_healthy_is_told_with_what_its_check_says(
    theirs: DockerBench,
) -> None:
    check = {"test": ["CMD-SHELL", "echo it is too cold; exit 1"], "interval": "1s", "retries": 2}
    theirs.change_theirs(app={"healthcheck": check})

    done = theirs.call("run", "theirs", *ONE, "--set", "stack.startup_timeout=8s")

    assert done.returncode == 3
    assert "not ready within startup_timeout (8 s): app-1 is unhealthy (it is too cold)" in (
        theirs.reason("m1_u2_s10")
    )
    assert "  wait: app-1 is unhealthy (it is too cold)" in done.stderr


def test_a_restart_of_long_ago_fails_no_later_cell(theirs: DockerBench) -> None:
    # Ends once, on a request, and is started again by its engine.
    app = theirs.root / "foreign" / "app.py"
    die = "    def do_POST(self) -> None:\n        os._exit(1)\n\n    def do_GET"
    app.write_text(app.read_text().replace("    def do_GET", die))
    theirs.change_theirs(app={"restart": "always"})
    theirs.start("run", "theirs", *LONG, *ONE, "--set", "users=1,2")
    theirs.when("m1_u1_s10", name="theirs")
    ask = "import urllib.request as u; u.urlopen('http://127.0.0.1:9000/', data=b'')"
    docker("exec", theirs.container("app-1"), "python", "-c", ask, check=False)

    theirs.when("m1_u2_s10", name="theirs")

    assert theirs.reason("m1_u1_s10").startswith("app-1 ended")
    [app_1] = [it for it in theirs.state("theirs").containers if it.name == "app-1"]
    assert app_1.restarts == 0


def test_a_container_that_restarts_in_a_loop_is_told_long_before_the_time_is_over(
    theirs: DockerBench,
) -> None:
    broken = ["python", "-c", "raise SystemExit('cannot open the model')"]
    theirs.change_theirs(app={"command": broken, "restart": "always"})

    theirs.call("run", "theirs", *ONE, "--set", "stack.startup_timeout=50s")

    failed = theirs.state("theirs").cells["m1_u2_s10"].failed
    assert failed is not None
    assert failed.reason.startswith("app-1 is restarting in a loop (")
    assert "cannot open the model" in failed.log_lines


def test_a_job_that_is_done_before_the_service_starts_is_no_fault(theirs: DockerBench) -> None:
    theirs.change_theirs(
        migration={"image": IMAGE, "command": ["true"]},
        gateway={"depends_on": {"migration": {"condition": "service_completed_successfully"}}},
        seed={"image": IMAGE, "command": ["sh", "-c", "echo seeding; sleep 3"], "init": True},
    )

    done = theirs.call("run", "theirs", "--set", "users=1,2", "--set", "run_time=3s")

    assert done.returncode == 0, done.stderr
    said = (theirs.folder("theirs") / "stack.log").read_text()
    assert said.count("| seeding") == 1


def test_an_image_that_cannot_be_had_ends_the_run_with_its_name(theirs: DockerBench) -> None:
    theirs.change_theirs(app={"image": "localhost:1/nobody/nothing:here"})

    done = theirs.call("run", "theirs")

    assert done.returncode == 3
    assert theirs.run("theirs").status == "aborted"
    [told] = [line for line in done.stderr.splitlines() if line.startswith("aborted: ")]
    assert "an image is missing and cannot be pulled" in told
    assert "localhost:1" in told
    assert theirs.left() == []


def test_a_build_that_breaks_ends_the_run_and_is_in_the_log(theirs: DockerBench) -> None:
    (theirs.root / "foreign" / "Dockerfile").write_text(
        "FROM python:3.11-slim-bookworm\nRUN echo compiling && exit 42\n"
    )
    theirs.change_theirs(app={"image": None, "build": "."})

    done = theirs.call("run", "theirs")

    assert done.returncode == 3
    [told] = [line for line in done.stderr.splitlines() if line.startswith("aborted: ")]
    assert "the image cannot be built" in told
    assert "exit code: 42" in told or "code: 42" in told
    assert "compiling" in (theirs.folder("theirs") / "stack.log").read_text()
    assert theirs.left() == []


def test_a_port_that_is_taken_fails_the_cell_with_its_number(theirs: DockerBench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = f"stack.environment={{GATEWAY_PORT: '{port}'}}"

        done = theirs.call("run", "theirs", *ONE, "--set", environment)

    assert done.returncode == 3
    assert f":{port} is taken" in theirs.reason("m1_u2_s10")
    assert theirs.left() == []


def test_a_port_that_one_s_own_copy_holds_can_be_a_free_one(theirs: DockerBench) -> None:
    # As docs/profiles.md says.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        published = f"127.0.0.1:${{PORT:-{taken.getsockname()[1]}}}:8080"
        theirs.change_theirs(gateway={"ports": [published]})

        done = theirs.call("run", "theirs", *ONE, "--set", "stack.environment={PORT: '0'}")

    assert done.returncode == 0, done.stderr


def test_a_stop_does_not_wait_for_a_build(theirs: DockerBench) -> None:
    (theirs.root / "foreign" / "Dockerfile").write_text(
        "FROM python:3.11-slim-bookworm\nRUN echo begun && sleep 300\n"
    )
    theirs.change_theirs(app={"image": None, "build": "."})
    shown = theirs.start("run", "theirs")
    log = theirs.folder("theirs") / "stack.log"
    until(lambda: log.exists() and "begun" in log.read_text(), what="a build")

    shown.send_signal(signal.SIGINT)
    shown.communicate(timeout=15)

    assert shown.returncode == 130
    assert strays() == []


def test_a_stop_does_not_wait_for_a_service_that_is_never_ready(theirs: DockerBench) -> None:
    waits = {"app": {"condition": "service_healthy"}}
    never = {"test": ["CMD", "false"], "interval": "1s", "retries": 1000}
    theirs.change_theirs(app={"healthcheck": never}, gateway={"depends_on": waits})
    shown = theirs.start("run", "theirs", *ONE)
    until(lambda: "loadbench" in " ".join(theirs.left()), what="containers")

    shown.send_signal(signal.SIGINT)
    shown.communicate(timeout=30)

    assert shown.returncode == 130
    assert theirs.left() == []


def test_a_service_that_waits_for_another_for_too_long_fails_in_time(theirs: DockerBench) -> None:
    waits = {"app": {"condition": "service_healthy"}}
    never = {"test": ["CMD", "false"], "interval": "1s", "retries": 1000}
    theirs.change_theirs(app={"healthcheck": never}, gateway={"depends_on": waits})

    theirs.call("run", "theirs", *ONE, "--set", "stack.startup_timeout=5s")

    assert "Compose took longer than 5 s" in theirs.reason("m1_u2_s10")
    assert theirs.left() == []


def test_an_engine_that_goes_away_ends_the_run_which_goes_on_once_it_is_back(
    theirs: DockerBench, proxy: EngineProxy
) -> None:
    theirs.fixed["DOCKER_HOST"] = proxy.host
    shown = theirs.start("run", "theirs", "--set", "models=1", "--set", "users=1,2", *LONG)
    theirs.when("m1_u1_s10", name="theirs")

    proxy.close()
    _, told = shown.communicate(timeout=90)

    assert shown.returncode == 3
    assert "no Docker engine answers at unix://" in theirs.reason("m1_u1_s10")
    assert "fix this, then resume with `run --resume`" in told
    assert [it.cell.key for it in theirs.state("theirs").outstanding] == ["m1_u2_s10"]
    assert "may still be up" in told
    assert "not known whether" in theirs.call("runs").stderr
    proxy.listen()
    assert theirs.container("app-1") in theirs.call("runs").stdout
    theirs.start("run", "--resume", "theirs")
    theirs.when("m1_u2_s10", name="theirs")


def test_an_engine_that_is_slow_for_a_while_is_no_fault(
    theirs: DockerBench, proxy: EngineProxy
) -> None:
    theirs.fixed["DOCKER_HOST"] = proxy.host
    shown = theirs.start("run", "theirs", *ONE, "--set", "run_time=16s")
    theirs.when("m1_u2_s10", name="theirs")

    proxy.hang()
    until(lambda: len(theirs.state("theirs").samples) > 13, what="13 seconds")
    proxy.go_on()
    _, told = shown.communicate(timeout=60)

    assert shown.returncode == 0, told
    assert theirs.left() == []


def test_no_permission_on_the_socket_has_its_own_message(theirs: DockerBench) -> None:
    if os.getuid() != 0:
        pytest.skip("the test drops root's rights, and has none")
    real = Path(docker_path())
    shims = shim(theirs.root, "docker", f'exec setpriv --reuid 65534 --clear-groups {real} "$@"')

    refused = theirs.call("run", "theirs", PATH=f"{shims}:{os.environ['PATH']}")

    assert refused.returncode == 3
    assert "no permission to use the Docker engine at unix://" in refused.stderr
    assert "usermod -aG docker" in refused.stderr
    assert not theirs.reports.exists()


def test_no_engine_has_its_own_message(theirs: DockerBench) -> None:
    refused = theirs.call("run", "theirs", DOCKER_HOST="unix:///nowhere.sock")

    assert refused.returncode == 3
    assert "no Docker engine answers at unix:///nowhere.sock: start it" in refused.stderr
    assert not theirs.reports.exists()


def test_an_engine_behind_ssh_is_driven_and_needs_an_address(theirs: DockerBench) -> None:
    # What stands for the other machine: a shell here, which is all that ssh would give there.
    script = 'while [ "$1" != -- ]; do shift; done; shift 2; unset DOCKER_HOST; exec sh -c "$*"'
    shims = shim(theirs.root, "ssh", script)
    theirs.fixed |= {"PATH": f"{shims}:{os.environ['PATH']}", "DOCKER_HOST": "ssh://me@elsewhere"}

    refused = theirs.call("run", "theirs", *ONE)
    assert refused.returncode == 3
    assert "the Docker engine is on another machine (ssh://me@elsewhere), so `host` is" in (
        refused.stderr
    )

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = f"stack.environment={{GATEWAY_PORT: '{port}'}}"
    there = ("--set", f"host=http://127.0.0.1:{port}", "--set", environment)
    done = theirs.call("run", "theirs", *ONE, *there, within_s=120)
    assert done.returncode == 0, done.stderr
    started = theirs.state("theirs").started
    assert started is not None
    assert started.project is not None
    assert started.project.engine == "ssh://me@elsewhere"
    assert theirs.left() == []


def test_a_docker_context_is_followed(theirs: DockerBench, proxy: EngineProxy) -> None:
    config = theirs.home / "docker"
    config.mkdir(parents=True)
    plugins = Path(theirs.fixed["DOCKER_CONFIG"]) / "cli-plugins"
    if plugins.is_dir():
        (config / "cli-plugins").symlink_to(plugins)
    theirs.fixed["DOCKER_CONFIG"] = str(config)
    docker("--config", str(config), "context", "create", "mine", "--docker", f"host={proxy.host}")
    docker("--config", str(config), "context", "use", "mine")

    done = theirs.call("run", "theirs", *ONE)

    assert done.returncode == 0, done.stderr
    started = theirs.state("theirs").started
    assert started is not None
    assert started.project is not None
    assert (started.project.context, started.project.engine) == ("mine", proxy.host)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"container_name": "the-app"}, "it has container_name: the-app"),
        ({"ports": ["127.0.0.1:18999:9000"]}, "it has the fixed host port 18999"),
    ],
)
def test_a_service_that_cannot_be_scaled_is_told_at_validate(
    theirs: DockerBench, changes: dict[str, Any], told: str
) -> None:
    theirs.change_theirs(app=changes)

    refused = theirs.call("validate", "theirs")

    assert refused.returncode == 2
    assert f"stack.service: app cannot be scaled, since {told}" in refused.stderr
    assert f"{theirs.root / 'profiles' / 'theirs.yaml'}:" in refused.stderr


def docker_path() -> str:
    return next(
        str(Path(folder) / "docker")
        for folder in os.environ["PATH"].split(":")
        if (Path(folder) / "docker").exists()
    )


def shim(folder: Path, name: str, script: str) -> Path:
    """Make a program that comes before the real one on the PATH; return its folder."""
    shims = folder / "shims"
    shims.mkdir(exist_ok=True)
    file = shims / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return shims
