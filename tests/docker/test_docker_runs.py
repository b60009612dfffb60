"""Complete runs in real containers: bundled stack, foreign project, leftovers of killed runners."""

import json
import signal
from pathlib import Path
from typing import Any

import yaml

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.lock import is_held
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.requests.pages import PAGE_NAME
from tests.support.docker_harness import HELPERS, LONG, OURS, DockerBench, docker
from tests.support.harness import REPOSITORY, gone, until
from tests.support.stack_networks import save_colour_labels, save_colour_network


def test_a_sweep_of_the_bundled_stack_in_containers(bundled: DockerBench) -> None:
    grid = ("--set", "models=1,2", "--set", "users=5,10", "--set", "spawn_rates=5")

    done = bundled.call("run", "fast", *grid, "--set", "stack.memory_mb=500", within_s=170)

    assert done.returncode == 0, done.stderr
    folder = bundled.folder()
    assert {path.name for path in folder.glob("*.html")} == {
        "1_5_5.html",
        "1_10_5.html",
        "2_5_5.html",
        "2_10_5.html",
        PAGE_NAME,
    }
    samples = [line for line in journal(folder) if line["type"] == "sample"]
    models = {
        sample["cell"]: [
            container for container in sample["containers"] if container["service"] == "model"
        ]
        for sample in samples
    }
    numbers = {cell: len(found) for cell, found in models.items()}
    assert numbers == {"m1_u5_s5": 1, "m1_u10_s5": 1, "m2_u5_s5": 2, "m2_u10_s5": 2}
    for model in models["m2_u10_s5"]:
        assert model["state"] == "running"
        assert model["cpu_cores"] > 0.05
        assert model["memory_bytes"] > 20_000_000
        assert (model["restarts"], model["oom_killed"], model["exit_code"]) == (0, False, None)
        [prepared] = [line for line in journal(folder) if line["type"] == "stack_prepared"]
        assert prepared["images"]["model"].startswith(model["image"])
    log = (folder / "stack.log").read_text()
    assert "model-1 | ready: device=cpu" in log
    assert "model-2 | ready: device=cpu" in log
    assert bundled.left() == []
    assert bundled.helpers() == []
    assert not is_held(folder)


def test_another_network_runs_in_the_bundled_containers(bundled: DockerBench) -> None:
    networks = bundled.root / "networks"
    networks.mkdir()
    save_colour_network(networks / "colours.onnx", ("n", 3, 32, 32))
    save_colour_labels(networks / "colours.txt")
    mounted = {"services": {"model": {"volumes": [f"{networks}:/networks:ro"]}}}
    bundled.addition.write_text(yaml.safe_dump(mounted))
    profile = yaml.safe_load(OURS)
    profile["stack"] |= {
        "compose": ["stack/compose.yaml", "network.yaml"],
        "environment": {
            "MODEL_PATH": "/networks/colours.onnx",
            "LABELS_PATH": "/networks/colours.txt",
        },
    }
    bundled.save_profile(yaml.safe_dump(profile))

    done = bundled.call("run", "fast", "--set", "models=1", within_s=120)

    assert done.returncode == 0, done.stderr
    assert "model=colours" in (bundled.folder() / "stack.log").read_text()


def test_containers_are_hardened_and_limited_and_a_stop_removes_all_of_them(
    bundled: DockerBench,
) -> None:
    shown = bundled.start("run", "fast", *LONG, "--set", "stack.memory_mb=500")
    bundled.when("m1_u2_s10", Phase.MEASURING)

    for name in ("broker-1", "api-1", "model-1"):
        container = json.loads(docker("inspect", bundled.container(name)))[0]
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert container["Config"]["User"] not in ("", "0", "root"), name
        assert container["State"]["Health"], name
        assert host["Memory"] == (500 * 1024 * 1024 if name == "model-1" else 0)
    packages = docker(
        "exec", bundled.container("model-1"), "ls", "/opt/venv/lib/python3.11/site-packages"
    )
    assert "onnxruntime" in packages
    assert "torch" not in packages
    compilers = docker(
        "exec", bundled.container("model-1"), "sh", "-c", "command -v gcc cc make || true"
    )
    assert compilers == ""
    published = docker("port", bundled.container("api-1"), "8000")
    assert [line.split(":")[0] for line in published.splitlines()] == ["127.0.0.1"]
    live = "\n".join(bundled.helpers())
    assert all(words in live for words in HELPERS)

    shown.send_signal(signal.SIGINT)
    shown.communicate(timeout=40)

    assert shown.returncode == 130
    assert bundled.left() == []
    assert bundled.helpers() == []


def test_containers_of_a_killed_runner_are_listed_and_removed_by_resume_and_stop(
    foreign: DockerBench,
) -> None:
    foreign.start("run", "theirs", "--set", "models=2", *LONG)
    foreign.when("m2_u2_s10", name="theirs")
    kill_runner(foreign)

    listed = foreign.call("runs").stdout
    for name in ("app-1", "app-2", "gateway-1"):
        assert foreign.container(name) in listed
    assert "loadbench-tui stop theirs/" in listed

    shown = foreign.start("run", "--resume", "theirs")
    until(lambda: foreign.state("theirs").cells["m2_u2_s10"].attempt == 2, what="resumed")
    foreign.when("m2_u2_s10", name="theirs")
    kill_runner(foreign)
    _, output = shown.communicate(timeout=30)
    assert "Removing leftover containers: app-1, app-2, gateway-1" in output

    stopped = foreign.call("stop", "theirs")
    assert (stopped.returncode, "Removed: " in stopped.stdout) == (0, True), stopped.stderr
    assert "left containers" not in foreign.call("runs").stdout
    assert foreign.left() == []


