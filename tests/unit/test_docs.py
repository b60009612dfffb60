"""Documentation matches the code: commands, options, keys, types, rules, columns and links."""

import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import click
import pytest
from textual.binding import Binding

import loadbench.ui
from docs.generate import command_line_page
from loadbench.cli.main import main
from loadbench.engine.drivers.our_service import SET_BY_KEYS, SET_BY_PROFILES
from loadbench.engine.journal.commands import NAMES
from loadbench.engine.journal.events import Event
from loadbench.engine.measure.rules.registry import RULES
from loadbench.engine.profile.reference import key_reference
from loadbench.engine.report.rows import COLUMNS
from tests.support.harness import REPOSITORY

DOCS = REPOSITORY / "docs"
README = REPOSITORY / "README.md"
PAGES = [
    *(README, REPOSITORY / "CHANGELOG.md", REPOSITORY / "CONTRIBUTING.md"),
    REPOSITORY / "SECURITY.md",
    *sorted(DOCS.glob("*.md")),
]
MAX_README_WORDS = 900
PICTURES = [DOCS / "demo.svg", *sorted((DOCS / "screenshots").glob("*.svg"))]
MAX_PICTURE_BYTES = 600_000
SVG = "{http://www.w3.org/2000/svg}"

OTHER_PROGRAMS = {
    *("--build", "--scale"),  # docker compose up
    "--follow",  # docker compose logs
    *("--save", "--appendonly"),  # redis-server
    "--bind",  # gunicorn
    "--data-binary",  # curl
    "--stop-timeout",  # locust
    "--journal",  # bench.verdict_journal
    *("--quiet", "--no-deps", "--python-version", "--only-binary"),  # pip
    *("--requirement", "--dest"),  # pip
}
"""Options of other programs that the pages name."""

INTERNAL_VARIABLES = {
    "LOADBENCH_TOKEN",
    "LOADBENCH_CLIENTS",
    "LOADBENCH_STATUS_FD",
    "LOADBENCH_SCENARIO",
    "LOADBENCH_",
}
"""Variables between a run and its Locust process, which users do not set; and their prefix."""

SECTIONS = {
    "app": "Everywhere",
    "catch_up.window": "Since your last visit",
    "cell.screen": "Cell",
    "compare.screen": "Comparison",
    "dialogs.help": "Dialogs",
    "editor.conflict": "Profile editor",
    "editor.screen": "Profile editor",
    "editor.template": "Profile editor",
    "form.editors": "Forms",
    "form.field": "Forms",
    "form.form": "Forms",
    "preview.run_form": "New run",
    "dialogs.name": "Dialogs",
    "dialogs.notifications": "Dialogs",
    "dialogs.recommendation": "Recommendation",
    "log.screen": "Container log",
    "preview.screen": "Preview",
    "profiles.screen": "Profiles",
    "reports.cell_table": "Panels and lists",
    "reports.screen": "Reports",
    "study.screen": "Study",
    "run.add_cell": "Add a cell",
    "run.containers": "Run",
    "run.matrix": "Panels and lists",
    "run.screen": "Run",
    "widgets.line_view": "Panels and lists",
    "widgets.menu": "Panels and lists",
}
"""Sections of docs/screens.md by the module that defines keys."""

TEXTUAL_KEYS = {
    "Add a cell": {"Enter"},
    "Dialogs": {"Enter", "y", "n"},
    "Everywhere": {"Tab", "Shift+Tab"},
}
"""Keys by section that Textual's widgets define, or that a dialog defines for its answers."""

KEY_NAMES = {
    "ctrl+c": "Ctrl+C",
    "ctrl+l": "Ctrl+L",
    "ctrl+g": "Ctrl+G",
    "ctrl+n": "Ctrl+N",
    "ctrl+o": "Ctrl+O",
    "ctrl+r": "Ctrl+R",
    "ctrl+t": "Ctrl+T",
    "f1": "F1",
    "ctrl+s": "Ctrl+S",
    "ctrl+p": "Ctrl+P",
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "pageup": "Page Up",
    "pagedown": "Page Down",
    "slash": "/",
    "plus": "+",
    "percent_sign": "%",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    **{name: name.title() for name in ("up", "down", "left", "right", "home", "end")},
}
"""Names of keys in the documentation, by Textual's."""


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    _, found, rest = text.partition(f"\n## {title}\n")
    assert found, f"no section {title}"
    return rest.partition("\n## ")[0]


