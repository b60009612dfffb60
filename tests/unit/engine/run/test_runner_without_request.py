"""A runner process that gets no request, because its starter has exited."""

import subprocess
import sys

import psutil

from loadbench.engine.requests.launch import RUNNER_MODULE
from tests.support.harness import gone, until


def test_a_runner_without_a_request_exits_silently_and_leaves_no_process() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", RUNNER_MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as runner:
        process = psutil.Process(runner.pid)
        until(lambda: process.children(recursive=True), what="the process of the page")
        children = process.children(recursive=True)

        output = runner.communicate(timeout=60)

    assert (runner.returncode, *output) == (0, b"", b"")
    psutil.wait_procs(children, timeout=60)
    assert gone(children)
