"""Measure the overhead of the service under test beyond the model.

    .venv/bin/python -m bench.stack [--driver local|compose] [--pairs 5] [--seconds 15]

1. A saturated worker compared with a plain loop of decoding and inference over the same images,
   in turn. Both are pinned to one core, all other processes and containers to the other cores.
2. A single user: the latency beyond decoding and inference.
3. Two workers compared with one, and batches of 10 with batches of 1, without pinning.
4. With the local driver: the stages that the tool reports before and after a sleep of 100 ms is
   added to a copy of the API.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.posting import PICTURES, REPOSITORY, Users, median_stages
from loadbench.engine.drivers.compose.project.files import project_name
from loadbench.engine.drivers.registry import get_driver, preflight
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.requests.preflight import Preflight
from loadbench.workspace import Workspace

WORKER_CORE = 0
SATURATING_USERS = 8
WARM_UP_S = 2.0
SLEEP_S = 0.1
PREDICT = "        reply = predictor.predict("
PROFILE = """
models: [1]
users: [4]
spawn_rates: [10]
run_time: 5s
settle: {max: 0s}
stack: {driver: DRIVER}
"""


def main() -> None:
    """Run all measurements and print every figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--driver", choices=["local", "compose"], default="local")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--loop", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        plain_loop(options.seconds)
        return
    every_core = os.sched_getaffinity(0)
    if len(every_core) < 2:
        sys.exit("Two cores are required: one for the worker and one for everything else")
    with workspace(options.driver) as root:
        os.sched_setaffinity(0, every_core - {WORKER_CORE})
        with service(root) as (url, workers):
            pin(workers, {WORKER_CORE})
            pin(other_containers(root), every_core - {WORKER_CORE})
            compare_plain_loop(url, workers, options.pairs, options.seconds)
            measure_one_user(url, options.seconds)
        os.sched_setaffinity(0, every_core)
        compare_workers(root, options.pairs, options.seconds)
        compare_batches(root, options.pairs, options.seconds)
        if options.driver == "local":
            print_stages(root, "unchanged API")
            add_sleep(root)
            print_stages(root, f"API with a sleep of {SLEEP_S * 1000:g} ms")


def compare_plain_loop(url: str, workers: list[int], pairs: int, seconds: float) -> None:
    """Print the ratio of a worker's throughput to that of a plain loop, for each pair."""
    print(f"One worker and a plain loop on core {WORKER_CORE}, images/s over {seconds:g} s")
    print(f"{'pair':>6}{'worker':>9}{'loop':>9}{'ratio':>9}{'idle':>9}", flush=True)
    ratios, idles = [], []
    for number in range(pairs):
        loop = run_loop(seconds) if number % 2 else None
        rate, idle = saturate(url, workers, seconds)
        loop = loop or run_loop(seconds)
        ratios.append(rate / loop)
        idles.append(idle)
        row = f"{number + 1:>6}{rate:>9.2f}{loop:>9.2f}{ratios[-1]:>9.3f}{idle:>9.1%}"
        print(row, flush=True)
    print(f"Median ratio {statistics.median(ratios):.3f} (target: at least 0.9), ", end="")
    print(f"idle {statistics.median(idles):.1%} (target: at most 10 %)\n", flush=True)


def saturate(url: str, workers: list[int], seconds: float) -> tuple[float, float]:
    """Return the images/s under saturation, and the idle share of the workers, 0 to 1."""
    users = Users(url, SATURATING_USERS)
    users.during(WARM_UP_S)
    started, cpu_s = time.monotonic(), used_s(workers)
    answers = users.during(seconds)
    elapsed, cpu_s = time.monotonic() - started, used_s(workers) - cpu_s
    assert {answer.status for answer in users.stop()} == {200}
    return len(answers) / elapsed, 1 - cpu_s / elapsed / len(workers)


def run_loop(seconds: float) -> float:
    """Return the images/s of a plain loop in a separate process on the worker's core."""
    argv = [sys.executable, "-m", "bench.stack", "--loop", "--seconds", str(seconds)]
    completed = subprocess.run(argv, check=True, capture_output=True, text=True)
    return float(completed.stdout)


def plain_loop(seconds: float) -> None:
    """Decode and classify images one by one, and print the images/s."""
    os.sched_setaffinity(0, {WORKER_CORE})
    sys.path.insert(0, str(REPOSITORY / "stack"))
    from common.config import WorkerConfig
    from model.classifier import Classifier

    classifier = Classifier(WorkerConfig.read({}))
    done, started = -len(PICTURES), time.monotonic()
    while (elapsed := time.monotonic() - started) < seconds:
        classifier.classify(classifier.preprocess(PICTURES[done % len(PICTURES)])[None])
        done += 1
        if done == 0:  # warm up with each image once
            started = time.monotonic()
    print(done / elapsed)


def measure_one_user(url: str, seconds: float) -> None:
    """Print the overhead and the stages of requests from a single user."""
    users = Users(url, 1)
    users.during(WARM_UP_S)
    answers = users.during(seconds)
    users.stop()
    overheads = [
        answer.latency_ms - answer.stages["decode"] - answer.stages["infer"] for answer in answers
    ]
    median = statistics.median(overheads)
    print(f"One user, {len(answers)} requests: median {median:.2f} ms ", end="")
    print("beyond decoding and inference (target: at most 5 ms)")
    print(f"  {format_stages(median_stages(answers))}\n", flush=True)


