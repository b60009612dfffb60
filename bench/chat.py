"""Compare the time to first token of the chat example with the logs of a streaming server.

    .venv/bin/python -m bench.chat [--seed 24] [--seconds 20] [--users 8]

Runs docs/examples/chat against one and two containers of tests/support/streaming_server.py, each of
which answers four chats at once. Prints counts and percentiles of the tool beside those of the
logs. More than 5 % and 2 ms of difference is an error. A planted server that sends each first token
20 ms later than logged must be one.
"""

import argparse
import shutil
import sys
from pathlib import Path

from bench.sweeps import NAME, REPOSITORY, perform, workspace
from loadbench.engine.measure.buckets import count
from loadbench.wording import counted
from tests.support import streaming_server
from tests.support.chat_results import FirstTokens, first_tokens, window_of
from tests.support.streaming_server import read_log

DEFAULT_SEED = 24
PLANTED_MS = 20
PROFILE = """
models: [1, 2]
users: [{users}]
spawn_rates: [{users}]
run_time: {seconds}s
settle: {{max: 0s}}
stack: {{driver: compose, compose: [project/compose.yaml], service: llm, health: /health}}
load:
  locustfile: chat/locustfile.py
  main: POST /v1/chat/completions
  options: {{max-tokens: 10}}
"""


def main() -> None:
    """Execute both runs, and exit with 1 if the first differs too much, or the planted one not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--seconds", type=int, default=20, help="length of the window")
    parser.add_argument("--users", type=int, default=8)
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.users} users, {options.seconds} s")
    problems = measure(options, unlogged_ms=0)
    planted = measure(options, unlogged_ms=PLANTED_MS)
    if not planted:
        print("the planted run was not refused")
    sys.exit(bool(problems) or not planted)


def measure(options: argparse.Namespace, *, unlogged_ms: int) -> list[str]:
    """Execute a run, print its percentiles, and return what differs too much.

    Args:
        options: The options of the script.
        unlogged_ms: Planted delay of each first token after it was logged, in ms.
    """
    with workspace(PROFILE.format(**vars(options))) as root:
        project = root / "project"
        shutil.copytree(REPOSITORY / "tests" / "docker" / "chat", project)
        shutil.copytree(REPOSITORY / "docs" / "examples" / "chat", root / "chat")
        shutil.copy(streaming_server.__file__, project)
        (project / "log").mkdir()
        (project / ".env").write_text(f"SEED={options.seed}\nUNLOGGED_MS={unlogged_ms}\n")
        sweep = perform(root)
        title = f"planted: {unlogged_ms} ms" if unlogged_ms else "as logged"
        logs = [file.read_text() for file in sorted(Path(project / "log").iterdir())]
        entries = [entry for text in logs for entry in read_log(text)]
        problems = []
        for key, cell in sweep.state.cells.items():
            assert cell.finished is not None, f"{NAME}: {key} failed"
            found = first_tokens(cell.finished, entries, window_of(sweep.folder, key))
            print_cell(found, f"{title}, {counted(len(cell.finished.replicas), 'replica')}")
            problems += found.problems()
        return problems


def print_cell(found: FirstTokens, title: str) -> None:
    """Print counts and percentiles of a cell."""
    reported, logged = count(found.reported), count(found.logged)
    print(f"## {title}: {reported} first tokens, {logged} logged, {found.num_at_edges} at edges")
    for fraction, reported_ms, logged_ms in found.percentiles():
        error_ms = reported_ms - logged_ms
        share = f"{100 * error_ms / logged_ms:+.1f} %"
        print(f"p{100 * fraction:g}: {reported_ms:.1f} ms, {logged_ms:.1f} logged, {share}")
    for problem in found.problems():
        print(f"! {problem}")


if __name__ == "__main__":
    main()
