"""What the service under test costs beside the model.

    .venv/bin/python -m bench.stack [--driver local|compose] [--pairs 5] [--seconds 15]

1. The worker under saturation against a plain loop of decoding and inference over the same
   pictures, in turns. Both are pinned to the same core, and all processes and containers of the
   benchmark to the others.
2. One user: the time beyond decoding and inference.
3. Two workers against one, and batches of 10 against 1, nothing pinned.
4. With the local driver: 100 ms of sleep put into a copy of the API, and where the tool says that
   the time goes.
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
from loadbench.engine.drivers.compose.files import project_name
from loadbench.engine.drivers.registry import driver_named, preflight
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
    """Measure one after the other and print every number."""
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
        sys.exit("needs two cores: one for the worker, one for everything else")
    with workspace(options.driver) as root:
        os.sched_setaffinity(0, every_core - {WORKER_CORE})
        with service(root) as (url, workers):
            pin(workers, {WORKER_CORE})
            pin(beside(root), every_core - {WORKER_CORE})
            against_plain_loop(url, workers, options.pairs, options.seconds)
            one_user(url, options.seconds)
        os.sched_setaffinity(0, every_core)
        two_against_one(root, options.pairs, options.seconds)
        ten_against_one(root, options.pairs, options.seconds)
        if options.driver == "local":
            where_the_tool_looks(root, "as it is")
            put_to_sleep(root)
            where_the_tool_looks(root, f"with {SLEEP_S * 1000:g} ms of sleep")


def against_plain_loop(url: str, workers: list[int], pairs: int, seconds: float) -> None:
    """Print the throughput of a worker over that of a loop, pair by pair."""
    print(f"one worker and a plain loop on core {WORKER_CORE}, images/s over {seconds:g} s")
    print(f"{'pair':>6}{'worker':>9}{'loop':>9}{'ratio':>9}{'idle':>9}", flush=True)
    ratios, idles = [], []
    for number in range(pairs):
        loop = run_loop(seconds) if number % 2 else None
        rate, idle = saturated(url, workers, seconds)
        loop = loop or run_loop(seconds)
        ratios.append(rate / loop)
        idles.append(idle)
        shown = f"{number + 1:>6}{rate:>9.2f}{loop:>9.2f}{ratios[-1]:>9.3f}{idle:>9.1%}"
        print(shown, flush=True)
    print(f"median ratio {statistics.median(ratios):.3f} (at least 0.9 is the aim), ", end="")
    print(f"idle {statistics.median(idles):.1%} (at most 10 %)\n", flush=True)


def saturated(url: str, workers: list[int], seconds: float) -> tuple[float, float]:
    """Return images/s, and the share of time in which the workers' processes had no core."""
    users = Users(url, SATURATING_USERS)
    users.during(WARM_UP_S)
    begun, cpu_s = time.monotonic(), used_s(workers)
    answers = users.during(seconds)
    elapsed, cpu_s = time.monotonic() - begun, used_s(workers) - cpu_s
    assert {answer.status for answer in users.stop()} == {200}
    return len(answers) / elapsed, 1 - cpu_s / elapsed / len(workers)


def run_loop(seconds: float) -> float:
    """Return the images/s of a plain loop in a process of its own on the worker's core."""
    argv = [sys.executable, "-m", "bench.stack", "--loop", "--seconds", str(seconds)]
    told = subprocess.run(argv, check=True, capture_output=True, text=True)
    return float(told.stdout)


def plain_loop(seconds: float) -> None:
    """Decode and classify one picture after the other, and print how many a second."""
    os.sched_setaffinity(0, {WORKER_CORE})
    sys.path.insert(0, str(REPOSITORY / "stack"))
    from common.config import WorkerConfig
    from model.classifier import Classifier

    classifier = Classifier(WorkerConfig.read({}))
    done, begun = -len(PICTURES), time.monotonic()
    while (elapsed := time.monotonic() - begun) < seconds:
        classifier.classify(classifier.preprocess(PICTURES[done % len(PICTURES)])[None])
        done += 1
        if done == 0:  # each picture once before the clock starts
            begun = time.monotonic()
    print(done / elapsed)


def one_user(url: str, seconds: float) -> None:
    """Print where the time of a lonely request goes."""
    users = Users(url, 1)
    users.during(WARM_UP_S)
    answers = users.during(seconds)
    users.stop()
    beyond = [it.latency_ms - it.stages["decode"] - it.stages["infer"] for it in answers]
    print(f"one user, {len(answers)} requests: median {statistics.median(beyond):.2f} ms ", end="")
    print("beyond decode + inference (at most 5 is the aim)")
    print(f"  {in_words(median_stages(answers))}\n", flush=True)


