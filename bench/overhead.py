"""Compare the overhead per cell of the tool with that of a script that runs headless Locust.

    .venv/bin/python -m bench.overhead [--rounds 3]

Both measure the same cells of the same service, in turn. The overhead is the wall time without
ramping, settling and measuring. For the tool, it comes from the journal. For the script, it is the
wall time of a cell minus Locust's `--run-time`, which includes the ramp. Both scale the stack with
the same code, so only cells with an unchanged number of models are compared.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.drivers.local.stack import LocalStack
from loadbench.engine.journal.events import (
    CellFinished,
    CellPhase,
    CellStarted,
    Phase,
    RunFinished,
)
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, plan_cells

REPOSITORY = Path(__file__).resolve().parents[1]
MEASURING = (Phase.RAMPING, Phase.SETTLING, Phase.MEASURING)
PROFILE = """
models: [1, 2]
users: [1, 2, 4]
spawn_rates: [10]
run_time: 3s
settle: {max: 0s}
stack: {driver: local}
"""


def main() -> None:
    """Measure both in turn and print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="number of sweeps by each of the two")
    rounds = parser.parse_args().rounds
    tool: dict[str, list[float]] = defaultdict(list)
    script: dict[str, list[float]] = defaultdict(list)
    phases: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="loadbench-overhead-") as folder:
        workspace = make_workspace(Path(folder))
        profile = load_profile(workspace / "profiles" / "overhead.yaml")
        for number in range(rounds):
            print(f"Round {number + 1} of {rounds}", file=sys.stderr)
            for key, seconds, by_phase in sweep_by_tool(workspace):
                tool[key].append(seconds)
                for phase, spent in by_phase.items():
                    phases[phase].append(spent)
            for key, seconds in sweep_by_script(workspace, profile):
                script[key].append(seconds)
    print_result(plan_cells(profile), tool, script, phases)


def make_workspace(folder: Path) -> Path:
    """Create a workspace with the profile of this benchmark."""
    for part in ("stack", "images", "locustfile.py"):
        (folder / part).symlink_to(REPOSITORY / part)
    (folder / "profiles").mkdir()
    (folder / "profiles" / "overhead.yaml").write_text(PROFILE)
    return folder


def sweep_by_tool(workspace: Path) -> Iterable[tuple[str, float, dict[str, float]]]:
    """Run a sweep with the tool; yield each cell's key, its overhead and its seconds by phase."""
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(workspace), "run", "overhead"]
    subprocess.run(argv, check=True, capture_output=True)
    entries = JournalReader(workspace / "reports" / "overhead" / "latest").poll()
    started_s, since, phase, spent = 0.0, 0.0, "", defaultdict[str, float](float)
    for entry in entries:
        match entry.event:
            case CellStarted():
                started_s, phase, spent = entry.elapsed_s, "", defaultdict(float)
            case CellPhase(phase=next_phase):
                if phase:
                    spent[phase] += entry.elapsed_s - since
                phase, since = next_phase.value, entry.elapsed_s
            case CellFinished(cell=key):
                spent[phase] += entry.elapsed_s - since
                measuring = sum(spent[phase.value] for phase in MEASURING)
                yield key, entry.elapsed_s - started_s - measuring, dict(spent)
            case RunFinished():
                return


def sweep_by_script(workspace: Path, profile: Profile) -> Iterable[tuple[str, float]]:
    """Run headless Locust for each cell; yield each cell's key and its overhead."""
    stack = LocalStack(workspace / "stack", profile, log=workspace / "stack.log")
    try:
        for cell in plan_cells(profile):
            started_at = time.monotonic()
            stack.shrink(cell.models, lambda _step, _line: None)
            stack.scale(cell.models, lambda _step, _line: None)
            while stack.missing(cell.models):
                time.sleep(0.05)
            run_headless(workspace, cell, stack.host, profile.max_window_s)
            yield cell.key, time.monotonic() - started_at - profile.max_window_s
    finally:
        stack.close()


def run_headless(workspace: Path, cell: Cell, host: str, run_time_s: float) -> None:
    """Measure a cell with headless Locust, as a shell script would."""
    argv = [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--only-summary"]
    level = cell.level.fields
    argv += [
        "-u",
        f"{level['users']:g}",
        "-r",
        f"{level['spawn_rate']:g}",
        "-t",
        f"{run_time_s:g}s",
    ]
    argv += ["--host", host, "--html", cell.report_name]
    subprocess.run(
        argv,
        cwd=workspace,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )


def print_result(
    cells: Iterable[Cell],
    tool: dict[str, list[float]],
    script: dict[str, list[float]],
    phases: dict[str, list[float]],
) -> None:
    """Print one line per cell, then the ratios of cells with an unchanged number of models."""
    print("Median overhead in seconds, without ramping, settling and measuring\n")
    print(f"{'cell':<14}{'tool':>8}{'script':>8}{'ratio':>8}   models")
    models, ratios = 0, []
    for cell in cells:
        ours, theirs = statistics.median(tool[cell.key]), statistics.median(script[cell.key])
        is_unchanged = cell.models == models
        pairs = zip(tool[cell.key], script[cell.key], strict=True)
        ratios += [left / right for left, right in pairs if is_unchanged]
        kind = "unchanged" if is_unchanged else "changed"
        print(f"{cell.key:<14}{ours:>8.2f}{theirs:>8.2f}{ours / theirs:>8.2f}   {kind}")
        models = cell.models
    print("\nTool, by phase: ", end="")
    print(", ".join(f"{name} {statistics.median(spent):.2f} s" for name, spent in phases.items()))
    figures = " ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"\nAll ratios with an unchanged number of models: {figures}")
    print(f"Median ratio {statistics.median(ratios):.2f} (target: at most 0.5)")


if __name__ == "__main__":
    main()
