"""Drivers by name, with one that stands for all: who is asked for what."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.drivers import registry
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import EngineError, RefusedError
from loadbench.workspace import Workspace
from tests.support.builders import make_profile, run_started, state_after
from tests.support.fake_driver import FakeDriver

HERE = Workspace(Path("/nowhere"), Path("/nowhere/reports"))


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeDriver]:
    """Put fakes in the place of all drivers."""
    fakes = {name: FakeDriver(name) for name in registry.DRIVERS}
    monkeypatch.setattr(registry, "DRIVERS", fakes)
    return fakes


def run_of(driver: str, name: str) -> Run:
    """A run that was begun with a driver."""
    begun = replace(run_started(), driver=driver)
    return Run(Path("/nowhere/reports/demo") / name, state_after(begun), RunStatus.INTERRUPTED)


def test_auto_takes_the_first_that_can_and_says_what_it_found(
    drivers: dict[str, FakeDriver],
) -> None:
    found = registry.preflight(HERE, make_profile())

    assert (found.driver, found.reason) == ("compose", "compose works")
    assert drivers["local"].asked == []


def test_auto_says_why_the_driver_before_could_not(drivers: dict[str, FakeDriver]) -> None:
    drivers["compose"].refusal = RefusedError("no engine")

    found = registry.preflight(HERE, make_profile())

    assert (found.driver, found.reason) == ("local", "no containers: no engine")


def test_auto_names_the_key_that_no_other_driver_takes(drivers: dict[str, FakeDriver]) -> None:
    drivers["compose"].refusal = RefusedError("no engine")

    with pytest.raises(RefusedError, match=r"^no engine \(stack\.service needs containers\)$"):
        registry.preflight(HERE, make_profile(stack={"service": "app", "memory_mb": 9}))
    assert drivers["local"].asked == []


def test_auto_tells_every_refusal(drivers: dict[str, FakeDriver]) -> None:
    drivers["compose"].refusal = RefusedError("no engine")
    drivers["local"].refusal = RefusedError("no packages")

    with pytest.raises(RefusedError) as raised:
        registry.preflight(HERE, make_profile())
    assert str(raised.value) == (
        "no driver can run this here\n  compose: no engine\n  local: no packages"
    )


def test_a_run_that_was_begun_with_a_driver_of_another_version_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"no driver 'swarm' in this version; there are: compo"):
        registry.preflight(HERE, make_profile(), only="swarm")


def test_a_profile_is_checked_by_the_driver_that_it_names(drivers: dict[str, FakeDriver]) -> None:
    drivers["local"].warnings.append("doubtful")

    assert registry.validate(HERE, make_profile(stack={"driver": "local"})) == ["doubtful"]
    assert drivers["compose"].asked == []


def test_what_cannot_be_checked_here_is_told_unless_another_driver_takes_the_profile(
    drivers: dict[str, FakeDriver],
) -> None:
    drivers["compose"].refusal = EngineError("not checked")
    drivers["local"].warnings.append("doubtful")

    assert registry.validate(HERE, make_profile()) == ["doubtful"]
    assert registry.validate(HERE, make_profile(stack={"memory_mb": 9})) == ["not checked"]
    assert registry.validate(HERE, make_profile(stack={"driver": "compose"})) == ["not checked"]


def test_leftovers_are_looked_for_by_the_driver_that_each_run_was_begun_with(
    drivers: dict[str, FakeDriver],
) -> None:
    runs = [run_of("compose", "1"), run_of("local", "2"), run_of("compose", "3")]

    found = registry.find_leftovers([*runs, run_of("swarm", "4")])

    assert drivers["compose"].asked == ["1", "3"]
    assert drivers["local"].asked == ["2"]
    assert found.containers == {
        run.folder: (f"{driver}-1",)
        for run, driver in zip(runs, ("compose", "local", "compose"), strict=True)
    }
    assert found.unknown == ("compose is away", "local is away")


def test_leftovers_are_cleared_by_the_driver_that_the_run_was_begun_with(
    drivers: dict[str, FakeDriver],
) -> None:
    assert registry.clear_leftovers(run_of("local", "1")) == "local cannot"
    assert registry.clear_leftovers(run_of("swarm", "2")) is None
    assert drivers["compose"].asked == []