def compare_workers(root: Path, rounds: int, seconds: float) -> None:
    """Print the ratio of the throughput of two workers to that of one."""
    ratios = []
    for _ in range(rounds):
        one, two = (rate_of(root, seconds, models=models)[0] for models in (1, 2))
        ratios.append(two / one)
        print(f"Two workers {two:.2f} images/s, one {one:.2f}: ratio {ratios[-1]:.3f}", flush=True)
    print(f"Median ratio {statistics.median(ratios):.3f}; clients, API and broker share ", end="")
    print(f"the {os.cpu_count()} cores\n", flush=True)


def compare_batches(root: Path, rounds: int, seconds: float) -> None:
    """Print the ratio of the throughput with batches of 10 to that with batches of 1."""
    ratios = []
    for _ in range(rounds):
        one, _size = rate_of(root, seconds, batch_size=1)
        ten, size = rate_of(root, seconds, batch_size=10)
        ratios.append(ten / one)
        print(f"Batches of 10 {ten:.2f} images/s, of 1 {one:.2f}: ratio ", end="")
        print(f"{ratios[-1]:.3f} (median batch size {size:.1f})", flush=True)
    print(f"Median ratio {statistics.median(ratios):.3f}\n", flush=True)


def rate_of(
    root: Path, seconds: float, *, models: int = 1, batch_size: int = 1
) -> tuple[float, float]:
    """Return the images/s of a saturated service, and its median batch size."""
    with service(root, models=models, batch_size=batch_size) as (url, _workers):
        users = Users(url, SATURATING_USERS * max(models, batch_size // 3))
        users.during(WARM_UP_S)
        answers = users.during(seconds)
        assert {answer.status for answer in users.stop()} == {200}
    batch_sizes = [answer.body["batch_size"] for answer in answers]
    return len(answers) / seconds, statistics.median(batch_sizes)


def print_stages(root: Path, title: str) -> None:
    """Run the tool, and print the stages that it reports."""
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(root), "run", "bench", "--json"]
    completed = subprocess.run(argv, check=True, capture_output=True, text=True)
    [cell] = json.loads(completed.stdout)["cells"]
    stages = {name: cell[f"{name}_ms"] for name in ("queue", "decode", "infer", "api", "network")}
    print(f"Stages reported by the tool, {title}: {format_stages(stages)}", flush=True)


def add_sleep(root: Path) -> None:
    """Add a sleep to the workspace's copy of the API."""
    app = root / "stack" / "api" / "app.py"
    code = app.read_text()
    assert code.count(PREDICT) == 1
    app.write_text(code.replace(PREDICT, f"        time.sleep({SLEEP_S})\n{PREDICT}"))


def format_stages(stages: dict[str, float]) -> str:
    """Format stages in ms as one line."""
    return ", ".join(f"{name} {dur_ms:.2f} ms" for name, dur_ms in stages.items())


@contextmanager
def workspace(driver: str) -> Iterator[Path]:
    """Create a workspace with a copy of the service and the profile `bench`."""
    with tempfile.TemporaryDirectory(prefix="loadbench-bench-") as folder:
        root = Path(folder)
        shutil.copytree(REPOSITORY / "stack", root / "stack")
        for part in ("images", "locustfile.py"):
            (root / part).symlink_to(REPOSITORY / part)
        (root / "profiles").mkdir()
        (root / "profiles" / "bench.yaml").write_text(PROFILE.replace("DRIVER", driver))
        yield root


@contextmanager
def service(root: Path, *, models: int = 1, batch_size: int = 1) -> Iterator[tuple[str, list[int]]]:
    """Run the service; yield its address and the process ids of its workers."""
    profile = load_profile(root / "profiles" / "bench.yaml")
    profile = profile.model_copy(update={"batch_size": batch_size})
    workspace = Workspace(root, root / "reports")
    checked = preflight(workspace, profile)
    stack = get_driver(checked.driver).open(workspace, profile, root)
    try:
        stack.prepare(lambda _step, _line: None)
        stack.scale(models, lambda _step, _line: None)
        while stack.missing(models):
            time.sleep(0.1)
        yield stack.host, workers_of(checked)
    finally:
        stack.close()


def workers_of(checked: Preflight) -> list[int]:
    """Return the process ids of the workers on this machine."""
    if project := checked.facts.project:
        return container_pids(project.name, "model")
    children = psutil.Process().children(recursive=True)
    workers = [process for process in children if process.cmdline()[-1:] == ["model.worker"]]
    return [process.pid for process in workers if not process.children()]


def other_containers(root: Path) -> list[int]:
    """Return the process ids in the containers of the broker and the API."""
    project = project_name((root / "stack" / "compose.yaml",))
    return [pid for service in ("broker", "api") for pid in container_pids(project, service)]


def container_pids(project: str, service: str) -> list[int]:
    """Return the process ids in a service's containers, or none if Docker is not installed."""
    if not shutil.which("docker"):
        return []
    labels = {"project": project, "service": service}
    filters = [f"--filter=label=com.docker.compose.{key}={value}" for key, value in labels.items()]
    if not (ids := docker("ps", "-q", *filters)):
        return []
    main_pids = docker("inspect", "-f", "{{.State.Pid}}", *ids)
    main_processes = [psutil.Process(int(pid)) for pid in main_pids]
    return [
        process.pid
        for main_process in main_processes
        for process in [main_process, *main_process.children(recursive=True)]
    ]


def docker(*arguments: str) -> list[str]:
    """Run the docker command line, and return the words that it prints."""
    completed = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return completed.stdout.split()


def pin(pids: list[int], cores: set[int]) -> None:
    """Pin processes, with all their threads, to a set of cores."""
    for pid in pids:
        for thread in psutil.Process(pid).threads():
            os.sched_setaffinity(thread.id, cores)


def used_s(pids: list[int]) -> float:
    """Return the total CPU seconds of processes."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)


if __name__ == "__main__":
    main()
