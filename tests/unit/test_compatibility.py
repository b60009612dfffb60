"""What docs/compatibility.md promises: everything that 0.2 has is still there.

UPDATE_COMPATIBILITY=1 records what the program has now, for a release that adds something. The file
must only grow.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

import click
import pytest

from loadbench.cli.exit_codes import Exit
from loadbench.cli.main import main
from loadbench.engine.comparison import record
from loadbench.engine.journal import codec
from loadbench.engine.journal.events import Event
from loadbench.engine.measure.bottleneck import BottleneckKind
from loadbench.engine.measure.rules.registry import RULES
from loadbench.engine.profile.reference import key_rows
from loadbench.engine.report.export import summary
from loadbench.engine.report.rows import COLUMNS
from loadbench.engine.studies import model as studies
from tests.support.harness import REPOSITORY

RECORD = REPOSITORY / "tests" / "compatibility.json"


def current() -> dict[str, Any]:
    """Return the names that users depend on, as parsed from JSON."""
    found = {
        "versions": {
            "journal": codec.VERSION,
            "summary.json": summary.VERSION,
            "study.json": studies.VERSION,
            "compare --json": record.VERSION,
        },
        "exit codes": {code.name: code.value for code in Exit},
        "columns": list(COLUMNS),
        "profile keys": sorted(name for name, _, _ in key_rows()),
        "rules": sorted(RULES),
        "bottlenecks": sorted(kind.value for kind in BottleneckKind),
        "events": {kind.type: sorted(one.name for one in fields(kind)) for kind in get_args(Event)},
        "commands": {name: sorted(options_of(command)) for name, command in commands()},
    }
    return dict(json.loads(json.dumps(found)))


def commands() -> Iterator[tuple[str, click.Command]]:
    yield "", main
    yield from main.commands.items()


def options_of(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield from parameter.opts


def losses(recorded: Any, found: Any, place: str = "") -> list[str]:
    """Return the places where something recorded is missing or different.

    Lists may only get more members; objects may only get more keys.
    """
    match recorded, found:
        case dict(), dict():
            return [
                loss
                for key, value in recorded.items()
                for loss in losses(value, found.get(key), f"{place}/{key}")
            ]
        case list(), list():
            return [f"{place}: {one}" for one in recorded if one not in found]
        case _:
            return [] if recorded == found else [f"{place}: {recorded}"]


@pytest.fixture
def recorded() -> dict[str, Any]:
    return dict(json.loads(RECORD.read_text(encoding="utf-8")))


def test_nothing_that_users_depend_on_is_missing(recorded: dict[str, Any]) -> None:
    found = current()
    missing = losses(recorded, found)
    if os.environ.get("UPDATE_COMPATIBILITY") and not missing:
        RECORD.write_text(f"{json.dumps(found, indent=1, sort_keys=True)}\n", encoding="utf-8")

    assert not missing


def test_columns_keep_their_order(recorded: dict[str, Any]) -> None:
    columns = recorded["columns"]

    assert list(COLUMNS[: len(columns)]) == columns


def test_the_page_states_the_current_versions() -> None:
    page = (REPOSITORY / "docs" / "compatibility.md").read_text(encoding="utf-8")

    assert f"Major version {codec.VERSION}." in page
    assert {summary.VERSION, studies.VERSION, record.VERSION} == {1}
    assert "now 1 in all three" in page
    assert re.search(r"now 3\.11 to 3\.14", page)


@pytest.mark.parametrize(
    ("change", "loss"),
    [
        ({"columns": ["gone"]}, "/columns: gone"),
        ({"exit codes": {"DONE": 7}}, "/exit codes/DONE: 7"),
        ({"commands": {"explode": []}}, "/commands/explode: []"),
        ({"events": {"sample": ["mood"]}}, "/events/sample: mood"),
    ],
)
def test_a_loss_is_detected(change: dict[str, Any], loss: str) -> None:
    assert losses(change, current()) == [loss]
