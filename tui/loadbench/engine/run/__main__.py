"""`python -m loadbench.engine.run`: the runner's own process; `launch` starts it.

It reads its request from standard input, answers with one JSON line, and from then on speaks
through the journal alone. With the argument `preview` the answer is what it would do, and all.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from loadbench.engine.load.locust import LocustLoad
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.run.attempt import Equipment
from loadbench.engine.run.control_loop import ControlLoop, StopFlag
from loadbench.engine.run.prepare import (
    Prepared,
    prepare_resume,
    prepare_run,
    preview_resume,
    preview_run,
)
from loadbench.engine.run.requested import read_request
from loadbench.engine.run.sweep import Runner
from loadbench.errors import LoadbenchError


def main() -> int:
    """Perform one run."""
    stop = StopFlag()
    # The run must survive the terminal that it was started from.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: stop.ask(signal.Signals(got).name))
    try:
        request = read_request(sys.stdin.read())
        if sys.argv[1:] == ["preview"]:
            print(json.dumps(asdict(_preview(request))))
            return 0
        prepared = _prepare(request)
    except LoadbenchError as error:
        print(json.dumps({"refused": type(error).__name__, "message": str(error)}))
        return 1
    control = ControlLoop(prepared.folder, prepared.journal, prepared.state, stop=stop)
    runner = Runner(_equip(request, prepared), control)
    with suppress(BrokenPipeError):
        # Whoever started the run may be gone already; the run goes on.
        print(json.dumps({"folder": str(prepared.folder)}), flush=True)
    _speak_into(prepared)
    if request.resume:
        control.reject_stale_commands()
    runner.run()
    prepared.lock.release()
    prepared.journal.close()
    return 0


def _preview(request: RunRequest) -> RunPlan:
    if request.resume:
        return preview_resume(
            request.workspace, Path(request.resume), retry_failed=request.retry_failed
        )
    return preview_run(request)


def _prepare(request: RunRequest) -> Prepared:
    if request.resume:
        folder = Path(request.resume)
        return prepare_resume(request.workspace, folder, retry_failed=request.retry_failed)
    return prepare_run(request)


def _equip(request: RunRequest, prepared: Prepared) -> Equipment:
    folder, load = prepared.folder, prepared.profile.load
    root = request.workspace.root
    return Equipment(
        profile=prepared.profile,
        stack=prepared.stack,
        load=LocustLoad(
            root / load.locustfile,
            images=root / load.images,
            timeout_s=load.timeout,
            log=folder / "locust.log",
        ),
    )


def _speak_into(prepared: Prepared) -> None:
    """Let go of the starter's pipes; later words go into the run's folder."""
    log = os.open(prepared.folder / "runner.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for fd in (1, 2):
        os.dup2(log, fd)
    os.close(log)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
