"""Check that replicas without work are found, and that working ones are not reported as idle.

    .venv/bin/python -m bench.idle_replicas [--local] [--fronts] [--plant]

Without options, performs 20 short runs in which every replica works, or has no work by design: the
included profiles, batches of ten, and eight replicas with two users. Most runs use the `local`
driver, some use containers (`--local`: none does). Every cell is judged three times: as measured,
without received bytes, and by CPU usage alone. No judgement may report an idle replica.

With `--fronts`, performs runs with nginx in front of 1, 2 and 4 replicas, in the configurations of
tests/docker/fronts: `once` resolves the service once, `one` names one container, and `kept` assigns
each client address to one replica. In cells with several replicas, all of them must be reported
except one. `each` resolves the service again, and must not be reported.

With `--plant`, performs only the run `once`, and applies the first check to it: it must fail.

Prints for each cell the verdict, the mean number of requests in flight with the minimum of the
rule, the requests, and for each replica the received bytes, the images and the CPU usage with that
before the load. Exits with code 1 if a check fails or, with `--plant`, if it passes. Requires
Docker, except with `--local`.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.sweeps import NAME, REPOSITORY, perform, workspace
from loadbench.engine.drivers.compose.project.files import project_name
from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.buckets import count, failures, successes
from loadbench.engine.measure.idle import idle_replicas
from loadbench.engine.measure.limits import MIN_IN_FLIGHT_FACTOR
from loadbench.engine.measure.rules.case import Case
from loadbench.engine.report.verdicts import case_in_run

FRONTS = REPOSITORY / "tests" / "docker" / "fronts"
NGINX = "loadbench-bench-nginx"
SHORT = ("run_time=5s", "settle.max=0s", "spawn_rates=100")
FRONT_PROFILE = """
models: [1, 2, 4]
users: [24]
spawn_rates: [100]
run_time: 8s
settle: {{max: 0s}}
stack:
  driver: compose
  compose: [fronts/compose.yaml, fronts/bench.yaml{more}]
  service: app
  health: /
load: {{locustfile: fronts/user.py}}
"""
SPREAD = FRONT_PROFILE.format(more=", fronts/range.yaml") + "host: http://127.0.0.1:18990\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A run in which no replica may be reported."""

    profile: str
    """Name of an included profile, or the text of another one."""
    changes: tuple[str, ...]
    times: int = 1
    label: str = ""


RUNS = (
    Planned(profile="demo", changes=("models=1,2", "users=8"), times=4),
    Planned(profile="with_cpu", changes=("models=2", "users=10"), times=3),
    Planned(profile="with_gpu", changes=("models=2", "users=10", "device=cpu")),
    Planned(profile="batch_10", changes=("models=2", "users=50"), times=4),
    Planned(profile="demo", changes=("models=8", "users=2"), times=2),
    Planned(profile="demo", changes=("models=8", "users=32")),
)
"""Runs with the `local` driver."""
CONTAINER_RUNS = (
    Planned(profile="demo", changes=("models=1,2", "users=8")),
    Planned(profile="batch_10", changes=("models=2", "users=50")),
    Planned(profile="demo", changes=("models=8", "users=2")),
    Planned(profile=SPREAD, changes=("models=8", "users=2"), label="port range"),
    Planned(profile=SPREAD, changes=("models=2", "users=24"), label="port range"),
)


