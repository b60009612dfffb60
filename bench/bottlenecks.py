"""Is the cause that was planted the one that is named? In real runs.

    .venv/bin/python -m bench.bottlenecks [--only sleep,slow,…]

Five runs, each of a service or a client with one thing wrong: a sleep of 100 ms in the API, one of
two workers five times as slow, users that compute for longer than the service does, far more users
than one worker serves, and (with Docker) a CPU limit on the model. Printed is the sentence that the
report gives of each cell.
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
SLOWLY = """infer(wanted, lambda pictures: (
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
    """Make the runs that were asked for, and say which cause was not named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help=f"of {', '.join(CAUSES)}")
    names = parser.parse_args().only
    wrong = []
    for name in names.split(",") if names else CAUSES:
        wanted, measure = CAUSES[name]
        for row in rows(measure().state):
            found, text = row.bottleneck, row.bottleneck.text if row.bottleneck else ""
            print(f"{name:8} {row.cell:12} {row.verdict:8} {text}", flush=True)
            if found is None or found.kind is not wanted or NAMED.get(name, "") not in text:
                wrong.append(f"{name}: {wanted.value} was wanted, {row.reasons}")
    print("every cause is named" if not wrong else "\n".join(wrong))
    sys.exit(bool(wrong))


def sleep() -> Sweep:
    """The API sleeps before it asks the model, at two loads."""
    with workspace(one_cell().replace("users: [2]", "users: [1, 4]")) as root:
        change(root / "stack/api/app.py", PREDICT, f"        time.sleep({SLEEP_S})\n{PREDICT}")
        return perform(root)


def slow() -> Sweep:
    """The second worker takes its time for every batch."""
    with workspace(one_cell(models=2, users=4)) as root:
        worker = root / "stack/model/worker.py"
        change(worker, INFER, SLOWLY)
        change(worker, "import time\n", "import os\nimport time\n")
        return perform(root)


def client() -> Sweep:
    """The users compute for longer than the service does."""
    with workspace(one_cell(users=8)) as root:
        (root / "locustfile.py").write_text(BUSY_USERS)
        return perform(root)


def queue() -> Sweep:
    """Sixteen users for one worker."""
    with workspace(one_cell(users=16)) as root:
        return perform(root)


def limit() -> Sweep:
    """The model may use 0.4 of a core."""
    with workspace(one_cell("compose", more=", limited.yaml")) as root:
        (root / "limited.yaml").write_text(LIMITED)
        return perform(root)


def change(file: Path, old: str, new: str) -> None:
    """Replace the one place in a file where something stands."""
    code = file.read_text()
    assert code.count(old) == 1, f"{file} has {code.count(old)} times {old!r}"
    file.write_text(code.replace(old, new))


CAUSES: dict[str, tuple[BottleneckKind, Callable[[], Sweep]]] = {
    "sleep": (BottleneckKind.CONSTANT_WAIT_IN_API, sleep),
    "slow": (BottleneckKind.SLOW_WORKER, slow),
    "client": (BottleneckKind.CLIENT, client),
    "queue": (BottleneckKind.QUEUE, queue),
    "limit": (BottleneckKind.CPU_LIMIT, limit),
}
"""What must bound every cell, and the run."""
NAMED = {"slow": "model-2", "limit": "model-1"}
"""Whom the sentence must name."""

if __name__ == "__main__":
    main()
