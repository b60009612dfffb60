"""Progress lines from the output of Compose, and explanations of its failures."""

import pytest

from loadbench.engine.drivers.compose.client import Failure
from loadbench.engine.drivers.compose.messages import ProgressReporter, explain
from loadbench.engine.drivers.docker.client import Docker, Endpoint
from loadbench.errors import StackError

DOCKER = Docker(Endpoint("default", "unix:///var/run/docker.sock"))


def progress(step: str, *lines: str) -> list[str]:
    reporter = ProgressReporter(step, "loadbench-12345678")
    return [text for line in lines if (text := reporter.progress(line))]


def test_a_build_reports_the_steps_that_are_not_cached() -> None:
    assert progress(
        "build",
        '#0 building with "default" instance using docker driver',
        "#1 [model internal] load build definition from Dockerfile",
        "#1 DONE 0.0s",
        "#2 [internal] load metadata for docker.io/library/python:3.11",
        "#2 DONE 0.0s",
        "#3 [model packages 2/4] RUN python3 -m venv /opt/venv",
        "#3 CACHED",
        "#4 [model packages 4/4] RUN pip install    -r x",
        "#4 0.532 Collecting flask",
        "#4 DONE 8.1s",
        "#5 [model stage-1 5/7] COPY common common",
        "#5 DONE 0.0s",
        "#6 [model] exporting to image",
        "",
    ) == [
        "Building: [model packages 4/4] RUN pip install -r x",
        "Building: [model stage-1 5/7] COPY common common",
    ]


def test_the_classic_builder_reports_its_steps() -> None:
    lines = ("Step 2/7 : RUN make", " ---> Running in 1234", "Step 3/7 : CMD x")
    assert progress("build", *lines) == [
        "Building: Step 2/7 : RUN make",
        "Building: Step 3/7 : CMD x",
    ]


def test_a_start_reports_containers_by_their_short_names() -> None:
    assert progress(
        "start",
        " Network loadbench-12345678_default  Created",
        " Container loadbench-12345678-model-1  Creating",
        " Container loadbench-12345678-model-1  Started",
        " Container loadbench-12345678-api-1  Running",
        " Container the-app  Recreated",
        " Container loadbench-12345678-broker-1  Error response from daemon",
    ) == ["Started model-1", "Recreated the-app", "broker-1: error response from daemon"]


def test_a_pull_reports_images_and_not_their_layers() -> None:
    assert progress("pull", " app Pulling ", " 4f4fb700ef54 Pulled ", " app Pulled ") == [
        "Pulling app",
        "Pulled app",
    ]


@pytest.mark.parametrize(
    ("step", "line", "message"),
    [
        (
            "start",
            (
                "Error response from daemon: driver failed programming external connectivity on "
                "endpoint x: Bind for 127.0.0.1:8080 failed: port is already allocated"
            ),
            "port 127.0.0.1:8080 is already in use",
        ),
        (
            "start",
            (
                "driver failed: Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: "
                "address already in use"
            ),
            "port 127.0.0.1:8080 is already in use",
        ),
        (
            "start",
            'could not select device driver "nvidia" with capabilities: [[gpu]]',
            "the Docker engine cannot provide a GPU",
        ),
        ("pull", "manifest unknown", "an image is missing and cannot be pulled: manifest unknown"),
        ("build", "exit code: 42", "cannot build the image: exit code: 42; see stack.log"),
        (
            "start",
            "no space left on device",
            "Docker Compose cannot start the service: no space left",
        ),
    ],
)
def test_a_failure_is_explained(step: str, line: str, message: str) -> None:
    error = explain(step, DOCKER, Failure(("first", line)), 5)

    assert isinstance(error, StackError)
    assert str(error).startswith(message)
    assert error.log_lines == ("first", line)


def test_a_failure_without_output_has_a_message() -> None:
    assert str(explain("start", DOCKER, Failure(()), 5)) == (
        "Docker Compose cannot start the service: no error message"
    )


def test_a_timeout_names_the_step_and_the_limit() -> None:
    error = explain("start", DOCKER, Failure(("waiting",), timed_out=True), 5)
    assert str(error) == "Docker Compose timed out after 5 s (step: start); see stack.log"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///v",
            "permission denied for the Docker engine at unix:///var/run/docker.sock: run `sudo",
        ),
        (
            "Cannot connect to the Docker daemon at unix:///v. Is the docker daemon running?",
            "cannot connect to the Docker engine at unix:///var/run/docker.sock: start it",
        ),
        (
            "error during connect: EOF",
            "cannot connect to the Docker engine at unix:///var/run/docker.sock",
        ),
    ],
)
def test_an_unusable_engine_is_reported(output: str, message: str) -> None:
    error = explain("start", DOCKER, Failure((output,)), 5)

    assert str(error).startswith(message)


def test_a_failed_ssh_connection_is_reported_with_the_ssh_error() -> None:
    remote = Docker(Endpoint("default", "ssh://me@there"))
    output = "error during connect: Get x: command [ssh] has exited with status 255: no route"
    assert str(remote.error([output])).endswith(output)
