"""The workflows on GitHub run every tier, on the Pythons that pyproject.toml names, by `make`."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.harness import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
NAMES = sorted(path.name for path in FOLDER.glob("*.yml"))
PYTHON = "Programming Language :: Python :: "


def workflow(name: str) -> dict[Any, Any]:
    return dict(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")))


def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in workflow(name)["jobs"].values():
        yield from job["steps"]


def tiers() -> set[str]:
    """Return the markers, which are the folders of the tests."""
    markers = project()["tool"]["pytest"]["ini_options"]["markers"]
    return {marker.partition(":")[0] for marker in markers}


def test_unit_tests_run_on_the_pythons_of_the_classifiers() -> None:
    named = project()["project"]["classifiers"]
    versions = [one.removeprefix(PYTHON) for one in named if one.startswith(PYTHON)]

    job = workflow("tests.yml")["jobs"]["unit"]
    assert "if" not in job
    assert job["steps"][-1] == {"run": "make unit PYTHON=python"}
    assert job["strategy"]["matrix"]["python"] == versions
    assert project()["project"]["requires-python"] == f">={versions[0]}"


def test_only_tested_systems_are_named() -> None:
    named = project()["project"]["classifiers"]

    systems = [one for one in named if one.startswith("Operating System")]

    assert systems == ["Operating System :: POSIX :: Linux"]


def test_every_tier_runs() -> None:
    jobs = workflow("tests.yml")["jobs"]
    matrix = jobs["tier"]["strategy"]["matrix"]["tier"]
    folders = {path for tier in matrix for path in tier["tests"].split()}

    assert {folder.removeprefix("tests/") for folder in folders} | {"unit"} == tiers()
    assert all((REPOSITORY / folder).is_dir() for folder in folders)
    assert {"lint", "unit", "tier", "packages"} <= set(jobs)
    assert "if" not in jobs["tier"]
    assert jobs["tier"]["steps"][-1] == {
        "run": 'make test TESTS="$TESTS" PYTHON=python',
        "env": {"TESTS": "${{ matrix.tier.tests }}"},
    }


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_targets_of_make(name: str) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for step in steps(name):
        words = step.get("run", "").split()
        if words[:1] == ["make"]:
            used = [word for word in words[1:] if re.fullmatch(r"[a-z]+", word)]
            assert used, step
            assert set(used) <= targets, step


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_to_commits(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)

    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_the_weekly_job_upgrades_textual_and_locust() -> None:
    commands = [step.get("run", "") for step in steps("newest.yml")]

    assert "schedule" in workflow("newest.yml")[True]  # YAML reads the key `on` as true
    assert any(re.search(r"pip install --upgrade textual locust$", one) for one in commands)
    assert any(one.startswith("make test") for one in commands)
