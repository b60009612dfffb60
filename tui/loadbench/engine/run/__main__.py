"""Entry point of the runner process, which `launch` starts as `python -m loadbench.engine.run`.

The process reads its request from standard input and replies with one line of JSON. After that, it
reports only through the journal. With the argument `preview`, it replies with the plan and exits.
"""

import gc

# Until all is loaded, collections find nothing, and take a sixth of the time.
gc.disable()

import sys
from contextlib import suppress

from loadbench.engine.locks import running
from loadbench.engine.requests.page_process import PageProcess
from loadbench.engine.requests.runner_process import PREVIEW

# The process of the page loads at the same time as this one, unless it would disturb another run.
_PAGE: PageProcess | None = None
if __name__ == "__main__" and sys.argv[1:] != [PREVIEW]:
    with suppress(OSError):  # the page is then written without preparation
        _PAGE = None if running() else PageProcess()

import json
import os
import signal
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from loadbench.engine.crash import describe_crash, save_traceback
from loadbench.engine.drivers.health import trust_of
from loadbench.engine.drivers.metrics import MetricsPoller
from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.journal.service_log import LOCUST_FILE_NAME
from loadbench.engine.load.locust import LocustLoad
from loadbench.engine.load.scenario import Scenario
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.pages import PreparedPage, build_page
from loadbench.engine.run.attempt import Equipment
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run.ending import Ending, finish_run, prepare_ending
from loadbench.engine.run.masked_output import MaskedOutput
from loadbench.engine.run.prepare import Prepared, prepare_run, preview_run
from loadbench.engine.run.requested import read_request
from loadbench.engine.run.resume import prepare_resume, preview_resume
from loadbench.engine.run.steps.stop_flag import StopFlag
from loadbench.engine.run.sweep import Runner
from loadbench.engine.run.waiting import open_when_free
from loadbench.engine.search.eta import remaining_range_s
from loadbench.errors import LoadbenchError, RefusedError

gc.freeze()
gc.enable()

MAX_PREPARED_S = 600.0
"""Maximum length of a run whose page is prepared before the first cell. In a longer run, the second
that this saves does not matter, but the memory that it uses may."""


def main() -> int:
    """Execute or preview one run, and return the exit code."""
    page = PreparedPage(_PAGE) if _PAGE else None
    try:
        return _main(page)
    finally:
        if page:
            page.close()


def _main(page: PreparedPage | None) -> int:
    stop = StopFlag()
    # The run must continue after its terminal closes.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stop.set(signal.Signals(received).name))
    try:
        text = sys.stdin.read() if sys.stdin else None
        if text == "":
            return 0  # the command that started this process has ended without a request
        request = read_request(text or "")
        if sys.argv[1:] == [PREVIEW]:
            _reply(asdict(_preview(request)))
            return 0
        if ending := _prepare_ending(request):
            return _end(ending, page)
        prepared = _prepare(request)
    except LoadbenchError as error:
        _reply({"refused": type(error).__name__, "message": str(error)})
        return 1
    except Exception as error:  # noqa: BLE001  # every failure must be reported as a refusal
        message = describe_crash(error, save_traceback(error, "runner-error.txt"))
        _reply({"refused": RefusedError.__name__, "message": f"{message} The run did not start"})
        return 1
    control = ControlLoop(prepared.folder, prepared.journal, prepared.state, stop=stop)
    _reply({"folder": str(prepared.folder)})
    _redirect_output(prepared.folder, prepared.masker)
    if request.resume:
        control.reject_stale_commands()
    if page and _may_last_long(prepared):
        page.close()
    if stack := open_when_free(prepared, control):
        Runner(_equipment(request, prepared, stack, page), control).run()
    _write_page(prepared.folder, page)
    # A run that waits for the lock must find this one ended.
    prepared.journal.close()
    prepared.lock.release()
    return 0


def _reply(answer: Mapping[str, object]) -> None:
    """Print an answer for the process that started this one, even if it has exited."""
    try:
        print(json.dumps(answer), flush=True)
    except OSError:
        # Python must not try to write the answer again when it exits.
        sys.stdout = None


def _prepare_ending(request: RunRequest) -> Ending | None:
    return prepare_ending(request, Path(request.resume)) if request.resume else None


def _end(ending: Ending, page: PreparedPage | None) -> int:
    """Finish a run that has no cells left, and return the exit code."""
    folder = ending.run.folder
    control = ControlLoop(folder, ending.journal, ending.state)
    _reply({"folder": str(folder)})
    _redirect_output(folder, NO_SECRETS)
    control.reject_stale_commands()
    finish_run(ending, control)
    _write_page(folder, page)
    ending.journal.close()
    return 0


def _may_last_long(prepared: Prepared) -> bool:
    try:
        return remaining_range_s(prepared.profile, prepared.state)[1] > MAX_PREPARED_S
    except ValueError:
        return True  # unknown


def _write_page(folder: Path, page: PreparedPage | None = None) -> None:
    """Write the page of a run whose end is recorded. A failure is only logged.

    Until then, the locks are held: a run that waits for them must not measure meanwhile.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the page is left to write, and its process ends with this one.
        signal.signal(number, signal.SIG_DFL)
    try:
        page.build(folder) if page else build_page(folder)
    except LoadbenchError as error:
        print(error, file=sys.stderr, flush=True)
    except Exception:  # noqa: BLE001  # the locks must be released in order
        traceback.print_exc()


def _preview(request: RunRequest) -> RunPlan:
    if request.resume:
        return preview_resume(request, Path(request.resume))
    return preview_run(request)


def _prepare(request: RunRequest) -> Prepared:
    if request.resume:
        return prepare_resume(request, Path(request.resume))
    return prepare_run(request)


def _equipment(
    request: RunRequest, prepared: Prepared, stack: Stack, page: PreparedPage | None
) -> Equipment:
    folder, load = prepared.folder, prepared.profile.load
    root = request.workspace.root
    headers, trust = prepared.profile.stack.headers, trust_of(prepared.profile.stack, root)
    return Equipment(
        profile=prepared.profile,
        stack=stack,
        load=LocustLoad(
            Scenario.of(root, load),
            images=root / load.images,
            timeout_s=load.timeout,
            headers=headers,
            trust=trust,
            log=folder / LOCUST_FILE_NAME,
            masker=prepared.masker,
        ),
        metrics=MetricsPoller(headers=headers, trust=trust),
        masker=prepared.masker,
        page=page,
    )


def _redirect_output(folder: Path, masker: Masker) -> None:
    """Detach from the pipes of the starting process and redirect output to `runner.log`.

    Tracebacks may contain secret values, so Python's own output is masked.
    """
    log = os.open(folder / "runner.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for fd in (1, 2):
        os.dup2(log, fd)
    os.close(log)
    os.close(null)
    sys.stdout = sys.stderr = MaskedOutput(2, masker)


if __name__ == "__main__":
    sys.exit(main())
