"""Compare the results of the main requests with a server's log.

    .venv/bin/python -m bench.main_request [--seed 24] [--users 12] [--seconds 20]

The server has a page that takes 2 ms, a prediction of 400 ms and a login. The script prints samples
and percentiles of the prediction, as in the table of a run with `load.main`, beside those of the
server's log. A difference of more than 2 % in samples, or of max(5 %, 2 ms) in a percentile, is an
error. The planted case, the same run without `load.main`, must differ.
"""

import argparse
import sys
from datetime import datetime

from bench.sweeps import perform, workspace
from loadbench.engine.journal.events import CellFinished, CellPhase, Phase
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.measure.buckets import percentile, to_buckets
from loadbench.engine.report.recommendation.recommend import recommendation_of
from loadbench.engine.report.recommendation.sentences import answer
from loadbench.engine.report.rows import rows
from tests.support.shop_server import PREDICT, USERS, ShopServer

DEFAULT_SEED = 24
MAX_SHARE = 0.05
MAX_MS = 2.0
"""Maximum difference of a percentile, whichever is larger: about ten times the rounding of three
digits, and what two Python processes on two cores add to a request."""
MAX_SAMPLE_SHARE = 0.02
"""Maximum difference of the number of samples. Requests at both ends of the window may be counted
by one side only."""
COLUMNS = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95}
PROFILE = """
models: [1]
users: [{users}]
spawn_rates: [{users}]
run_time: {seconds}s
settle: {{max: 0s}}
host: {host}
load: {{locustfile: users.py{main}}}
stack: {{driver: external}}
goals: {{requests: {{"POST /predict": {{p95: 600}}, "GET /": {{p95: 50}}}}}}
"""


def main() -> None:
    """Execute both runs, and exit with 1 if the first differs from the log, or the planted not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=20, help="length of the window")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.users} users, {options.seconds} s")
    is_equal = measure(options, f', main: "{PREDICT}"')
    is_planted_equal = measure(options, "")
    print(f"main requests: {'equal' if is_equal else 'DIFFERENT'} to the log; planted: ", end="")
    print("NOT NOTICED" if is_planted_equal else "different, as it must be")
    sys.exit(not is_equal or is_planted_equal)


def measure(options: argparse.Namespace, main: str) -> bool:
    """Execute a run, print its results beside the log, and return whether they agree.

    Args:
        options: The options of the script.
        main: The key `load.main` as part of a YAML mapping, or an empty text.
    """
    with workspace("") as root, ShopServer(options.seed) as shop:
        (root / "users.py").write_text(USERS)
        profile = PROFILE.format(**vars(options), host=shop.host, main=main)
        (root / "profiles" / "bench.yaml").write_text(profile)
        sweep = perform(root)
        [row] = rows(sweep.state)
        [folder] = {path.parent for path in root.glob("reports/bench/2*/journal.jsonl")}
        begin_s, end_s = 0.0, 0.0
        for entry in JournalReader(folder).poll():
            if isinstance(entry.event, CellPhase) and entry.event.phase is Phase.MEASURING:
                begin_s = datetime.fromisoformat(entry.at).timestamp()
            elif isinstance(entry.event, CellFinished):
                end_s = begin_s + entry.event.measured_s
    log = [one for one in shop.log if one.name == PREDICT and begin_s <= one.arrived_s < end_s]
    logged = to_buckets({one.latency_ms: 1 for one in log})
    found = recommendation_of(sweep.state)
    print(f"## {'load.main' if main else 'planted: without load.main'}: {row.verdict}")
    print(f"samples: {row.requests}, log {len(log)}")
    print(f"answer: {answer(found) if found else None}")
    print(f"bottleneck: {row.bottleneck.text if row.bottleneck else None}")
    for check in row.checks:
        print(f"{check.goal.text()}: {check.value:.3g}, {check.samples} samples, {check.outcome}")
    agrees = abs((row.requests or 0) - len(log)) <= MAX_SAMPLE_SHARE * len(log) + 1
    for column, fraction in COLUMNS.items():
        shown, expected = getattr(row, column), percentile(logged, fraction) or 0.0
        limit = max(MAX_SHARE * expected, MAX_MS)
        print(f"{column}: {shown:.1f}, log {expected:.1f}, difference at most {limit:.1f}")
        agrees = agrees and abs(shown - expected) <= limit
    return agrees


if __name__ == "__main__":
    main()