def kill_runner(foreign: DockerBench) -> None:
    """Kill the runner, and wait until its child processes have exited."""
    runner = foreign.runner("theirs")
    children = runner.children(recursive=True)
    runner.kill()
    until(lambda: gone(children), within_s=8, what="no process left")


def test_the_user_s_own_copy_of_a_project_is_not_changed(foreign: DockerBench) -> None:
    compose = (
        "compose",
        "-f",
        str(foreign.root / "foreign" / "compose.yaml"),
        "-p",
        "lb-users-own",
    )
    docker(*compose, "up", "--detach")
    try:
        before = user_containers()

        done = foreign.call("run", "theirs", "--set", "stack.environment={GREETING: good $day}")

        assert done.returncode == 0, done.stderr
        assert user_containers() == before
        assert len(before) == 2
    finally:
        docker(*compose, "down", "--timeout", "1")
    folder = foreign.folder("theirs")
    reports = {"1_2_10.html", "2_2_10.html"}
    assert {path.name for path in folder.glob("*.html")} == {*reports, PAGE_NAME}
    for cell in foreign.state("theirs").cells.values():
        assert cell.finished is not None
        assert cell.finished.completed > 10
        assert cell.finished.requests[0].failures == ()
        assert cell.finished.stages.count == 0
    assert "app-2 | app is up" in (folder / "stack.log").read_text()
    assert foreign.left() == []


def test_an_external_service_is_measured_and_keeps_running(foreign: DockerBench) -> None:
    compose = ("compose", "-f", str(foreign.root / "foreign" / "compose.yaml"), "-p", "lb-external")
    docker(*compose, "up", "--detach")
    try:
        address = docker(*compose, "port", "gateway", "8080")
        foreign.save_foreign_profile(
            models=[7],
            host=f"http://{address}",
            stack={"driver": "external", "compose": ["stack/compose.yaml"], "service": "model"},
        )

        done = foreign.call("run", "theirs")

        assert done.returncode == 0, done.stderr
        assert (foreign.folder("theirs") / "7_2_10.html").is_file()
        assert len(docker(*compose, "ps", "--quiet").split()) == 2
    finally:
        docker(*compose, "down", "--timeout", "1")


def test_auto_selects_compose_with_an_engine_and_local_without(bundled: DockerBench) -> None:
    automatic = ("plan", "fast", "--set", "stack.driver=auto")

    assert "Driver: compose (Docker engine" in bundled.call(*automatic).stdout
    plan = bundled.call(*automatic, DOCKER_HOST="unix:///nowhere.sock").stdout
    assert "local (compose is unavailable: cannot connect to the Docker engine at unix" in plan


def test_a_run_excludes_others_of_its_project_and_does_not_resume_with_another_driver(
    foreign: DockerBench,
) -> None:
    foreign.save_foreign_profile(stack={"driver": "auto"})
    foreign.start("run", "theirs", *LONG)
    foreign.when("m1_u2_s10", name="theirs")

    second = foreign.call("run", "theirs")

    assert second.returncode == 3
    assert f"in use by the run theirs/{foreign.folder('theirs').name}" in second.stderr
    assert foreign.state("theirs").cells["m1_u2_s10"].status is CellStatus.RUNNING

    foreign.call("stop", "theirs")
    refused = foreign.call("run", "--resume", "theirs", DOCKER_HOST="unix:///nowhere.sock")

    assert refused.returncode == 3
    assert "cannot connect to the Docker engine" in refused.stderr


def test_a_gpu_profile_reserves_a_gpu_and_is_refused_without_one(bundled: DockerBench) -> None:
    stack = REPOSITORY / "stack"
    files = ("-f", str(stack / "compose.yaml"), "-f", str(stack / "compose.gpu.yaml"))
    config = json.loads(docker("compose", *files, "config", "--format", "json"))
    [device] = config["services"]["model"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert config["services"]["model"]["build"]["args"] == {"DEVICE": "gpu"}

    if not list(Path("/dev").glob("nvidia[0-9]*")):
        refused = bundled.call("run", "fast", "--set", "device=gpu")
        assert refused.returncode == 3
        assert "device: gpu requires the NVIDIA Container Toolkit" in refused.stderr
        assert "nothing was started" in refused.stderr
        assert not bundled.reports.exists()
    assert bundled.left() == []


def journal(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def user_containers() -> list[tuple[str, str, int]]:
    """Id, start time and restart count of the user's own containers."""
    ids = docker("ps", "-aq", "--filter", "label=com.docker.compose.project=lb-users-own").split()
    containers = json.loads(docker("inspect", *ids))
    return sorted((c["Id"], c["State"]["StartedAt"], c["RestartCount"]) for c in containers)
