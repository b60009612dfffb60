"""What a sweep costs beside measuring, against one headless Locust per cell.

    .venv/bin/python -m bench.overhead [--rounds 3]

Both ways measure the same cells of the same service, in turns. Counted is wall time less ramping,
settling and measuring: for the tool from its journal, for the script's way from the clock around
`locust --headless --run-time …`, whose run time holds the ramp. Both scale the stack by the same
code, so only cells at an unchanged number of models tell the two ways apart.
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
    """Measure in turns and print every number."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="pairs of sweeps")
    rounds = parser.parse_args().rounds
    ours: dict[str, list[float]] = defaultdict(list)
    theirs: dict[str, list[float]] = defaultdict(list)
    phases: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="loadbench-overhead-") as folder:
        workspace = make_workspace(Path(folder))
        profile = load_profile(workspace / "profiles" / "overhead.yaml")
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            for key, seconds, by_phase in sweep_by_tool(workspace):
                ours[key].append(seconds)
                for phase, spent in by_phase.items():
                    phases[phase].append(spent)
            for key, seconds in sweep_by_script(workspace, profile):
                theirs[key].append(seconds)
    print_result(plan_cells(profile), ours, theirs, phases)


def make_workspace(folder: Path) -> Path:
    """Return a workspace with the profile of this benchmark."""
    for part in ("stack", "images", "locustfile.py"):
        (folder / part).symlink_to(REPOSITORY / part)
    (folder / "profiles").mkdir()
    (folder / "profiles" / "overhead.yaml").write_text(PROFILE)
    return folder


def sweep_by_tool(workspace: Path) -> Iterable[tuple[str, float, dict[str, float]]]:
    """Yield a cell's key, its overhead, and its seconds by phase."""
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(workspace), "run", "overhead"]
    subprocess.run(argv, check=True, capture_output=True)
    entries = JournalReader(workspace / "reports" / "overhead" / "latest").poll()
    begun, since, phase, spent = 0.0, 0.0, "", defaultdict[str, float](float)
    for entry in entries:
        match entry.event:
            case CellStarted():
                begun, phase, spent = entry.elapsed_s, "", defaultdict(float)
            case CellPhase(phase=next_phase):
                if phase:
                    spent[phase] += entry.elapsed_s - since
                phase, since = next_phase.value, entry.elapsed_s
            case CellFinished(cell=key):
                spent[phase] += entry.elapsed_s - since
                measuring = sum(spent[it.value] for it in MEASURING)
                yield key, entry.elapsed_s - begun - measuring, dict(spent)
            case RunFinished():
                return


def sweep_by_script(workspace: Path, profile: Profile) -> Iterable[tuple[str, float]]:
    """Yield a cell's key and its overhead, with one headless Locust per cell."""
    stack = LocalStack(workspace / "stack", profile, log=workspace / "stack.log")
    try:
        for cell in plan_cells(profile):
            begun = time.monotonic()
            stack.scale(cell.models, lambda _step, _line: None)
            while stack.missing(cell.models):
                time.sleep(0.05)
            run_headless(workspace, cell, stack.host, profile.run_time)
            yield cell.key, time.monotonic() - begun - profile.run_time
    finally:
        stack.close()


def run_headless(workspace: Path, cell: Cell, host: str, run_time_s: float) -> None:
    """Measure a cell as the original script did."""
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
    ours: dict[str, list[float]],
    theirs: dict[str, list[float]],
    phases: dict[str, list[float]],
) -> None:
    """Print a line a cell, then the ratio for cells at an unchanged number of models."""
    print("seconds beside ramping, settling and measuring, median (all)\n")
    print(f"{'cell':<14}{'tool':>8}{'script':>8}{'ratio':>8}   models")
    models, ratios = 0, []
    for cell in cells:
        tool, script = statistics.median(ours[cell.key]), statistics.median(theirs[cell.key])
        same = cell.models == models
        pairs = zip(ours[cell.key], theirs[cell.key], strict=True)
        ratios += [mine / other for mine, other in pairs if same]
        kind = "unchanged" if same else "changed"
        print(f"{cell.key:<14}{tool:>8.2f}{script:>8.2f}{tool / script:>8.2f}   {kind}")
        models = cell.models
    print("\nthe tool, by phase: ", end="")
    print(", ".join(f"{name} {statistics.median(spent):.2f} s" for name, spent in phases.items()))
    shown = " ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"\nunchanged number of models, every ratio: {shown}")
    print(f"median ratio {statistics.median(ratios):.2f} (at most 0.5 is the aim)")


if __name__ == "__main__":
    main()
