"""Real runs of the tool in a workspace of their own, with a hand on what happens meanwhile."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.other_processes import look_at, other_processes_s
from loadbench.engine.journal.events import CellPhase, Phase
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY, RunState

REPOSITORY = Path(__file__).resolve().parents[1]
LOOK_S = 0.1
NAME = "bench"

During = Callable[[RunState], None]
"""Called once for each cell, in its measured window."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A run that has ended."""

    state: RunState
    folder: Path
    others_cores: Mapping[str, float]
    """By cell: the cores that processes of others used in its window, by a look of our own."""


@contextmanager
def workspace(profile: str) -> Iterator[Path]:
    """Have a workspace with a copy of the service that may be changed, and a profile."""
    with tempfile.TemporaryDirectory(prefix="loadbench-bench-") as folder:
        root = Path(folder)
        shutil.copytree(REPOSITORY / "stack", root / "stack")
        shutil.copy(REPOSITORY / "locustfile.py", root)
        (root / "images").symlink_to(REPOSITORY / "images")
        (root / "profiles").mkdir()
        (root / "profiles" / f"{NAME}.yaml").write_text(profile)
        yield root


def perform(root: Path, during: During = lambda _: None) -> Sweep:
    """Run the profile of a workspace to its end.

    Args:
        root: The workspace.
        during: What is done to it while a cell is measured.
    """
    argv = [sys.executable, "-m", "loadbench", "--workspace", str(root), "run", NAME, "--plain"]
    with (root / "said").open("w") as said:
        tool = subprocess.Popen(argv, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        try:
            return _follow(tool, root, during)
        finally:
            if tool.poll() is None:
                tool.terminate()
            tool.wait()


def _follow(tool: subprocess.Popen[bytes], root: Path, during: During) -> Sweep:
    latest, reader, state = root / "reports" / NAME / "latest", None, EMPTY
    others: dict[str, float] = {}
    begun = (0.0, 0.0)
    done: set[str | None] = set()
    while True:
        ended = tool.poll() is not None
        if reader is None and latest.exists():
            reader = JournalReader(latest.resolve())
        for entry in reader.poll() if reader else ():
            state = state.apply(entry)
            match entry.event:
                case CellPhase(phase=Phase.MEASURING):
                    begun = (others_s(), time.monotonic())
                case CellPhase(cell=key, phase=Phase.DRAINING):
                    used_s, elapsed = others_s() - begun[0], time.monotonic() - begun[1]
                    others[key] = round(used_s / elapsed, 2)
        current = state.current
        if current not in done and len(state.samples_in(Phase.MEASURING)) > 1:
            done.add(current)
            during(state)
        if ended:
            if state.finished is None:
                sys.exit((root / "said").read_text())
            return Sweep(state, latest.resolve(), others)
        time.sleep(LOOK_S)


def others_s() -> float:
    """Return the CPU seconds so far of what is neither ours nor in a container."""
    inside_s = 0.0
    for pid in _in_containers():
        with suppress(OSError):
            inside_s += look_at(pid)[1]
    return other_processes_s() - inside_s


def _in_containers() -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if "/docker/" in (folder / "cgroup").read_text():
                    found.append(int(folder.name))
    return found
