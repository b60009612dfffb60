"""Execute real runs in a temporary workspace, with a callback during measurement windows."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.other_processes import other_processes_s, read_process
from loadbench.engine.journal.events import CellPhase, Phase
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY, RunState

REPOSITORY = Path(__file__).resolve().parents[1]
POLL_INTERVAL_S = 0.1
NAME = "bench"
OUTPUT = "output.txt"
"""File with the output of the tool."""

During = Callable[[RunState], None]
"""Called once for each cell, during its measurement window."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A finished run."""

    state: RunState
    folder: Path
    others_cores: Mapping[str, float]
    """Cores used by other processes in each cell's window, measured by this benchmark."""


@contextmanager
def workspace(profile: str) -> Iterator[Path]:
    """Create a workspace with a profile and an editable copy of the service."""
    with tempfile.TemporaryDirectory(prefix="loadbench-bench-") as folder:
        root = Path(folder)
        shutil.copytree(REPOSITORY / "stack", root / "stack")
        shutil.copy(REPOSITORY / "locustfile.py", root)
        (root / "images").symlink_to(REPOSITORY / "images")
        (root / "profiles").mkdir()
        (root / "profiles" / f"{NAME}.yaml").write_text(profile)
        yield root


def perform(root: Path, during: During = lambda _: None, *, overrides: Sequence[str] = ()) -> Sweep:
    """Run the profile of a workspace until it has finished.

    Args:
        root: The workspace.
        during: Called once for each cell, during its measurement window.
        overrides: Overrides of the profile, as `KEY=VALUE`.
    """
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(root), "run", NAME, "--plain"]
    argv += [part for override in overrides for part in ("--set", override)]
    with (root / OUTPUT).open("w") as output:
        tool = subprocess.Popen(argv, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            return _follow(tool, root, during)
        finally:
            if tool.poll() is None:
                tool.terminate()
            tool.wait()


def _follow(tool: subprocess.Popen[bytes], root: Path, during: During) -> Sweep:
    latest, reader, state = root / "reports" / NAME / "latest", None, EMPTY
    others: dict[str, float] = {}
    before = (0.0, 0.0)
    done: set[str | None] = set()
    while True:
        has_exited = tool.poll() is not None
        if reader is None and latest.exists():
            reader = JournalReader(latest.resolve())
        for entry in reader.poll() if reader else ():
            state = state.apply(entry)
            match entry.event:
                case CellPhase(phase=Phase.MEASURING):
                    before = (others_s(), time.monotonic())
                case CellPhase(cell=key, phase=Phase.DRAINING):
                    used_s, elapsed = others_s() - before[0], time.monotonic() - before[1]
                    others[key] = round(used_s / elapsed, 2)
        current = state.current
        if current not in done and len(state.samples_in(Phase.MEASURING)) > 1:
            done.add(current)
            during(state)
        if has_exited:
            if state.finished is None:
                sys.exit((root / OUTPUT).read_text())
            return Sweep(state, latest.resolve(), others)
        time.sleep(POLL_INTERVAL_S)


def others_s() -> float:
    """Return the total CPU seconds of processes that are neither ours nor in a container."""
    containers_s = 0.0
    for pid in _container_pids():
        with suppress(OSError):
            containers_s += read_process(pid)[1]
    return other_processes_s() - containers_s


def _container_pids() -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if "/docker/" in (folder / "cgroup").read_text():
                    found.append(int(folder.name))
    return found
