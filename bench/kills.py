"""Kill runners at random moments of real runs, resume the runs, and check that nothing is lost.

    .venv/bin/python -m bench.kills [--kills 60] [--drivers local,compose] [--seed 1]

Each run has four short cells and is killed a few times with SIGKILL: at a random moment, or after
its last cell has been measured, while the runner stops the service. After each kill, all processes
of the run must exit. Then the run is resumed. In the end

- the run must be done, and every cell measured,
- each result that was in the journal at a kill must be unchanged, and not measured again,
- the summary must equal the one rebuilt from the journal, and
- no process, container, network or temporary folder may be left.

Finally one result is removed from a killed run, and a process is added. If the checks do not report
both, they are worth nothing. Exits with code 1 in that case, or if anything was lost or left.
60 kills take about 20 minutes on two cores.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.sweeps import NAME, workspace
from loadbench.engine.drivers.docker.inspect import RUN_LABEL
from loadbench.engine.journal.state import CellStatus, RunState
from loadbench.engine.report.export.summary import CSV_NAME, JSON_NAME
from loadbench.engine.run_reader import Run, RunStatus, read_run

PROFILE = """
models: [1, 2]
users: [1, 2]
spawn_rates: [50]
run_time: 1s
settle: {{max: 0s}}
stack: {{driver: {driver}}}
load: {{timeout: 5s}}
"""
CELLS = 4
CELL_S = {"local": 3.0, "compose": 4.0}
"""Seconds of one cell on an idle machine. Kills are spread over them."""
MARKER = "LOADBENCH_BENCH_KILLS"
"""Environment variable that all processes of the runs inherit."""
MAX_KILLS_PER_RUN = 4
LAST_CELL_SHARE = 0.25
"""Share of the kills after the last cell."""
TEARDOWN_S = 0.6
"""Seconds from the last result to the end of a run, if the service stops at once."""
EXIT_TIMEOUT_S = 10.0
RUN_TIMEOUT_S = 180.0
POLL_INTERVAL_S = 0.05


@dataclass
class Tally:
    """Counts of a campaign, and the problems found."""

    runs: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    """Number of kills, by phase of the run."""
    results: int = 0
    """Number of results that were in a journal at a kill."""
    ended: int = 0
    """Number of runs that ended before their kill."""
    problems: list[str] = field(default_factory=list)

    def add_problem(self, text: str) -> None:
        """Record a problem and print it immediately."""
        self.problems.append(text)
        print(f"  PROBLEM: {text}", flush=True)


@dataclass
class Bench:
    """A workspace for the runs of one driver."""

    root: Path
    driver: str
    tally: Tally

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `loadbench-tui` and wait until it exits."""
        return subprocess.run(
            [sys.executable, "-m", "loadbench", "--workspace", str(self.root), *arguments],
            env={
                **os.environ,
                "XDG_STATE_HOME": str(self.root / "state"),
                "TMPDIR": str(self.temporary),
                MARKER: str(self.root),
            },
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=RUN_TIMEOUT_S,
        )

    @property
    def temporary(self) -> Path:
        """The folder for temporary files of all processes."""
        return self.root / "tmp"

    def latest(self) -> Run:
        """Return the newest run."""
        return read_run((self.root / "reports" / NAME / "latest").resolve())


