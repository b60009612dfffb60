"""Check that a run with many long names of requests needs no more disk space than planned.

    .venv/bin/python -m bench.names [--seed 12] [--seconds 10] [--names 10000] [--characters 300]

The users of the locustfile report a few hundred requests a second, each with one of many random
names, and with one of as many error messages for every fourth of them. Most names occur once. The
script prints the bytes of each file, and the bytes that `plan` states for the cell: for its report,
and for each second. More is an error. A planted run whose names are not limited must need more.
"""

import argparse
import sys
from pathlib import Path

from bench.sweeps import Sweep, perform, workspace
from bench.truth_runs import serving
from loadbench.engine.measure.buckets import num_requests
from loadbench.engine.profile.plan import REPORT_BYTES
from loadbench.engine.run.space import SAMPLE_BYTES

DEFAULT_SEED = 12
USERS = 8
PAUSE_S = 0.02

PROFILE = """
models: [1]
users: [{users}]
spawn_rates: [{users}]
run_time: {seconds}s
settle: {{max: 0s}}
host: {host}
load: {{locustfile: names.py}}
stack: {{driver: external}}
"""
LOCUSTFILE = """
import random
import string
import time

from locust import User, events, task

DRAW = random.Random({seed})
LETTERS = string.ascii_letters + string.digits + "/?=&-"

def text():
    return "".join(DRAW.choices(LETTERS, k={characters}))

NAMES = [text() for _ in range({names})]

class Person(User):
    @task
    def report(self):
        time.sleep({pause_s})
        name = DRAW.choice(NAMES)
        failed = ValueError(text()) if DRAW.random() < 0.25 else None
        events.request.fire(
            request_type="GET", name=name, response_time=DRAW.lognormvariate(3, 1),
            response_length=0, exception=failed, context={{}},
        )
"""
UNLIMITED = """
from loadbench.in_locust import names, tally
names.MAX_NAMES_BYTES = names.MAX_ERROR_ROWS = 10**12
tally.MAX_SECOND_NAME_BYTES = tally.MAX_SECOND_ERROR_BYTES = tally.MAX_ERRORS = 10**12
"""


def main() -> None:
    """Execute both runs, and exit with 1 if the first needs too much, or the planted one not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--seconds", type=int, default=10, help="length of the window")
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--characters", type=int, default=300, help="length of a name")
    options = parser.parse_args()
    limit = REPORT_BYTES + options.seconds * SAMPLE_BYTES
    print(f"seed {options.seed}, {options.names} names of {options.characters} characters")
    used, planted = (measure(options, extra) for extra in ("", UNLIMITED))
    print(f"limit {limit}: {used} used; planted: {planted} used")
    if planted <= limit:
        print("the planted run was not refused")
    sys.exit(used > limit or planted <= limit)


def measure(options: argparse.Namespace, extra: str) -> int:
    """Execute a run, print its bytes, and return them.

    Args:
        options: The options of the script.
        extra: Code at the end of the locustfile.
    """
    with workspace("") as root, serving("limited", root / "log.json", core=None) as (host, _):
        fields = {**vars(options), "pause_s": PAUSE_S}
        (root / "names.py").write_text(LOCUSTFILE.format(**fields) + extra)
        profile = PROFILE.format(users=USERS, seconds=options.seconds, host=host)
        (root / "profiles" / "bench.yaml").write_text(profile)
        sweep = perform(root)
        [folder] = {path.parent.resolve() for path in root.glob("reports/bench/*/journal.jsonl")}
        return print_sizes(folder, sweep, "planted: not limited" if extra else "limited")


def print_sizes(folder: Path, sweep: Sweep, title: str) -> int:
    """Print the bytes of each file of a run, and return their sum."""
    [cell] = sweep.state.cells.values()
    assert cell.finished is not None
    requests, names = num_requests(cell.finished.requests), len(cell.finished.requests)
    print(f"## {title}: {requests} requests, {names} names in the window")
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    for name, size in sizes.items():
        print(f"{size:>10}  {name}")
    for note in cell.finished.notes:
        print(f"{note.kind}: {note.count}, such as {note.example[:20]}…")
    return sum(sizes.values())


if __name__ == "__main__":
    main()
