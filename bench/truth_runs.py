"""One run of the tool, or of stock Locust, against a server that logs its requests."""

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
POLL_INTERVAL_S = 0.1
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
    """One request as recorded by the users and by the server. A time is None if not recorded."""

    started_s: float
    ended_s: float | None
    latency_ms: float | None
    """Latency at the server, from arrival to response."""
    is_success: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a run, with the requests that the server has logged."""

    requests: tuple[Request, ...]
    cpu_cores: float
    """Cores used by Locust."""
    waited_cores: float
    """Share of time during which Locust waited for a core."""
    lag_ms: Buckets
    """Event-loop lag of Locust."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult(Result):
    """The result of a run of the tool."""

    cell: CellFinished
    window: tuple[float, float]
    """Start and end of the measurement window, in monotonic seconds."""
    others_cores: float
    """Cores used by other processes in the window."""
    stolen_cores: float
    """Cores stolen by the hypervisor in the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockResult(Result):
    """The result of a run of stock Locust."""

    histogram: Buckets
    """Latencies of successes and failures together."""


def use_client_core() -> None:
    """Move this process, and those that it starts, to a core other than the server's."""
    others = os.sched_getaffinity(0) - {SERVER_CORE}
    if not others or (os.cpu_count() or 1) <= SERVER_CORE:
        sys.exit(
            f"Two cores are required: core {SERVER_CORE} for the server and another for Locust"
        )
    os.sched_setaffinity(0, {min(others)})


@contextmanager
def serving(plan: str, log: Path, core: int | None = SERVER_CORE) -> Iterator[tuple[str, int]]:
    """Run the server; yield its address and process id. It writes the log on exit."""
    argv = [sys.executable, str(BENCH / "truth_server.py"), plan, str(log)]
    argv += [] if core is None else ["--core", str(core)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}", server.pid
        finally:
            server.terminate()
            server.wait()


def run_tool(plan: str, users: int, seconds: float, folder: Path) -> ToolResult:
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
        with (folder / "output.txt").open("w") as output:
            environment = {**os.environ, "TRUTH_NOTES": str(notes)}
            tool = subprocess.Popen(argv, stdout=output, stderr=output, env=environment)
            try:
                cell, others, stolen = follow(tool, reports / "truth" / "latest", seconds)
            finally:
                if tool.poll() is None:
                    tool.send_signal(signal.SIGINT)
                tool.wait()
    noted = json.loads(notes.read_text())
    [(begin_s, end_s)] = noted["windows"]
    return ToolResult(
        cell=cell,
        window=(begin_s, end_s),
        requests=join_requests(noted["requests"], log),
        cpu_cores=cell.clients[0].cpu_cores,
        waited_cores=noted["waited_cores"],
        lag_ms=to_buckets(Counter(noted["lags_ms"])),
        others_cores=others,
        stolen_cores=stolen,
    )


def follow(
    tool: subprocess.Popen[bytes], folder: Path, seconds: float
) -> tuple[CellFinished, float, float]:
    """Return the finished cell, and the cores used by other processes and stolen in its window."""
    reader, before, since = None, (0.0, 0.0), 0.0
    others, stolen, cell = 0.0, 0.0, None
    while tool.poll() is None or cell is None:
        time.sleep(POLL_INTERVAL_S)
        has_exited = tool.poll() is not None
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
                    sys.exit(f"The cell failed: {reason}")
        if has_exited and cell is None:
            sys.exit(
                f"The tool exited with code {tool.returncode} before the {seconds:g} s cell ended"
            )
    return cell, others, stolen


def run_stock(
    plan: str, users: int, seconds: float, folder: Path, user: str = "FastHttpUser"
) -> StockResult:
    """Run the same users with stock Locust in headless mode."""
    folder.mkdir()
    notes, log, stats = folder / "notes.json", folder / "log.json", folder / "stats"
    with serving(plan, log) as (host, _pid):
        argv = [*stock_argv(USERS, host, users), "-t", f"{seconds:.0f}s", "--json-file", str(stats)]
        # Locust exits with code 1 if any request failed.
        subprocess.run(
            argv,
            cwd=folder,
            env=stock_environment(folder, {"TRUTH_NOTES": str(notes), "TRUTH_USER": user}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    entries = json.loads(stats.with_suffix(".json").read_text())
    times = [{float(ms): n for ms, n in entry["response_times"].items()} for entry in entries]
    noted = json.loads(notes.read_text())
    return StockResult(
        histogram=merge(tuple(counts.items()) for counts in times),
        requests=join_requests(noted["requests"], log),
        cpu_cores=noted["cpu_cores"],
        waited_cores=noted["waited_cores"],
        lag_ms=to_buckets(Counter(noted["lags_ms"])),
    )


def stock_argv(locustfile: Path, host: str, users: int) -> list[str]:
    """Return the command line of stock Locust in headless mode."""
    argv = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--only-summary"]
    return [*argv, "-u", str(users), "-r", str(users), "--host", host]


def stock_environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process without Locust's settings, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return {**kept, "HOME": str(home), **more}


def join_requests(noted: list[tuple[float, float | None]], log: Path) -> tuple[Request, ...]:
    """Join the times recorded by the users with the server's log, by request number."""
    logged = {number: (since, until, status) for number, since, until, status in read(log)}
    requests = []
    for number, (started, ended) in enumerate(noted):
        since, until, status = logged.get(number, (0.0, 0.0, 0))
        latency_ms = (until - since) * 1000 if until else None
        requests.append(Request(started, ended, latency_ms, status == 200))
    return tuple(requests)


def read(log: Path) -> list[tuple[int, float, float, int]]:
    """Return the entries of the server's log: number, arrival, response and status."""
    entries: list[tuple[int, float, float, int]] = json.loads(log.read_text())
    return entries