def main() -> None:
    """Perform the campaign, print the counts, and exit with 1 if there is a problem."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--drivers", default="local,compose")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    drivers = options.drivers.split(",")
    chance, started = random.Random(options.seed), time.monotonic()
    problems = 0
    for number, driver in enumerate(drivers):
        kills = len(range(number, options.kills, len(drivers)))
        tally = Tally()
        print(f"{driver}: {kills} kills, seed {options.seed}", flush=True)
        with bench(driver, tally) as made:
            while tally.kills.total() < kills:
                killed_run(made, chance, min(MAX_KILLS_PER_RUN, kills - tally.kills.total()))
        report(tally)
        problems += len(tally.problems)
    planted = planted_problems(drivers[0], chance)
    print(f"{time.monotonic() - started:.0f} s; {problems} problems")
    sys.exit(1 if problems or not planted else 0)


def killed_run(bench: Bench, chance: random.Random, kills: int) -> None:
    """Start a run, kill and resume it a number of times, let it end, and check it."""
    tally, kept = bench.tally, dict[str, str]()
    tally.runs += 1
    begin(bench, "run", NAME, "--detach")
    for _ in range(kills):
        is_last = chance.random() < LAST_CELL_SHARE
        moment = kill(bench, chance, after_last_cell=is_last)
        if moment is None:
            tally.ended += 1
            break
        tally.kills[moment] += 1
        kept |= results(bench.latest().folder)
        tally.results += len(results(bench.latest().folder))
        check_processes(bench)
        run = bench.latest()
        cells = f"{run.state.count(CellStatus.FINISHED)} of {CELLS} cells measured"
        print(f"  {run.name}: killed {moment}, {cells}", flush=True)
        begin(bench, "run", "--resume", run.name, "--detach")
    check_run(bench, kept)


def begin(bench: Bench, *arguments: str) -> None:
    """Start or resume a run in the background."""
    called = bench.call(*arguments)
    if called.returncode:
        output = (called.stdout + called.stderr).strip()
        bench.tally.add_problem(f"{' '.join(arguments)}: exit code {called.returncode}: {output}")


def kill(bench: Bench, chance: random.Random, *, after_last_cell: bool) -> str | None:
    """Kill the runner of the newest run.

    Args:
        bench: The workspace.
        chance: Source of the moment.
        after_last_cell: Whether to wait until no cell is outstanding, instead of a random number.

    Returns:
        The phase of the run at that moment. None if the run has ended before.
    """
    outstanding = len(bench.latest().state.outstanding)
    left = 0 if after_last_cell else chance.randint(1, max(1, outstanding))
    wait(lambda: len(bench.latest().state.outstanding) <= left, RUN_TIMEOUT_S)
    time.sleep(chance.uniform(0, TEARDOWN_S if after_last_cell else CELL_S[bench.driver]))
    run = bench.latest()
    if run.status is not RunStatus.LIVE or run.state.pid is None:
        return None
    with suppress(ProcessLookupError):
        os.kill(run.state.pid, signal.SIGKILL)
    wait(lambda: bench.latest().status is not RunStatus.LIVE, EXIT_TIMEOUT_S)
    killed = bench.latest()
    return moment_of(killed.state) if killed.was_killed else None


def moment_of(state: RunState) -> str:
    """Return the phase of a run as a phrase."""
    if not state.outstanding:
        return "after the last cell"
    return f"while {state.phase}" if state.current and state.phase else "between cells"


def results(folder: Path) -> dict[str, str]:
    """Return the journal's complete lines with results, by cell."""
    lines = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    found = {}
    for line in lines:
        if line.startswith('{"type":"cell_finished"') and line.endswith("\n"):
            found[line.partition('"cell":"')[2].partition('"')[0]] = line
    return found


def check_processes(bench: Bench) -> None:
    """Check that all processes of a killed run exit, and remove those that do not."""
    wait(lambda: not processes(bench), EXIT_TIMEOUT_S)
    for process in processes(bench):
        with suppress(psutil.Error):
            bench.tally.add_problem(f"process left: {' '.join(process.cmdline())[:120]}")
            process.kill()


def processes(bench: Bench) -> list[psutil.Process]:
    """Return all processes of runs of a workspace."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARKER) == str(bench.root):
                found.append(process)
    return found


def check_run(bench: Bench, kept: Mapping[str, str]) -> None:
    """Wait until a run has ended, and check it.

    Args:
        bench: The workspace.
        kept: The lines with results that were in the journal at the kills, by cell.
    """
    wait(lambda: bench.latest().status is not RunStatus.LIVE, RUN_TIMEOUT_S)
    # The runner holds the lock until it has saved the summary.
    wait(lambda: not bench.latest().is_held, EXIT_TIMEOUT_S)
    run, add_problem = bench.latest(), bench.tally.add_problem
    if run.status is not RunStatus.DONE or run.was_killed:
        ending = ", but its end is not recorded" if run.was_killed else ""
        add_problem(f"{run.name} is {run.status.value}{ending}")
    for key, cell in run.state.cells.items():
        if cell.status is not CellStatus.FINISHED:
            add_problem(f"{run.name}: {key} is {cell.status.value}")
    now = results(run.folder)
    for key, line in kept.items():
        if now.get(key) != line:
            add_problem(f"{run.name}: the result of {key} was lost or measured again")
    check_summary(bench, run)
    check_processes(bench)
    for kind in ("container", "network", "temporary folder"):
        for name in LEFT[kind](bench):
            add_problem(f"{run.name}: {kind} left: {name}")


def check_summary(bench: Bench, run: Run) -> None:
    """Check that the summary of a run equals the one rebuilt from its journal."""
    files = [run.folder / name for name in (CSV_NAME, JSON_NAME)]
    written = [file.read_bytes() if file.exists() else b"" for file in files]
    for file in files:
        file.unlink(missing_ok=True)
    bench.call("report", run.name)
    for file, before in zip(files, written, strict=True):
        if not file.exists() or file.read_bytes() != before:
            bench.tally.add_problem(f"{run.name}: {file.name} differs from the rebuilt one")


def containers(bench: Bench) -> list[str]:
    """Return the names of all containers of the workspace's runs."""
    if bench.driver != "compose":
        return []
    row = f'{{{{.Label "{RUN_LABEL}"}}}} {{{{.Names}}}}'
    lines = docker("ps", "--all", "--filter", f"label={RUN_LABEL}", "--format", row)
    return [line for line in lines if line.startswith(str(bench.root.resolve()))]


