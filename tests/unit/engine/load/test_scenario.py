"""The environment of Locust, and the notes about it."""

from pathlib import Path

from loadbench.engine.load.scenario import Scenario, scenario_of_file
from loadbench.engine.load.source.files import Locustfiles

FILES = Locustfiles((Path("/shop/a.py"),), Path("/shop"))
SHELL = {"PATH": "/bin", "LOCUST_HEADLESS": "1", "LOCUST_TAGS": "fast", "LOCUST_MINE": "x"}


def test_only_variables_that_would_break_the_run_are_removed() -> None:
    scenario = Scenario(files=FILES, environment={"TOKEN": "t"})

    variables = scenario.variables(SHELL)

    assert variables == {"PATH": "/bin", "LOCUST_TAGS": "fast", "LOCUST_MINE": "x", "TOKEN": "t"}
    assert scenario.notes(SHELL) == [
        "environment variable LOCUST_HEADLESS is ignored: Locust is controlled over its web API",
        (
            "environment variable LOCUST_TAGS=fast applies to Locust. To make it part of the "
            "profile, set load.tags"
        ),
    ]


def test_the_profile_replaces_variables_with_the_same_effect() -> None:
    scenario = Scenario(files=FILES, tags=("slow",))

    assert "LOCUST_TAGS" not in scenario.variables(SHELL)
    assert "environment variable LOCUST_TAGS is ignored: load.tags is set" in scenario.notes(SHELL)


def test_variables_of_the_profile_replace_those_of_the_shell() -> None:
    scenario = Scenario(files=FILES, environment={"PATH": "/mine"})

    assert scenario.variables({"PATH": "/bin"}) == {"PATH": "/mine"}


def test_the_reason_for_another_folder_is_noted() -> None:
    files = Locustfiles((Path("/shop/load/a.py"),), Path("/shop"), "its module helpers is in it")

    assert Scenario(files=files).notes({}) == ["Locust runs in /shop: its module helpers is in it"]
    assert scenario_of_file(Path("/shop/a.py")).notes({}) == []