def ui_modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(loadbench.ui.__path__, "loadbench.ui."):
        yield module.name


def classes_with_keys() -> Iterator[tuple[str, type]]:
    """Yield the classes that define keys, with their modules relative to loadbench.ui."""
    for name in ui_modules():
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, type) and value.__module__ == name and vars(value).get("BINDINGS"):
                yield name.removeprefix("loadbench.ui."), value


def code_spans(text: str) -> list[str]:
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", without_blocks)


def anchors(file: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# README


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= MAX_README_WORDS


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.stem)
def test_pictures_are_small_and_have_no_scripts_and_machine_paths(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ET.fromstring(text)

    assert file.stat().st_size <= MAX_PICTURE_BYTES
    assert ("@keyframes" in text) is (file.stem == "demo")
    assert not list(tree.iter(f"{SVG}script"))
    assert not re.search(r"/(tmp|home|root|work|Users|var)/", text)


def test_every_picture_is_shown() -> None:
    pages = [file.read_text(encoding="utf-8") for file in PAGES]
    shown = {
        Path(path).name for text in pages for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    }

    assert {file.name for file in PICTURES} == shown


# Command line


def test_command_line_page_equals_the_generated_one() -> None:
    assert page("cli") == command_line_page(), "run `make docs`"


def test_pages_name_no_unknown_command() -> None:
    for file in PAGES:
        for name in re.findall(r"loadbench-tui ([a-z]+)", file.read_text(encoding="utf-8")):
            assert name in main.commands, f"{file.name}: {name}"


def test_pages_name_no_unknown_option() -> None:
    options = {
        option
        for command in [main, *main.commands.values()]
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }

    for file in PAGES:
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", file.read_text(encoding="utf-8")):
            assert option in {*options, "--help", *OTHER_PROGRAMS}, f"{file.name}: {option}"


def test_every_command_and_every_option_has_a_help_text_with_examples() -> None:
    for name, command in main.commands.items():
        assert command.help, name
        assert f" loadbench-tui {name}" in command.help.partition("Examples:")[2], name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (name, parameter.name)


def test_every_environment_variable_is_documented() -> None:
    patterns = (
        r'environ(?:\.get\(|\.pop\(|\[)"([A-Z_]+)"',
        r'"([A-Z_]+)" (?:not )?in environ',
        r'"(LOADBENCH_[A-Z_]*)"',
    )
    sources = [*(REPOSITORY / "tui").rglob("*.py"), REPOSITORY / "locustfile.py"]
    text = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    names = {name for pattern in patterns for name in re.findall(pattern, text)}
    table = section(page("ci"), "Environment variables")

    assert {"LOADBENCH_WORKSPACE", "NO_COLOR", "XDG_STATE_HOME"} <= names
    for name in names - INTERNAL_VARIABLES:
        assert f"`{name}`" in table, name


def test_the_index_has_every_page() -> None:
    index = page("README")
    for file in DOCS.glob("*.md"):
        assert file.name == "README.md" or f"]({file.name})" in index, file.name


# Screens


def test_every_module_that_defines_keys_has_a_section() -> None:
    assert {module for module, _ in classes_with_keys()} == set(SECTIONS)


@pytest.mark.parametrize(("module", "title"), SECTIONS.items(), ids=SECTIONS)
def test_every_key_of_a_screen_is_documented(module: str, title: str) -> None:
    table = section(page("screens"), title)
    for name, screen in classes_with_keys():
        if name == module:
            for binding in Binding.make_bindings(vars(screen)["BINDINGS"]):
                key = KEY_NAMES.get(binding.key, binding.key)
                assert f"`{key}`" in table, f"{screen.__name__}: {key} ({binding.description})"


@pytest.mark.parametrize("title", sorted(set(SECTIONS.values())))
def test_screens_page_names_no_unknown_key(title: str) -> None:
    known = {
        KEY_NAMES.get(binding.key, binding.key)
        for name, screen in classes_with_keys()
        if SECTIONS.get(name) == title
        for binding in Binding.make_bindings(vars(screen)["BINDINGS"])
    }
    rows = [line for line in section(page("screens"), title).splitlines() if line.startswith("| `")]
    named = {key for line in rows for key in re.findall(r"`([^`]+)`", line.split("|")[1])}

    assert named <= known | TEXTUAL_KEYS.get(title, set())


# Profiles, journals, numbers


def test_profiles_page_has_the_table_of_keys() -> None:
    assert key_reference() in page("profiles")


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.type)
def test_journal_page_has_every_type_with_every_field(kind: Any) -> None:
    start = f"| `{kind.type}` |"
    row = next(line for line in page("journal").splitlines() if line.startswith(start))

    for field in fields(kind):
        assert f"`{field.name}`" in row, field.name


