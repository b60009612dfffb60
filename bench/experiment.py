"""Repeat the original experiment in small, and print what the tool recommends.

    .venv/bin/python -m bench.experiment [--only with_cpu,batch_10,limited] [--seconds 20]

`with_cpu` and `batch_10` are the profiles of that name at 1 and 2 models, with short windows, on
the bundled service in containers (in processes with `--driver local`). Their recommendation depends
on the machine and is only printed.

`limited` is a service behind a rate limiter of exactly 100 requests a second, measured with the
driver `external`. With N users that wait for each response, the latency is N / 100 s. With a goal
of 400 ms it carries 30 of the measured numbers of users, and 50 miss the goal at 500 ms. The script
exits with 1 if the recommendation differs, or if the planted wrong expectation is not refused.
"""

import argparse
import sys
from collections.abc import Sequence

from bench.sweeps import REPOSITORY, Sweep, perform, workspace
from bench.truth_runs import serving
from loadbench.engine.report.recommendation.recommend import Recommendation, recommendation_of
from loadbench.engine.report.recommendation.sentences import sentences

RATE = 100.0
GOAL_MS = 400.0
USERS = (10, 20, 30, 50, 80)
CARRIED, MISSED = 30, 50
PLANTED = 50
"""A wrong capacity, which the check must refuse."""
RATE_TOLERANCE = 0.03
"""A window of 20 s holds 2,000 requests, and its two edges may each cut a few."""

LIMITED = """
models: [1]
users: [{users}]
spawn_rates: [50]
run_time: {seconds}s
settle: {{max: 15s, window: 2s}}
host: {host}
load: {{locustfile: limited.py}}
stack: {{driver: external}}
goals: {{p95_ms: {goal:g}}}
"""
LOCUSTFILE = """
from locust import FastHttpUser, task

class User(FastHttpUser):
    @task
    def get(self):
        self.client.get("/r/0", name="/r")
"""


def main() -> None:
    """Execute the selected runs, and print their recommendations."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="with_cpu,batch_10,limited")
    parser.add_argument("--seconds", type=int, default=20, help="length of a window")
    parser.add_argument("--driver", default="compose", help="driver of the bundled service")
    options = parser.parse_args()
    errors: list[str] = []
    for name in options.only.split(","):
        if name == "limited":
            found = print_recommendation(name, limited(options.seconds))
            errors += check(found, CARRIED)
            if not check(found, PLANTED):
                errors.append("the planted wrong capacity was not refused")
        else:
            overrides = (
                "models=1,2",
                "users=10,20,50,100",
                f"run_time={options.seconds}s",
                f"stack.driver={options.driver}",
            )
            with workspace((REPOSITORY / "profiles" / f"{name}.yaml").read_text()) as root:
                print_recommendation(name, perform(root, overrides=overrides))
    if "limited" in options.only.split(","):
        print("\n".join(errors) or "The recommendation of the limited service is right")
    sys.exit(bool(errors))


def limited(seconds: int) -> Sweep:
    """Measure the rate-limited service."""
    with workspace("") as root, serving("limited", root / "log.json") as (host, _):
        (root / "limited.py").write_text(LOCUSTFILE)
        users = ", ".join(map(str, USERS))
        profile = LIMITED.format(users=users, seconds=seconds, host=host, goal=GOAL_MS)
        (root / "profiles" / "bench.yaml").write_text(profile)
        return perform(root)


def check(found: Recommendation, carried: int) -> Sequence[str]:
    """Return how the recommendation differs from a known capacity."""
    best = found.best
    load, missed = (best.capacity, best.first_failed) if best else (None, None)
    errors = []
    if load is None or load.amount != carried:
        errors.append(f"carries {load.phrase if load else None}, expected {carried} users")
    if missed is None or missed.amount != MISSED:
        errors.append(f"fails at {missed.phrase if missed else None}, expected {MISSED} users")
    rps = load.rps if load else None
    if rps is None or abs(rps - RATE) > RATE_TOLERANCE * RATE:
        errors.append(f"{rps} req/s, expected {RATE:g}")
    return errors


def print_recommendation(name: str, sweep: Sweep) -> Recommendation:
    """Print the recommendation of a run with the load by other processes, and return it."""
    found = recommendation_of(sweep.state)
    assert found is not None
    others = max(sweep.others_cores.values(), default=0.0)
    print(f"## {name} (other processes used at most {others:.2f} cores)")
    print("\n".join([*sentences(found), *(f"Doubt: {doubt}" for doubt in found.doubts), ""]))
    return found


if __name__ == "__main__":
    main()
