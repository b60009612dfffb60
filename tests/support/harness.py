"""Helpers for tests of complete runs: a workspace, the command line and conditions to await."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from loadbench.engine.journal.events import Finding, Phase
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.measure.limits import MAX_CLIENT_CPU_CORES
from loadbench.engine.measure.rules.registry import CLIENT_BOUND
from loadbench.engine.run_reader import Run, read_run

REPOSITORY = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60.0
FAST = """
description: a fast one for tests
models: [1]
users: [2]
spawn_rates: [10]
run_time: 1s
settle: {max: 0s}
stack: {driver: local, startup_timeout: 60s}
load: {timeout: 5s}
"""

T = TypeVar("T")


def until(
    condition: Callable[[], T | bool | None],
    *,
    within_s: float = TIMEOUT_S,
    what: str | Callable[[], str] = "",
) -> T:
    """Wait until a condition is true, and return its value. Fail on a timeout."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value  # type: ignore[return-value]  # callers ignore a plain True
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            pytest.fail(f"Timed out after {within_s:g} s: {text or condition}")
        time.sleep(0.02)


@dataclass
class Bench:
    """A temporary workspace in which a test runs commands."""

    root: Path
    home: Path
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path, profile: str = FAST, name: str = "fast") -> "Bench":
        """Create a workspace with one profile and links to the real stack and images."""
        root = folder / "bench"
        (root / "profiles").mkdir(parents=True)
        for part in ("stack", "images", "locustfile.py"):
            (root / part).symlink_to(REPOSITORY / part)
        bench = cls(root, folder / "home")
        bench.save_profile(profile, name)
        return bench

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def save_profile(self, text: str, name: str = "fast") -> Path:
        path = self.root / "profiles" / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def start(
        self, *arguments: str, prefix: Sequence[str] = (), **environment: str
    ) -> "subprocess.Popen[str]":
        """Start `loadbench-tui` in a new session, as a shell does.

        Args:
            arguments: Its arguments.
            prefix: A command to run it with.
            environment: Further environment variables.
        """
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "loadbench", *arguments],
            cwd=self.root,
            env={
                **os.environ,
                "XDG_STATE_HOME": str(self.home),
                "HOME": str(self.home),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def call(
        self, *arguments: str, within_s: float = TIMEOUT_S, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run `loadbench-tui`, and wait until it exits."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=within_s)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def folder(self, name: str = "fast") -> Path:
        """Wait until a profile has a run, and return the folder of its newest run."""
        link = self.reports / name / "latest"
        until(link.exists, what=f"a run of {name}")
        return link.resolve()

    def run(self, name: str = "fast") -> Run:
        return read_run(self.folder(name))

    def state(self, name: str = "fast") -> RunState:
        return fold(JournalReader(self.folder(name)).poll())

    def when(self, key: str, phase: Phase = Phase.MEASURING, name: str = "fast") -> RunState:
        """Wait until a cell reaches a phase, with at least one sample while measuring."""
        needs_sample = phase is Phase.MEASURING

        def reached() -> RunState | None:
            state = self.state(name)
            is_reached = state.current == key and state.phase is phase
            return state if is_reached and (state.samples or not needs_sample) else None

        def described() -> str:
            state = self.state(name)
            cells = {key: (cell.status.value, cell.failed) for key, cell in state.cells.items()}
            return f"{key} {phase}. The run: {state.current} {state.phase} {cells} {state.finished}"

        return until(reached, what=described)

    def runner(self, name: str = "fast") -> psutil.Process:
        return psutil.Process(self.state(name).pid)

    def close(self) -> None:
        """Kill all runners and commands that are still running."""
        for journal in self.reports.glob("*/*/journal.jsonl"):
            run = read_run(journal.parent)
            if run.status.value == "live" and run.state.pid:
                with suppress(ProcessLookupError):
                    os.kill(run.state.pid, signal.SIGKILL)
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


def child_named(runner: psutil.Process, words: str) -> psutil.Process:
    """Wait for a descendant of the runner whose command line contains a text.

    The supervisor of that process, whose command line also contains the text, does not count.
    """

    def found() -> psutil.Process | None:
        for process in runner.children(recursive=True):
            try:
                line = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if words in line and "engine/process.py" not in line:
                return process
        return None

    return until(found, what=f"process {words}")


def gone(processes: list[psutil.Process]) -> bool:
    """Return whether all of these processes have exited."""
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def unexplained_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that cannot be explained by short cells or a shared machine."""
    excused = {"few_samples", "neighbours", "stolen", "stalls", "not_settled"}
    # A shared machine can cause event-loop lag, but not a full core used by Locust.
    return [
        finding
        for finding in findings
        if finding.rule not in excused
        and not (finding.rule == CLIENT_BOUND and finding.limit != MAX_CLIENT_CPU_CORES)
    ]


def requests_in_report(html: str) -> int:
    """Return the number of requests in Locust's HTML report."""
    pattern = r'"name":\s*"Aggregated".{0,400}?"num_requests":\s*(\d+)'
    found = re.search(pattern, html, re.DOTALL)
    assert found, "the report has no total"
    return int(found.group(1))
