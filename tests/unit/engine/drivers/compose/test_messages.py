"""What Compose says, made shorter for people, and its failures explained."""

import pytest

from loadbench.engine.drivers.compose.client import Failure
from loadbench.engine.drivers.compose.messages import ProgressReporter, explain
from loadbench.engine.drivers.docker.client import Docker, Endpoint
from loadbench.errors import StackError

DOCKER = Docker(Endpoint("default", "unix:///var/run/docker.sock"))


def told(step: str, *lines: str) -> list[str]:
    teller = ProgressReporter(step, "loadbench-12345678")
    return [said for line in lines if (said := teller.tell(line))]


def test_a_build_tells_the_steps_that_are_done_anew() -> None:
    assert told(
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
    ) == ["[model packages 4/4] RUN pip install -r x", "[model stage-1 5/7] COPY common common"]


def test_the_classic_builder_tells_its_steps() -> None:
    assert told("build", "Step 2/7 : RUN make", " ---> Running in 1234", "Step 3/7 : CMD x") == [
        "Step 2/7 : RUN make",
        "Step 3/7 : CMD x",
    ]


def test_a_start_tells_which_containers_came_by_the_names_that_people_use() -> None:
    assert told(
        "start",
        " Network loadbench-12345678_default  Created",
        " Container loadbench-12345678-model-1  Creating",
        " Container loadbench-12345678-model-1  Started",
        " Container loadbench-12345678-api-1  Running",
        " Container the-app  Recreated",
    ) == ["model-1 started", "the-app recreated"]


def test_a_pull_tells_images_and_not_their_layers() -> None:
    assert told("pull", " app Pulling ", " 4f4fb700ef54 Pulled ", " app Pulled ") == [
        "app Pulling",
        "app Pulled",
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
            "port 127.0.0.1:8080 is taken",
        ),
        (
            "start",
            (
                "driver failed: Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: "
                "address already in use"
            ),
            "port 127.0.0.1:8080 is taken",
        ),
        (
            "start",
            'could not select device driver "nvidia" with capabilities: [[gpu]]',
            "the engine cannot give a container a GPU",
        ),
        ("pull", "manifest unknown", "an image is missing and cannot be pulled: manifest unknown"),
        ("build", "exit code: 42", "the image cannot be built: exit code: 42; stack.log"),
        ("start", "no space left on device", "Compose cannot start the service: no space left"),
    ],
)
def test_a_failure_says_what_and_what_to_do(step: str, line: str, message: str) -> None:
    error = explain(step, DOCKER, Failure(("first", line)), 5)

    assert isinstance(error, StackError)
    assert str(error).startswith(message)
    assert error.log_lines == ("first", line)


def test_a_step_that_said_nothing_still_gives_a_message() -> None:
    assert str(explain("start", DOCKER, Failure(()), 5)) == (
        "Compose cannot start the service: Compose said nothing"
    )


def test_a_step_that_took_too_long_says_how_long_it_had() -> None:
    error = explain("start", DOCKER, Failure(("waiting",), timed_out=True), 5)
    assert str(error) == "Compose took longer than 5 s for this step (start); stack.log says more"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///v",
            "no permission to use the Docker engine at unix:///var/run/docker.sock",
        ),
        (
            "Cannot connect to the Docker daemon at unix:///v. Is the docker daemon running?",
            "no Docker engine answers at unix:///var/run/docker.sock: start it",
        ),
        ("error during connect: EOF", "no Docker engine answers at unix:///var/run/docker.sock"),
    ],
)
def test_an_engine_that_cannot_be_used_is_told_as_such(said: str, message: str) -> None:
    error = explain("start", DOCKER, Failure((said,)), 5)

    assert str(error).startswith(message)


def test_behind_ssh_the_reason_is_ssh_s() -> None:
    there = Docker(Endpoint("default", "ssh://me@there"))
    said = "error during connect: Get x: command [ssh] has exited with status 255: no route"
    assert str(there.error([said])).endswith(said)