def test_journal_page_has_every_command() -> None:
    for name in NAMES:
        assert f"| `{name}` |" in page("journal")


def test_measurement_page_has_every_rule_with_its_verdict_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", page("measurement"), re.MULTILINE)

    assert dict(rows) == {name: rule.verdict.value for name, rule in RULES.items()}


def test_glossary_has_every_column_of_the_summary_and_no_other() -> None:
    table = section(page("glossary"), "Columns of summary.csv")
    named = [
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([a-z0-9_]+)`", line.split("|")[1])
    ]

    assert sorted(named) == sorted(COLUMNS)


# The included service


def test_service_page_has_every_variable_and_no_other() -> None:
    code = (REPOSITORY / "stack" / "common" / "config.py").read_text(encoding="utf-8")
    read = set(re.findall(r'^    """([A-Z_]+):', code, re.MULTILINE))

    assert set(re.findall(r"^\| `([A-Z_]+)` \|", page("service"), re.MULTILINE)) == read
    assert read == {*SET_BY_KEYS, *SET_BY_PROFILES} - {"PYTHONPATH"}


def test_service_page_has_every_metric() -> None:
    code = (REPOSITORY / "stack" / "api" / "metrics.py").read_text(encoding="utf-8")
    for name in re.findall(r'"(loadbench_[a-z_]+)"', code):
        short = name.removeprefix("loadbench_worker_")
        assert name in page("service") or short in page("service"), name


# Links and paths


def test_links_lead_to_files_and_sections() -> None:
    for file in PAGES:
        links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", file.read_text("utf-8"))
        for path, anchor in links:
            target = file.parent / path if path else file
            assert target.exists(), f"{file.name}: {path}"
            if anchor:
                assert anchor in anchors(target), f"{file.name}: {path}#{anchor}"


def test_paths_in_pages_exist() -> None:
    package = REPOSITORY / "tui" / "loadbench"
    roots = (REPOSITORY, DOCS, package, package / "engine", package / "engine" / "drivers")
    a_path = re.compile(r"[a-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+\.(?:md|py|yaml|jsonl|tcss|txt|svg)")
    for file in PAGES:
        for span in code_spans(file.read_text(encoding="utf-8")):
            if a_path.fullmatch(span) and not re.search(r"/[A-Z]+\b", span):
                assert any((root / span).exists() for root in roots), f"{file.name}: {span}"


# Versions


def test_constraints_pin_exact_versions_and_name_no_host() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line), line


def test_every_requirement_is_pinned() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["embedded"], *extras["dev"]]

    for requirement in wanted:
        assert normal(re.split(r"[\[<>=~! ]", requirement)[0]) in pinned(), requirement


def test_images_install_the_tested_versions() -> None:
    versions = pinned()
    for file in (REPOSITORY / "stack").glob("*/requirements*.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, version = line.partition("==")
            if version:
                # ONNX Runtime has one version in two packages, one for each device.
                plain = normal(name.partition("[")[0]).removesuffix("-gpu")
                assert version == versions[plain], f"{file.name}: {line}"


def pinned() -> dict[str, str]:
    """Return the pinned versions by normalised package names."""
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").split()
    pairs = (line.partition("==") for line in lines)
    return {normal(name): version for name, _, version in pairs}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