def main() -> int:
    """Perform the selected runs, print their cells, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--local", action="store_true", help="only runs without containers")
    parser.add_argument("--fronts", action="store_true", help="runs with nginx in front")
    parser.add_argument("--plant", action="store_true", help="nginx that resolves once must fail")
    options = parser.parse_args()
    started = time.monotonic()
    with workspace("") as root, nginx(root, is_used=not options.local):
        if options.plant:
            alarms = false_alarms("once", front(root, "once"))
            print(f"planted: {'found' if alarms else 'NOT FOUND'}, {alarms} findings")
            return not alarms
        problems = check_fronts(root) if options.fronts else check_working(root, options.local)
    print(f"{problems} problems in {time.monotonic() - started:.0f} s")
    return bool(problems)


def check_working(root: Path, is_local: bool) -> int:
    """Perform the runs in which every replica works. Return the number of false alarms."""
    alarms = runs = 0
    for driver, every in (("local", RUNS), ("compose", () if is_local else CONTAINER_RUNS)):
        for planned in (one for one in every for _ in range(one.times)):
            changes = [*SHORT, f"stack.driver={driver}", *planned.changes]
            state = run(root, planned.profile, changes)
            name = planned.label or planned.profile
            alarms += false_alarms(f"{driver} {name}", state)
            runs += 1
    print(f"{runs} runs, {alarms} idle replicas reported")
    return alarms


def check_fronts(root: Path) -> int:
    """Perform the runs with nginx. Return the number of wrong judgements."""
    problems = 0
    for name in ("once", "one", "kept", "each"):
        state = front(root, name)
        for case in cases(state):
            idle = idle_replicas(case.cell, case.finished, case.scaled)
            found = len(idle.names) if idle else 0
            expected = 0 if name == "each" else case.cell.models - 1
            print_cell(name, case, [idle.text if idle else "none"])
            if found != expected and not (name == "kept" and found):
                problems += 1
                print(f"PROBLEM: {found} idle replicas, expected {expected}")
    return problems


def false_alarms(name: str, state: RunState) -> int:
    """Print the cells of a run, and return the number of judgements that report idle replicas."""
    alarms = 0
    for case in cases(state):
        found = []
        for finished in judged(case.finished):
            idle = idle_replicas(case.cell, finished, case.scaled)
            found.append(idle.text if idle else "none")
            alarms += bool(idle)
        print_cell(name, case, found)
    return alarms


def judged(finished: CellFinished) -> Iterator[CellFinished]:
    """Yield the results as measured, without received bytes, and by CPU usage alone."""
    yield finished
    conditions = finished.circumstances
    if conditions is None or finished.replicas:
        return
    uses = tuple(replace(use, received_bytes=None) for use in conditions.containers)
    without_bytes = replace(conditions, containers=uses)
    yield replace(finished, circumstances=without_bytes)
    service = replace(conditions.service, images={}) if conditions.service else None
    yield replace(finished, circumstances=replace(without_bytes, service=service))


def cases(state: RunState) -> list[Case]:
    """Return the finished cells of a run. A run with other cells ends this script."""
    found = []
    for cell in state.cells.values():
        if cell.finished is None:
            sys.exit(f"{cell.cell.key}: {cell.failed.reason if cell.failed else 'not measured'}")
        found.append(case_in_run(state, cell.cell, cell.finished))
    return found


def print_cell(name: str, case: Case, found: Sequence[str]) -> None:
    """Print the evidence of a cell and the findings."""
    finished, conditions = case.finished, case.finished.circumstances
    assert conditions is not None
    sent = sum(count(kind(finished.requests)) for kind in (successes, failures))
    minimum = MIN_IN_FLIGHT_FACTOR * case.cell.models * case.scaled.batch_size
    uses = [use for use in conditions.containers if use.service == case.scaled.name]
    print(
        f"{name:18} {finished.cell:12} {finished.verdict:8} "
        f"in flight {conditions.in_flight:5.1f} (min {minimum}), {sent} requests"
    )
    if any(use.received_bytes is not None for use in uses):
        print(f"    bytes  {', '.join(f'{use.name} {use.received_bytes}' for use in uses)}")
    if conditions.service and conditions.service.images:
        images = conditions.service.images
        print(f"    images {', '.join(f'{worker} {number}' for worker, number in images.items())}")
    if any(replica.name for replica in finished.replicas):
        counts = [
            f"{one.name} {count(one.successes) + count(one.failures)}" for one in finished.replicas
        ]
        print(f"    Locust {', '.join(counts)}")
    cores = ", ".join(f"{use.cpu_cores} ({use.unloaded_cpu_cores})" for use in uses)
    print(f"    cores  {cores}")
    print(f"    idle:  {' | '.join(found)}", flush=True)


def front(root: Path, name: str) -> RunState:
    """Perform a run with a configuration of nginx."""
    (root / "fronts" / "nginx.conf").write_text(_configuration(root, name), encoding="utf-8")
    return run(root, FRONT_PROFILE.format(more=""), [])


def _configuration(root: Path, name: str) -> str:
    text = (FRONTS / f"{name}.conf").read_text(encoding="utf-8")
    files = (root / "fronts" / "compose.yaml", root / "fronts" / "bench.yaml")
    return text.replace("PROJECT", project_name(files))


def run(root: Path, profile: str, changes: Sequence[str]) -> RunState:
    """Perform a run of an included profile, or of one with a given text."""
    is_included = "\n" not in profile
    file = REPOSITORY / "profiles" / f"{profile}.yaml"
    text = file.read_text(encoding="utf-8") if is_included else profile
    (root / "profiles" / f"{NAME}.yaml").write_text(text, encoding="utf-8")
    (root / "reports" / NAME / "latest").unlink(missing_ok=True)
    return perform(root, overrides=changes).state


@contextmanager
def nginx(root: Path, *, is_used: bool) -> Iterator[None]:
    """Copy the project with nginx, build its image, and remove all images at the end."""
    if not is_used:
        yield
        return
    shutil.copytree(FRONTS, root / "fronts")
    (root / "fronts" / "nginx.conf").write_text(_configuration(root, "each"), encoding="utf-8")
    volume = "./nginx.conf:/etc/nginx/nginx.conf:ro"
    service = f"{{image: {NGINX}, volumes: [{volume!r}]}}"
    text = f"services:\n  front: {service}\n"
    (root / "fronts" / "bench.yaml").write_text(text, encoding="utf-8")
    subprocess.run(["docker", "build", "--quiet", "--tag", NGINX, str(FRONTS)], check=True)
    try:
        yield
    finally:
        project = project_name((root / "stack" / "compose.yaml",))
        command = ["docker", "image", "ls", "--quiet", f"{project}-*"]
        images = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        subprocess.run(["docker", "image", "rm", "--force", NGINX, *images], capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
