"""The driver registry, with fake drivers."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.drivers import registry
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import EngineError, RefusedError
from loadbench.workspace import Workspace
from tests.support.builders import make_profile, run_started, state_after
from tests.support.fake_driver import FakeDriver

WORKSPACE = Workspace(Path("/nowhere"), Path("/nowhere/reports"))


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeDriver]:
    """Replace all drivers by fakes."""
    fakes = {name: FakeDriver(name) for name in registry.DRIVERS}
    monkeypatch.setattr(registry, "DRIVERS", fakes)
    return fakes


def run_of(driver: str, name: str) -> Run:
    """A run that was started with this driver."""
    started = replace(run_started(), driver=driver)
    return Run(Path("/nowhere/reports/demo") / name, state_after(started), RunStatus.INTERRUPTED)


def test_auto_selects_the_first_usable_driver_and_keeps_its_reason(
    drivers: dict[str, FakeDriver],
) -> None:
    found = registry.preflight(WORKSPACE, make_profile())

    assert (found.driver, found.reason) == ("compose", "compose works")
    assert drivers["local"].asked == []


def test_auto_gives_the_refusal_of_the_first_driver_as_reason(
    drivers: dict[str, FakeDriver],
) -> None:
    drivers["compose"].refusal = RefusedError("no engine")

    found = registry.preflight(WORKSPACE, make_profile())

    assert (found.driver, found.reason) == ("local", "compose is unavailable: no engine")


def test_auto_names_the_key_that_excludes_the_other_driver(drivers: dict[str, FakeDriver]) -> None:
    drivers["compose"].refusal = RefusedError("no engine")

    with pytest.raises(RefusedError, match=r"^no engine \(stack\.service requires containers\)$"):
        registry.preflight(WORKSPACE, make_profile(stack={"service": "app", "memory_mb": 9}))
    assert drivers["local"].asked == []


def test_auto_lists_all_refusals(drivers: dict[str, FakeDriver]) -> None:
    drivers["compose"].refusal = RefusedError("no engine")
    drivers["local"].refusal = RefusedError("no packages")

    with pytest.raises(RefusedError) as raised:
        registry.preflight(WORKSPACE, make_profile())
    assert str(raised.value) == (
        "no driver can run this profile on this machine:\n"
        "  compose: no engine\n  local: no packages"
    )


def test_a_run_with_an_unknown_driver_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"unknown driver 'swarm'; available drivers: compose"):
        registry.preflight(WORKSPACE, make_profile(), only="swarm")


def test_a_profile_is_validated_by_the_requested_driver(drivers: dict[str, FakeDriver]) -> None:
    drivers["local"].warnings.append("doubtful")

    assert registry.validate(WORKSPACE, make_profile(stack={"driver": "local"})) == ["doubtful"]
    assert drivers["compose"].asked == []


def test_a_skipped_check_is_reported_unless_another_driver_can_validate(
    drivers: dict[str, FakeDriver],
) -> None:
    drivers["compose"].refusal = EngineError("not checked")
    drivers["local"].warnings.append("doubtful")

    assert registry.validate(WORKSPACE, make_profile()) == ["doubtful"]
    assert registry.validate(WORKSPACE, make_profile(stack={"memory_mb": 9})) == ["not checked"]
    assert registry.validate(WORKSPACE, make_profile(stack={"driver": "compose"})) == [
        "not checked"
    ]


def test_leftovers_are_found_by_the_driver_of_each_run(
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


def test_leftovers_are_cleared_by_the_driver_of_the_run(
    drivers: dict[str, FakeDriver],
) -> None:
    assert registry.clear_leftovers(run_of("local", "1")) == "local cannot"
    assert registry.clear_leftovers(run_of("swarm", "2")) is None
    assert drivers["compose"].asked == []
