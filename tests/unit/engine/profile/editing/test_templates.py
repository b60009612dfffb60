"""Templates of new profiles, and the layout of profile files."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from loadbench.engine.profile.editing.keys import profile_keys, profile_sections
from loadbench.engine.profile.editing.templates import (
    TEMPLATES,
    Template,
    profile_text,
    renamed_header,
    template_text,
)
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.model import known_keys
from loadbench.engine.profile.schema import profile_schema
from tests.support.harness import REPOSITORY

SHIPPED = sorted((REPOSITORY / "profiles").glob("*.yaml"))
BUNDLED, COMPOSE, EXTERNAL = TEMPLATES
STARTED = {
    "stack.compose",
    "stack.service",
    "stack.port",
    "stack.balance",
    "stack.without",
    "stack.restart",
    "stack.healthcheck",
    "stack.count_workers",
    "stack.environment",
    "stack.memory_mb",
    "stack.gpu_memory_mb",
}
each_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.name)
any_text = st.text(st.characters(exclude_categories=["Cs"]))
paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")).filter(
    str.strip
)


def dotted_values(text: str) -> dict[str, Any]:
    """Return the values of a profile by dotted key."""
    sections = {section.name for section in profile_sections()}
    values: dict[str, Any] = {}
    for name, value in yaml.safe_load(text).items():
        if name in sections:
            values |= {f"{name}.{inner}": item for inner, item in value.items()}
        else:
            values[name] = value
    return values


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_profile_has_the_generated_layout_and_comments(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    header = [line.removeprefix("# ") for line in text.splitlines()[1:2]]

    assert text == profile_text(file.stem, dotted_values(text), header=header)


@each_template
def test_template_is_a_valid_profile_with_all_keys_of_its_driver(
    tmp_path: Path, template: Template
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(template_text(template, "mine"), encoding="utf-8")
    written = dotted_values(file.read_text(encoding="utf-8"))
    driver = load_profile(file).stack.driver

    assert driver == {"bundled": "auto"}.get(template.name, template.name)
    assert set(written) == set(known_keys()) - (STARTED if template is EXTERNAL else set())
    assert Draft202012Validator(profile_schema()).is_valid(yaml.safe_load(file.read_text("utf-8")))
    assert set(template.first_keys) <= set(written)
    assert max(map(len, file.read_text("utf-8").splitlines())) <= 100


@each_template
def test_template_has_a_header_with_its_schema_and_its_command(template: Template) -> None:
    lines = template_text(template, "my shop").splitlines()

    assert lines[0] == "# yaml-language-server: $schema=profile.schema.json"
    assert lines[1] == f"# {template.description}."
    assert lines[2] == "#   loadbench-tui run 'my shop'"


@each_template
def test_keys_without_a_value_of_the_template_have_their_defaults(template: Template) -> None:
    written = dotted_values(template_text(template, "mine"))

    for key in profile_keys():
        if key.name in written and key.name not in {"description", *template.values}:
            assert written[key.name] == key.default


def test_values_replace_those_of_the_template() -> None:
    text = template_text(COMPOSE, "mine", {"stack.compose": ["a.yaml"], "stack.service": "web"})

    assert "  compose: [a.yaml]        # Compose files of the service" in text.splitlines()
    assert "  service: web             # Compose service to scale" in text.splitlines()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_text, st.lists(paths, min_size=1), any_text)
def test_any_values_are_written_as_they_are(
    tmp_path: Path, description: str, compose: list[str], service: str
) -> None:
    # References to environment variables have a syntax of their own.
    assume(not any("${" in text for text in (*compose, service)))
    file = tmp_path / "mine.yaml"
    values = {"description": description, "stack.compose": compose, "stack.service": service}
    file.write_text(template_text(COMPOSE, "mine", values), encoding="utf-8")
    written = dotted_values(file.read_text(encoding="utf-8"))

    assert {name: written[name] for name in values} == values
    assert load_profile(file).description == description


def test_name_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a printable name"):
        template_text(BUNDLED, "a\nb: c")


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("#   loadbench-tui run demo\nusers: 5\n", "#   loadbench-tui run mine\nusers: 5\n"),
        ("# a\r\n# loadbench-tui run demo\r\n", "# a\r\n# loadbench-tui run mine\r\n"),
        ("\n\n# x\n#loadbench-tui run demo --detach", "\n\n# x\n#loadbench-tui run demo --detach"),
        ("# loadbench-tui run demo --plain\na: 1\n", "# loadbench-tui run mine --plain\na: 1\n"),
        ("\ufeff# loadbench-tui run demo\n", "\ufeff# loadbench-tui run mine\n"),
        ("# loadbench-tui run demo_2\n", "# loadbench-tui run demo_2\n"),
        ("# loadbench-tui run demo-2\n", "# loadbench-tui run demo-2\n"),
        ("# loadbench-tui run other\n", "# loadbench-tui run other\n"),
        ("a: 1\n# loadbench-tui run demo\n", "a: 1\n# loadbench-tui run demo\n"),
        ("a: loadbench-tui run demo\n", "a: loadbench-tui run demo\n"),
        ("", ""),
    ],
)
def test_header_of_a_copy_names_the_copy(text: str, renamed: str) -> None:
    assert renamed_header(text, "demo", "mine") == renamed


@pytest.mark.parametrize("old", ["demo", "my shop", "it's", r"a\1"])
@pytest.mark.parametrize("new", ["mine", "my copy", r"b\1"])
def test_renamed_template_equals_the_template_of_the_new_name(old: str, new: str) -> None:
    renamed = renamed_header(template_text(BUNDLED, old), old, new)

    assert renamed == template_text(BUNDLED, new)
