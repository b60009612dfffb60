"""A runner process that waits for its request."""

import subprocess
import sys

import psutil
import pytest

from loadbench.engine.requests.runner_process import RUNNER_MODULE, RunnerProcess
from loadbench.errors import UsageError
from tests.support.harness import gone, until


def test_a_runner_without_a_request_ends_with_the_context_and_leaves_no_process() -> None:
    with RunnerProcess() as runner:
        process = psutil.Process(runner.pid)
        until(lambda: process.children(recursive=True), what="the process of the page")
        family = [process, *process.children(recursive=True)]

    psutil.wait_procs(family, timeout=60)
    assert gone(family)


def test_a_runner_without_a_request_ends_after_an_error() -> None:
    with pytest.raises(UsageError), RunnerProcess() as runner:
        raise UsageError("no such profile")

    assert not psutil.pid_exists(runner.pid)


def test_a_runner_exits_silently_if_its_starter_has_exited() -> None:
    done = subprocess.run(
        [sys.executable, "-m", RUNNER_MODULE],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_answer_to_a_request_is_returned() -> None:
    with RunnerProcess() as runner:
        output = runner.ask("no request")

    assert b"invalid request to the runner" in output.answer
    assert output.log_lines == ()
