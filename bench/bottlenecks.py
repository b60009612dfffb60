"""Check in real runs that each injected fault is reported as the bottleneck.

    .venv/bin/python -m bench.bottlenecks [--only sleep,slow,…]

Each of the five runs has one fault: a sleep of 100 ms in the API, one of two workers five times
slower, users that spend more time computing than the service, far more users than one worker can
serve, or (with Docker) a CPU limit on the model container. Prints the bottleneck reported for each
cell.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench.sweeps import Sweep, perform, workspace
from bench.verdicts import LIMITED
from bench.verdicts import profile as one_cell
from loadbench.engine.measure.bottleneck import BottleneckKind
from loadbench.engine.report.rows import rows

SLEEP_S = 0.1
PREDICT = "        reply = predictor.predict("
INFER = "infer(wanted, classifier.classify)"
SLOW_INFER = """infer(wanted, lambda pictures: (
                time.sleep(0.05 * ("model-2" in os.environ["WORKER_ID"])),
                classifier.classify(pictures),
            )[1])"""

BUSY_USERS = """
import time
from locust import FastHttpUser, task

class User(FastHttpUser):
    @task
    def compute_and_ask(self):
        until = time.perf_counter() + 0.03
        while time.perf_counter() < until:
            pass
        self.client.get("/health")
"""


def main() -> None:
    """Execute the selected runs, and print the faults that were not identified."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help=f"comma-separated list of {', '.join(CAUSES)}")
    names = parser.parse_args().only
    errors = []
    for name in names.split(",") if names else CAUSES:
        expected, measure = CAUSES[name]
        for row in rows(measure().state):
            found, text = row.bottleneck, row.bottleneck.text if row.bottleneck else ""
            print(f"{name:8} {row.cell:12} {row.verdict:8} {text}", flush=True)
            if found is None or found.kind is not expected or CONTAINERS.get(name, "") not in text:
                errors.append(f"{name}: expected {expected.value}; findings: {row.reasons}")
    print("All bottlenecks identified" if not errors else "\n".join(errors))
    sys.exit(bool(errors))


def sleep() -> Sweep:
    """Add a sleep to the API before each prediction, and run 1 and 4 users."""
    with workspace(one_cell().replace("users: [2]", "users: [1, 4]")) as root:
        replace(root / "stack/api/app.py", PREDICT, f"        time.sleep({SLEEP_S})\n{PREDICT}")
        return perform(root)


def slow() -> Sweep:
    """Slow down the second of two workers."""
    with workspace(one_cell(models=2, users=4)) as root:
        worker = root / "stack/model/worker.py"
        replace(worker, INFER, SLOW_INFER)
        replace(worker, "import time\n", "import os\nimport time\n")
        return perform(root)


def client() -> Sweep:
    """Run users that spend more time computing than the service."""
    with workspace(one_cell(users=8)) as root:
        (root / "locustfile.py").write_text(BUSY_USERS)
        return perform(root)


def queue() -> Sweep:
    """Run 16 users against one worker."""
    with workspace(one_cell(users=16)) as root:
        return perform(root)


def limit() -> Sweep:
    """Limit the model container to 0.4 cores."""
    with workspace(one_cell("compose", more=", limited.yaml")) as root:
        (root / "limited.yaml").write_text(LIMITED)
        return perform(root)


def replace(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs exactly once in a file."""
    code = file.read_text()
    assert code.count(old) == 1, f"{file}: expected {old!r} once, found it {code.count(old)} times"
    file.write_text(code.replace(old, new))


CAUSES: dict[str, tuple[BottleneckKind, Callable[[], Sweep]]] = {
    "sleep": (BottleneckKind.CONSTANT_WAIT_IN_API, sleep),
    "slow": (BottleneckKind.SLOW_WORKER, slow),
    "client": (BottleneckKind.CLIENT, client),
    "queue": (BottleneckKind.QUEUE, queue),
    "limit": (BottleneckKind.CPU_LIMIT, limit),
}
"""Expected bottleneck of every cell, and the function that executes the run."""
CONTAINERS = {"slow": "model-2", "limit": "model-1"}
"""Container that the text of the bottleneck must name."""

if __name__ == "__main__":
    main()
