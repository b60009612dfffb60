"""Docs that cannot lie: commands, options, keys, event types and links are those that there are."""

import re
import tomllib
from dataclasses import fields
from typing import Any, get_args

import click
import pytest

from loadbench.cli.main import main
from loadbench.engine.drivers.our_service import SET_BY_KEYS, SET_BY_PROFILES
from loadbench.engine.journal.commands import NAMES
from loadbench.engine.journal.events import Event
from loadbench.engine.measure.rules import RULES
from loadbench.engine.profile.model import key_reference
from tests.support.harness import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
SERVICE = (REPOSITORY / "docs" / "service.md").read_text()
MEASUREMENT = (REPOSITORY / "docs" / "measurement.md").read_text()
JOURNAL = (REPOSITORY / "docs" / "journal.md").read_text()


def test_the_readme_names_every_command() -> None:
    for name in main.commands:
        assert f"loadbench-tui {name}" in README or f"`{name}`" in README or name == "validate", (
            name
        )


def test_the_readme_names_no_command_and_no_option_that_is_not_there() -> None:
    options = {
        option
        for command in [main, *main.commands.values()]
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }

    for name in re.findall(r"loadbench-tui ([a-z]+)", README):
        assert name in main.commands, name
    for option in re.findall(r"`[^`]*?(--[a-z][a-z-]+)", README):
        assert option in {*options, "--help"}, option


def test_every_command_and_every_option_says_what_it_does() -> None:
    for name, command in main.commands.items():
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (name, parameter.name)


def test_the_page_on_profiles_has_the_table_that_the_code_has() -> None:
    assert key_reference() in (REPOSITORY / "docs" / "profiles.md").read_text()


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.type)
def test_the_page_on_the_journal_has_every_type_with_every_field(kind: Any) -> None:
    row = next(line for line in JOURNAL.splitlines() if line.startswith(f"| `{kind.type}` |"))

    for field in fields(kind):
        assert f"`{field.name}`" in row, field.name


def test_the_page_on_the_journal_has_every_command() -> None:
    for name in NAMES:
        assert f"| `{name}` |" in JOURNAL


def test_the_page_on_the_service_has_every_variable_and_no_other() -> None:
    code = (REPOSITORY / "stack" / "common" / "config.py").read_text()
    read = set(re.findall(r'^    """([A-Z_]+):', code, re.MULTILINE))

    assert set(re.findall(r"^\| `([A-Z_]+)` \|", SERVICE, re.MULTILINE)) == read
    assert read == {*SET_BY_KEYS, *SET_BY_PROFILES} - {"PYTHONPATH"}


def test_the_page_on_the_service_has_every_metric() -> None:
    code = (REPOSITORY / "stack" / "api" / "metrics.py").read_text()
    for name in re.findall(r'"(loadbench_[a-z_]+)"', code):
        assert name in SERVICE or name.removeprefix("loadbench_worker_") in SERVICE, name


def test_the_page_on_measurement_has_every_rule_with_its_verdict_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", MEASUREMENT, re.MULTILINE)

    assert dict(rows) == {name: rule.verdict.value for name, rule in RULES.items()}


def test_links_between_pages_lead_somewhere() -> None:
    for page in [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_constraints_pin_exact_versions_and_name_no_host() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()

    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line), line


def test_everything_that_is_required_is_pinned() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["embedded"], *extras["dev"]]
    pinned = {
        normal(line.partition("==")[0])
        for line in (REPOSITORY / "constraints.txt").read_text().splitlines()
    }

    for requirement in wanted:
        assert normal(re.split(r"[\[<>=~! ]", requirement)[0]) in pinned, requirement


def test_images_hold_the_versions_that_are_tested() -> None:
    pinned = {
        normal(name): version
        for name, _, version in (
            line.partition("==") for line in (REPOSITORY / "constraints.txt").read_text().split()
        )
    }
    for file in (REPOSITORY / "stack").glob("*/requirements*.txt"):
        for line in file.read_text().splitlines():
            name, _, version = line.partition("==")
            if version:
                # One version of ONNX Runtime, in a package for each device.
                plain = normal(name.partition("[")[0]).removesuffix("-gpu")
                assert version == pinned[plain], f"{file.name}: {line}"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