def networks(bench: Bench) -> list[str]:
    """Return the names of all networks of the workspace's projects."""
    if bench.driver != "compose":
        return []
    label = f"label=com.docker.compose.project={project(bench)}"
    return docker("network", "ls", "--filter", label, "--format", "{{.Name}}")


def temporary_folders(bench: Bench) -> list[str]:
    """Return the names of temporary folders. ONNX Runtime leaves a file of its own there."""
    return [path.name for path in bench.temporary.iterdir() if path.is_dir()]


LEFT: Mapping[str, Callable[[Bench], list[str]]] = {
    "container": containers,
    "network": networks,
    "temporary folder": temporary_folders,
}


def project(bench: Bench) -> str:
    """Return the name of the Compose project of the newest run."""
    started = bench.latest().state.started
    assert started is not None
    assert started.project is not None
    return started.project.name


def docker(*arguments: str) -> list[str]:
    """Run a `docker` command and return the lines of its output."""
    output = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return output.stdout.splitlines()


def report(tally: Tally) -> None:
    """Print the counts of a campaign."""
    moments = ", ".join(f"{count} {moment}" for moment, count in tally.kills.most_common())
    print(f"  {tally.kills.total()} kills in {tally.runs} runs: {moments}")
    print(f"  {tally.ended} runs ended before their kill; {tally.results} results were at risk")
    print(f"  {len(tally.problems)} problems\n", flush=True)


def planted_problems(driver: str, chance: random.Random) -> bool:
    """Return whether the checks report a lost result and a process that is left."""
    print("planted: a result is removed from a killed run, and a process is added", flush=True)
    tally = Tally()
    with bench(driver, tally) as made:
        begin(made, "run", NAME, "--detach")
        wait(lambda: bool(results(made.latest().folder)), RUN_TIMEOUT_S)
        kill(made, chance, after_last_cell=False)
        folder = made.latest().folder
        kept = results(folder)
        journal = folder / "journal.jsonl"
        lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
        removed = next(iter(kept.values()))
        journal.write_text("".join(line for line in lines if line != removed), encoding="utf-8")
        check_processes(made)
        begin(made, "run", "--resume", made.latest().name, "--detach")
        stray = subprocess.Popen(["sleep", "600"], env={**os.environ, MARKER: str(made.root)})
        check_run(made, kept)
        stray.kill()
        stray.wait()
    expected = ("was lost or measured again", "process left: sleep 600")
    is_found = all(any(text in problem for problem in tally.problems) for text in expected)
    print(f"  the checks {'report both' if is_found else 'MISS a planted problem'}", flush=True)
    return is_found


@contextmanager
def bench(driver: str, tally: Tally) -> Iterator[Bench]:
    """Create a workspace, and remove it with all processes, containers and images."""
    with workspace(PROFILE.format(driver=driver)) as root:
        made = Bench(root, driver, tally)
        made.temporary.mkdir()
        try:
            yield made
        finally:
            for process in processes(made):
                with suppress(psutil.Error):
                    process.kill()
            if driver == "compose" and (root / "reports" / NAME / "latest").exists():
                name = project(made)
                subprocess.run(["docker", "compose", "-p", name, "down", "--timeout", "1"])
                images = docker("image", "ls", "--quiet", f"{name}-*")
                subprocess.run(["docker", "image", "rm", *images], stdout=subprocess.DEVNULL)


def wait(condition: Callable[[], bool], timeout_s: float) -> None:
    """Wait until a condition is true, at most `timeout_s`. The caller's checks report the rest."""
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_INTERVAL_S)


if __name__ == "__main__":
    main()
