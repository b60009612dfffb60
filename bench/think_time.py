"""Check that planned times back all percentiles with goals, with users that think.

    .venv/bin/python -m bench.think_time [--seed 24] [--users 2 5 10 20] [--quick] [--plant]

A small server answers `POST /predict` after about 100 ms and `GET /` at once. Users wait 1 to 3 s
between requests; `--quick` scales all times to a tenth. For each number of users, the script

1. plans from the text of the locustfile how long the cell must last,
2. measures for this time: every percentile with a goal must have enough samples,
3. measures with `run_time: auto`: it must have enough samples too, and must end within three
   seconds of having them.

Prints the planned time, the length of each window, the samples by percentile with the needed ones,
the requests that the server received, and whether the cell settled. Exits with code 1 if a check
fails. Planned times are enough in 99 % of windows, so one of 100 fixed windows may fail by chance.

With `--plant`, only the largest number of users is measured for a time that was planned with a
tenth of the think time: step 2 must fail. Exits with code 1 if it passes.
"""

import argparse
import math
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.sweeps import NAME, perform, workspace
from loadbench.engine.journal.events import CellFinished
from loadbench.engine.load.sampling import sampling_plan
from loadbench.engine.measure.buckets import count, successes
from loadbench.engine.measure.main_request import of_name
from loadbench.engine.measure.sampling.backed import SampleNeed, sample_needs
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.model import Profile

DEFAULT_SEED = 24
THINK_S = (1.0, 3.0)
QUICK = 0.1
PLANTED = 0.1
MEDIAN_S = 0.1
MAX_LATE_S = 3.0
"""Seconds until an automatic window must end: one until a second is complete, one until it is read,
and one for a busy machine."""

PROFILE = """
models: [1]
users: [{users}]
spawn_rates: [100]
host: {host}
settle: {{max: 0s}}
load: {{locustfile: think.py, main: POST /predict}}
stack: {{driver: external, health: tcp}}
goals: {{p95_ms: {p95_ms}, requests: {{"GET /": {{p90: {p90_ms}}}}}}}
"""
AUTO = ("run_time=auto", "min_run_time=1s", "settle.max=30s")
LOCUSTFILE = """
import random
from locust import FastHttpUser, between, task

random.seed({seed})

class Shopper(FastHttpUser):
    wait_time = between({low}, {high})

    @task(3)
    def predict(self): self.client.post("/predict")

    @task
    def index(self): self.client.get("/")
"""


@dataclass
class ThinkServer:
    """An HTTP server with two endpoints, which counts its requests.

    Args:
        seed: Seed of the latencies.
        median_s: Median latency of `POST /predict`.
    """

    seed: int
    median_s: float
    received: dict[str, int] = field(default_factory=dict)
    """Number of requests by method and path."""

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve on a free port, and yield the base URL."""
        draw, lock, received = random.Random(self.seed), threading.Lock(), self.received
        median_s = self.median_s

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    key = f"{self.command} {self.path}"
                    received[key] = received.get(key, 0) + 1
                    latency_s = median_s * draw.lognormvariate(0, 0.25)
                if self.command == "POST":
                    time.sleep(latency_s)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
                self.wfile.flush()

            do_GET = do_POST = answer  # noqa: N815  # names of the base class

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Ignore connections that Locust closes."""

        server = Server(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def write_locustfile(root: Path, scale: float, seed: int) -> None:
    """Write the locustfile, with the think time multiplied by a factor."""
    low, high = (round(scale * bound_s, 6) for bound_s in THINK_S)
    (root / "think.py").write_text(LOCUSTFILE.format(seed=seed, low=low, high=high))


def planned_s(root: Path) -> float:
    """Return the time that is planned from the locustfile, without earlier runs."""
    plan = sampling_plan(root, load_profile(root / "profiles" / f"{NAME}.yaml"), ())
    [cell] = plan.cells.values()
    assert cell.needed_s is not None, cell.unknown
    return float(math.ceil(cell.needed_s))


def measured(root: Path, scale: float, seed: int, *overrides: str) -> tuple[Profile, CellFinished]:
    """Run the profile of a workspace once, and return it with the results of its cell."""
    write_locustfile(root, scale, seed)
    state = perform(root, overrides=overrides).state
    [cell] = state.cells.values()
    assert state.profile
    assert cell.finished, state.finished
    return state.profile, cell.finished


def samples(finished: CellFinished, need: SampleNeed) -> int:
    """Return the number of latencies for a percentile."""
    return count(successes(of_name(finished.requests, need.name)))


def problems(label: str, profile: Profile, finished: CellFinished, *, is_auto: bool) -> list[str]:
    """Print the samples of a cell, and return what is wrong with them."""
    found, shown = [], []
    last_s = profile.min_run_time
    for need in sample_needs(profile.goals, profile.load.main):
        number = samples(finished, need)
        shown.append(f"{need.percentile} of {need.name}: {number}/{need.samples}")
        if number < need.samples:
            found.append(f"{label}: {number} of {need.samples} samples of {need.name}")
        else:
            last_s = max(last_s, finished.measured_s * need.samples / number)
    settled = {True: "settled", False: f"not settled: {finished.unsettled}", None: "no settling"}
    print(
        f"  {label:<6} {finished.measured_s:7.2f} s  {'; '.join(shown)}; "
        f"{settled[finished.settled]}"
    )
    if is_auto and finished.measured_s > last_s + MAX_LATE_S:
        found.append(f"{label}: ended at {finished.measured_s:.1f} s, backed at {last_s:.1f} s")
    return found


def check(users: int, scale: float, seed: int, *, planted: bool) -> list[str]:
    """Plan and measure a number of users, with all times multiplied by a factor.

    Returns:
        What is wrong.
    """
    server = ThinkServer(seed, scale * MEDIAN_S)
    with server.serving() as host:
        goals = {"p95_ms": 400 * scale, "p90_ms": 100 * scale}
        text = PROFILE.format(users=users, host=host, **goals)
        with workspace(text) as root:
            write_locustfile(root, scale * (PLANTED if planted else 1.0), seed)
            seconds = planned_s(root)
            print(f"{users} users: {seconds:g} s planned")
            profile, fixed = measured(root, scale, seed, f"run_time={seconds:g}s")
            found = problems("fixed", profile, fixed, is_auto=False)
        if not planted:
            with workspace(text) as root:
                profile, auto = measured(root, scale, seed, *AUTO)
            found += problems("auto", profile, auto, is_auto=True)
        print(f"  server received {server.received}", flush=True)
        return [f"{users} users: {one}" for one in found]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--users", type=int, nargs="+", default=[2, 5, 10, 20])
    parser.add_argument("--quick", action="store_true", help="a tenth of all times")
    parser.add_argument("--plant", action="store_true", help="plan with too little think time")
    options = parser.parse_args(argv)
    scale = QUICK if options.quick else 1.0
    low_s, high_s = (scale * bound_s for bound_s in THINK_S)
    print(f"seed {options.seed}, think time {low_s:g} to {high_s:g} s")
    counts = [max(options.users)] if options.plant else options.users
    found = [
        one for users in counts for one in check(users, scale, options.seed, planted=options.plant)
    ]
    print("\n".join(found) if found else "All percentiles with goals have enough samples")
    return int(bool(found) != options.plant)


if __name__ == "__main__":
    sys.exit(main())
