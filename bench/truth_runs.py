"""One run of the tool, or of stock Locust, against a server that logs what it did."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.other_processes import other_processes_s, stolen_s
from loadbench.engine.journal.events import Buckets, CellFailed, CellFinished, CellPhase, Phase
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.measure.buckets import merge, to_buckets

BENCH = Path(__file__).resolve().parent
USERS = BENCH / "truth_users.py"
LOOK_S = 0.1
SERVER_CORE = 1
PROFILE = """
models: [1]
users: [{users}]
spawn_rates: [{users}]
run_time: {seconds:g}s
settle: {{max: 0s}}
host: {host}
stack: {{driver: external}}
load: {{locustfile: {locustfile}}}
"""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as the users and the server saw it; None: it was not seen."""

    started_s: float
    ended_s: float | None
    latency_ms: float | None
    """From its arrival at the server to the answer."""
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a run told, and what there was to tell."""

    requests: tuple[Request, ...]
    cpu_cores: float
    """What Locust used."""
    waited_cores: float
    """The share of the time in which Locust was ready and got no core."""
    lag_ms: Buckets
    """How late a greenlet in it woke up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldByTool(Told):
    """A run of the tool."""

    cell: CellFinished
    window: tuple[float, float]
    neighbours_cores: float
    """What processes of others used in the window."""
    stolen_cores: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldByStock(Told):
    """A run of stock Locust."""

    histogram: Buckets
    """Successes and failures, as it mixes them."""


@contextmanager
def serving(plan: str, log: Path, core: int | None = SERVER_CORE) -> Iterator[tuple[str, int]]:
    """Have the server running; gives its address and its process. The log is there afterwards."""
    argv = [sys.executable, str(BENCH / "truth_server.py"), plan, str(log)]
    argv += [] if core is None else ["--core", str(core)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}", server.pid
        finally:
            server.terminate()
            server.wait()


def run_tool(plan: str, users: int, seconds: float, folder: Path) -> ToldByTool:
    """Measure one cell with the tool."""
    folder.mkdir()
    for name in ("profiles", "stack", "images"):
        (folder / name).mkdir()
    notes, log, reports = folder / "notes.json", folder / "log.json", folder / "reports"
    with serving(plan, log) as (host, _pid):
        profile = PROFILE.format(users=users, seconds=seconds, host=host, locustfile=USERS)
        (folder / "profiles" / "truth.yaml").write_text(profile)
        argv = [sys.executable, "-m", "loadbench", "--workspace", str(folder)]
        argv += ["run", "truth", "--plain"]
        with (folder / "said").open("w") as said:
            environment = {**os.environ, "TRUTH_NOTES": str(notes)}
            tool = subprocess.Popen(argv, stdout=said, stderr=said, env=environment)
            try:
                cell, others, stolen = follow(tool, reports / "truth" / "latest", seconds)
            finally:
                if tool.poll() is None:
                    tool.send_signal(signal.SIGINT)
                tool.wait()
    told = json.loads(notes.read_text())
    [(begin_s, end_s)] = told["windows"]
    return ToldByTool(
        cell=cell,
        window=(begin_s, end_s),
        requests=joined(told["requests"], log),
        cpu_cores=cell.clients[0].cpu_cores,
        waited_cores=told["waited_cores"],
        lag_ms=to_buckets(Counter(told["lags_ms"])),
        neighbours_cores=others,
        stolen_cores=stolen,
    )


def follow(
    tool: subprocess.Popen[bytes], folder: Path, seconds: float
) -> tuple[CellFinished, float, float]:
    """Return how the cell ended, and the cores that others used while it was measured."""
    reader, before, since = None, (0.0, 0.0), 0.0
    others, stolen, cell = 0.0, 0.0, None
    while tool.poll() is None or cell is None:
        time.sleep(LOOK_S)
        if reader is None and (folder / "journal.jsonl").exists():
            reader = JournalReader(folder.resolve())
        for entry in reader.poll() if reader else ():
            match entry.event:
                case CellPhase(phase=Phase.MEASURING):
                    before, since = (other_processes_s(), stolen_s()), time.monotonic()
                case CellPhase(phase=Phase.DRAINING):
                    elapsed = time.monotonic() - since
                    others = (other_processes_s() - before[0]) / elapsed
                    stolen = (stolen_s() - before[1]) / elapsed
                case CellFinished():
                    cell = entry.event
                case CellFailed(reason=reason):
                    sys.exit(f"the cell failed: {reason}")
        if tool.poll() is not None and reader is None:
            sys.exit(f"the tool ended with {tool.returncode} before its run of {seconds:g} s")
    return cell, others, stolen


def run_stock(
    plan: str, users: int, seconds: float, folder: Path, user: str = "FastHttpUser"
) -> ToldByStock:
    """Have the same users started by stock Locust without its web interface."""
    folder.mkdir()
    notes, log, told = folder / "notes.json", folder / "log.json", folder / "told"
    with serving(plan, log) as (host, _pid):
        argv = [*stock_argv(USERS, host, users), "-t", f"{seconds:.0f}s", "--json-file", str(told)]
        # Failures make its exit code 1.
        subprocess.run(
            argv,
            cwd=folder,
            env=stock_environment(folder, {"TRUTH_NOTES": str(notes), "TRUTH_USER": user}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    entries = json.loads(told.with_suffix(".json").read_text())
    times = [{float(ms): n for ms, n in entry["response_times"].items()} for entry in entries]
    noted = json.loads(notes.read_text())
    return ToldByStock(
        histogram=merge(tuple(it.items()) for it in times),
        requests=joined(noted["requests"], log),
        cpu_cores=noted["cpu_cores"],
        waited_cores=noted["waited_cores"],
        lag_ms=to_buckets(Counter(noted["lags_ms"])),
    )


def stock_argv(locustfile: Path, host: str, users: int) -> list[str]:
    """Return the command line of a run without its web interface."""
    argv = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--only-summary"]
    return [*argv, "-u", str(users), "-r", str(users), "--host", host]


def stock_environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which nothing configures Locust behind our back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return {**kept, "HOME": str(home), **more}


def joined(noted: list[tuple[float, float | None]], log: Path) -> tuple[Request, ...]:
    """Put together what users and server saw of each request."""
    seen = {number: (since, until, status) for number, since, until, status in read(log)}
    requests = []
    for number, (started, ended) in enumerate(noted):
        since, until, status = seen.get(number, (0.0, 0.0, 0))
        latency_ms = (until - since) * 1000 if until else None
        requests.append(Request(started, ended, latency_ms, status == 200))
    return tuple(requests)


def read(log: Path) -> list[tuple[int, float, float, int]]:
    """Return the entries of the server's log."""
    entries: list[tuple[int, float, float, int]] = json.loads(log.read_text())
    return entries
