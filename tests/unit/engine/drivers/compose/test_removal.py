"""Removal of surplus and broken containers, with a fake engine."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from loadbench.engine.drivers.compose.removal import STOP_MARGIN_S, ContainerRemoval
from loadbench.engine.drivers.compose.retrying import with_retry
from loadbench.engine.drivers.docker.client import (
    Docker,
    DockerCommandError,
    Endpoint,
    EngineTimeoutError,
)
from loadbench.engine.drivers.docker.inspect import ContainerInfo
from loadbench.errors import EngineError, StackError
from tests.support.compose_projects import make_deployment, make_files
from tests.unit.engine.drivers.compose.test_faults import exited, running


@dataclass(frozen=True)
class FakeEngine(Docker):
    """An engine that stops and removes the containers of a list."""

    containers: list[ContainerInfo] = field(default_factory=list)
    grace: str = "null"
    """The StopTimeout of every container, as JSON."""
    stop_error: EngineError | None = None
    """Error of `docker stop`, after which the containers still run."""
    calls: list[tuple[str, ...]] = field(default_factory=list)
    limits_s: list[float] = field(default_factory=list)
    """Time limits of `docker stop`."""

    def run(self, *arguments: str, timeout_s: float = 0, **_: Any) -> str:
        command, ids = arguments[0], set(arguments)
        self.calls.append(tuple(one[:5] for one in arguments))
        if command == "inspect":
            return "\n".join(self.grace for one in self.containers if one.id in ids)
        if command == "stop":
            self.limits_s.append(timeout_s)
            if self.stop_error:
                raise self.stop_error
        if command == "rm":
            self.containers[:] = [one for one in self.containers if one.id not in ids]
        return ""

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.containers]


def apps(*numbers: int) -> list[ContainerInfo]:
    return [running(f"app-{number}") for number in numbers]


def engine(*containers: ContainerInfo, **keys: Any) -> FakeEngine:
    return FakeEngine(Endpoint("default", "unix:///x"), containers=list(containers), **keys)


def removal(docker: FakeEngine, *, is_bundled: bool = False) -> ContainerRemoval:
    return ContainerRemoval(
        docker,
        make_deployment(make_files(is_bundled=is_bundled)),
        run=Path("/run"),
        poll=lambda _: tuple(docker.containers),
        closed=Event(),
        on_line=lambda _: None,
    )


def shrink(docker: FakeEngine, models: int, **keys: Any) -> list[str]:
    """Remove surplus containers, and return the progress."""
    lines: list[str] = []
    removal(docker, **keys).remove_surplus(models, lambda _step, line: lines.append(line))
    return lines


def test_the_highest_numbers_are_stopped_with_their_own_grace_period() -> None:
    docker = engine(*apps(1, 2, 3, 10), running("gateway-1"), grace="30")

    lines = shrink(docker, 2)

    assert lines == ["Stopping app-3, app-10 (grace period 30 s)", "Removed app-3, app-10"]
    assert docker.names == ["app-1", "app-2", "gateway-1"]
    assert docker.limits_s == [30 + STOP_MARGIN_S]
    assert docker.calls[1:] == [("stop", "app-3", "app-1"), ("rm", "--for", "app-3", "app-1")]


def test_the_engine_has_a_default_grace_period() -> None:
    docker = engine(*apps(1, 2))

    assert shrink(docker, 1)[0] == "Stopping app-2 (grace period 10 s)"


@pytest.mark.parametrize("models", [2, 3])
def test_without_surplus_containers_nothing_is_done(models: int) -> None:
    docker = engine(*apps(1, 2), running("gateway-1"))

    assert shrink(docker, models) == []
    assert docker.calls == []


def test_broken_containers_are_replaced_instead_of_stopping_others() -> None:
    docker = engine(exited("app-1"), running("app-2"))

    assert shrink(docker, 1) == []
    assert docker.names == ["app-1", "app-2"]


def test_the_bundled_stack_is_replaced_as_a_whole_if_a_part_is_broken() -> None:
    docker = engine(*apps(1, 2), exited("gateway-1"))

    assert shrink(docker, 1, is_bundled=True) == []
    intact = removal(docker, is_bundled=True).remove_broken(lambda *_: None)
    assert (intact, docker.names) == (set(), [])


def test_a_container_that_does_not_stop_is_named() -> None:
    docker = engine(*apps(1, 2), grace="30", stop_error=EngineTimeoutError("no response"))

    with pytest.raises(StackError) as error:
        shrink(docker, 1)

    assert str(error.value) == "app-2 did not stop within 40 s (grace period 30 s)"
    # The failure says nothing about the service under load.
    assert error.value.container is None
    assert docker.names == ["app-1", "app-2"]


def test_an_error_of_the_engine_is_reported() -> None:
    docker = engine(*apps(1, 2), stop_error=DockerCommandError(["is zombie and can not be killed"]))

    with pytest.raises(StackError, match="app-2 could not be stopped: is zombie"):
        shrink(docker, 1)


def test_a_container_that_another_process_stopped_is_no_error() -> None:
    docker = engine(*apps(1, 2), stop_error=DockerCommandError(["No such container"]))
    # It is gone when the engine is asked again.
    polls = iter([tuple(docker.containers), (replace(docker.containers[0]),)])
    made = ContainerRemoval(
        docker,
        make_deployment(),
        run=Path("/run"),
        poll=lambda _: next(polls),
        closed=Event(),
        on_line=lambda _: None,
    )

    made.remove_surplus(1, lambda *_: None)

    assert docker.names == ["app-1"]


def test_a_query_is_repeated_while_the_engine_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = "loadbench.engine.drivers.compose.retrying"
    monkeypatch.setattr(f"{module}.QUIET_S", 0.0)
    monkeypatch.setattr(f"{module}._RETRY_INTERVAL_S", 0.0)
    answers = iter([EngineError("it is away"), EngineError("it is away"), None])
    lines: list[str] = []

    def query() -> str:
        if error := next(answers):
            raise error
        return "answer"

    found = with_retry(query, lambda _step, line: lines.append(line), closed=Event())

    assert found == "answer"
    assert lines == ["Waiting for the Docker engine, at most 30 s: it is away"]