def two_against_one(root: Path, rounds: int, seconds: float) -> None:
    """Print the throughput of two workers over that of one, in turns."""
    ratios = []
    for _ in range(rounds):
        one, two = (rate_of(root, seconds, models=models)[0] for models in (1, 2))
        ratios.append(two / one)
        print(f"two workers {two:.2f} images/s, one {one:.2f}: {ratios[-1]:.3f}", flush=True)
    print(f"median {statistics.median(ratios):.3f}; clients, API and broker share the ", end="")
    print(f"{os.cpu_count()} cores with them\n", flush=True)


def ten_against_one(root: Path, rounds: int, seconds: float) -> None:
    """Print the throughput of batches of 10 over that of single pictures, in turns."""
    ratios = []
    for _ in range(rounds):
        one, _size = rate_of(root, seconds, batch_size=1)
        ten, size = rate_of(root, seconds, batch_size=10)
        ratios.append(ten / one)
        print(f"batches of 10 {ten:.2f} images/s, of 1 {one:.2f}: ", end="")
        print(f"{ratios[-1]:.3f} (batches held {size:.1f})", flush=True)
    print(f"median {statistics.median(ratios):.3f}\n", flush=True)


def rate_of(
    root: Path, seconds: float, *, models: int = 1, batch_size: int = 1
) -> tuple[float, float]:
    """Return the images/s of a service under saturation, and the median size of its batches."""
    with service(root, models=models, batch_size=batch_size) as (url, _workers):
        users = Users(url, SATURATING_USERS * max(models, batch_size // 3))
        users.during(WARM_UP_S)
        answers = users.during(seconds)
        assert {answer.status for answer in users.stop()} == {200}
    return len(answers) / seconds, statistics.median(it.body["batch_size"] for it in answers)


def where_the_tool_looks(root: Path, state: str) -> None:
    """Print the stages of a run of the tool."""
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(root), "run", "bench", "--json"]
    told = subprocess.run(argv, check=True, capture_output=True, text=True)
    [cell] = json.loads(told.stdout)["cells"]
    stages = {name: cell[f"{name}_ms"] for name in ("queue", "decode", "infer", "api", "network")}
    print(f"the tool, of the API {state}: {in_words(stages)}", flush=True)


def put_to_sleep(root: Path) -> None:
    """Put a sleep into the workspace's copy of the API, where the original service had one."""
    app = root / "stack" / "api" / "app.py"
    code = app.read_text()
    assert code.count(PREDICT) == 1
    app.write_text(code.replace(PREDICT, f"        time.sleep({SLEEP_S})\n{PREDICT}"))


def in_words(stages: dict[str, float]) -> str:
    """Put stages into a line."""
    return ", ".join(f"{name} {dur_ms:.2f} ms" for name, dur_ms in stages.items())


@contextmanager
def workspace(driver: str) -> Iterator[Path]:
    """Have a workspace with a copy of the service, and the profile `bench`."""
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
    """Have the service running; gives its address and the processes of its workers."""
    profile = load_profile(root / "profiles" / "bench.yaml")
    profile = profile.model_copy(update={"batch_size": batch_size})
    workspace = Workspace(root, root / "reports")
    found = preflight(workspace, profile)
    stack = driver_named(found.driver).open(workspace, profile, root)
    try:
        stack.prepare(lambda _step, _line: None)
        stack.scale(models, lambda _step, _line: None)
        while stack.missing(models):
            time.sleep(0.1)
        yield stack.host, workers_of(found)
    finally:
        stack.close()


def workers_of(found: Preflight) -> list[int]:
    """Return the process of each worker, by its id on this machine."""
    if project := found.facts.project:
        return in_containers(project.name, "model")
    running = psutil.Process().children(recursive=True)
    of_worker = [it for it in running if it.cmdline()[-1:] == ["model.worker"]]
    return [it.pid for it in of_worker if not it.children()]


def beside(root: Path) -> list[int]:
    """Return the processes in containers that are not workers."""
    project = project_name((root / "stack" / "compose.yaml",))
    return [pid for service in ("broker", "api") for pid in in_containers(project, service)]


def in_containers(project: str, service: str) -> list[int]:
    """Return the processes of a service's containers; none without containers."""
    if not shutil.which("docker"):
        return []
    labels = {"project": project, "service": service}
    filters = [f"--filter=label=com.docker.compose.{it}={name}" for it, name in labels.items()]
    if not (ids := docker("ps", "-q", *filters)):
        return []
    first = [psutil.Process(int(it)) for it in docker("inspect", "-f", "{{.State.Pid}}", *ids)]
    return [it.pid for one in first for it in [one, *one.children(recursive=True)]]


def docker(*arguments: str) -> list[str]:
    """Return the words that the docker command line prints."""
    told = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return told.stdout.split()


def pin(pids: list[int], cores: set[int]) -> None:
    """Keep processes, with all their threads, on some cores."""
    for pid in pids:
        for thread in psutil.Process(pid).threads():
            os.sched_setaffinity(thread.id, cores)


def used_s(pids: list[int]) -> float:
    """Return the CPU seconds of processes."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(it.user + it.system for it in times)


if __name__ == "__main__":
    main()
