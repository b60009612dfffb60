"""Adding a cell to a live run: the dialog, and the screen with the new cell."""

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.engine.journal.codec import encode
from loadbench.engine.journal.commands import FILE_NAME
from loadbench.engine.journal.events import Event
from loadbench.ui.run.add_cell import AddDialog
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.terminal.capabilities import Terminal
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_started,
    entries,
    make_cell,
    make_profile,
    run_started,
    sample,
    write_journal,
)
from tests.support.ui_harness import (
    NARROW,
    WIDE,
    Looks,
    Stage,
    drive,
    held,
    lines_until,
    press,
    screen_text,
    settled,
    until,
)

SIZES = (WIDE, NARROW, (60, 20), (200, 60))
NEW = make_cell(3, 10, 8)


def measuring(stage: Stage) -> Path:
    """A run of models 1 and 2, users 2 and 8, that is measuring its first cell, m1_u2_s8."""
    return stage.add_run("demo", lines=lines_until("demo", '"second":11,'))


def asked(folder: Path) -> list[dict[str, Any]]:
    """The commands to the runner, in order."""
    file = folder / FILE_NAME
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def append(folder: Path, *events: Event) -> None:
    """Append to the journal, as its runner does."""
    with (folder / JOURNAL).open("ab") as file:
        file.write(b"".join(encode(entry) for entry in entries(events)))


def shown(pilot: "Pilot[Any]") -> str | None:
    """The key of the selected cell."""
    screens = pilot.app.screen_stack
    return next(screen for screen in screens if isinstance(screen, RunScreen)).shown


def row_of(pilot: "Pilot[Any]", label: str) -> str:
    """The row of the matrix with this label."""
    rows = screen_text(pilot.app).splitlines()
    return next(row for row in rows if row.startswith(f"│ {label:>5}"))


# The dialog


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("name", "key"), [("add", "7"), ("add-refused", "x")])
def test_the_dialog_that_adds_a_cell(
    stage: Stage, looks: Looks, size: tuple[int, int], name: str, key: str
) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "plus", key)
        looks(f"{name}-{size[0]}x{size[1]}", screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script, size=size)


def test_the_dialog_in_ascii(stage: Stage, looks: Looks) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "plus", "7")
        looks("add-ascii-80x24", screen_text(pilot.app))

    with held(folder):
        app = stage.app(folder=folder, terminal=Terminal(ascii=True, signs=True))
        drive(app, script, size=NARROW)


def test_fields_start_with_the_numbers_of_the_selected_cell(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "j", "l", "plus")
        fields = pilot.app.screen.query(Input)
        assert {field.id: field.value for field in fields} == {
            "models": "2",
            "users": "8",
            "spawn_rate": "8",
        }
        assert pilot.app.focused is pilot.app.screen.query_one("#users")
        assert "m2_u8_s8 is already in the plan" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_enter_sends_the_command_and_its_answer_is_shown(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "plus", "1", "0", "shift+tab", "3")
        assert "m3_u10_s8: about " in screen_text(pilot.app)
        assert ", measured after m2_u8_s8" in screen_text(pilot.app)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, RunScreen)
        (command,) = asked(folder)
        assert command["command"] == "add"
        assert command["args"] == {"models": 3, "users": 10, "spawn_rate": 8}
        append(folder, answered("add", NEW.key, identity=command["id"], added=(NEW,)))
        await until(pilot, lambda: "add it is" in screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_enter_does_not_send_what_the_runner_would_reject(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "plus", "enter")
        assert isinstance(pilot.app.screen, AddDialog)
        assert "m1_u2_s8 is already in the plan" in screen_text(pilot.app)
        await press(pilot, "0", "enter")
        assert "users: expected a value ≥ 1, got '0'" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert asked(folder) == []


@pytest.mark.parametrize(("button", "commands"), [("#add", 1), ("#cancel", 0)])
def test_the_buttons_add_and_cancel(stage: Stage, button: str, commands: int) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "plus", "7")
        await pilot.click(button)
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunScreen)

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert len(asked(folder)) == commands


# The screen with the new cell


def test_a_new_row_and_column_do_not_move_the_cursor(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "j", "l")
        append(folder, answered("add", added=(NEW, make_cell(2, 4, 8))))
        await until(pilot, lambda: "3 models" in screen_text(pilot.app))
        assert shown(pilot) == "m2_u8_s8"
        assert row_of(pilot, "8").count("·") == 2
        assert row_of(pilot, "8").count("[") == 1
        assert row_of(pilot, "4").count("·") == 1
        assert row_of(pilot, "10").count("·") == 1
        assert "0 of 6 cells done" in screen_text(pilot.app)
        await press(pilot, "end")
        assert shown(pilot) == NEW.key

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_new_rows_above_the_cursor_keep_it_in_view(stage: Stage) -> None:
    profile = make_profile(models=[*range(1, 10)], users=[*range(101, 141)])
    folder = stage.root / "reports" / "demo" / "20261122-111101"
    write_journal(folder, run_started(profile))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "end")
        assert "[" in row_of(pilot, "140")
        append(folder, answered("add", added=tuple(make_cell(1, users) for users in (3, 4, 5))))
        run_screen = pilot.app.screen
        assert isinstance(run_screen, RunScreen)
        await until(pilot, lambda: run_screen.run and len(run_screen.run.state.cells) == 363)
        assert shown(pilot) == "m9_u140_s2"
        assert "[" in row_of(pilot, "140")

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_the_failure_of_an_added_cell_is_notified_at_once(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        added = answered("add", added=(NEW,))
        append(folder, added, cell_started(NEW.key), cell_failed(NEW.key))
        await until(pilot, lambda: f"{NEW.key} failed" in screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_many_failures_at_once_are_notified_together(stage: Stage) -> None:
    folder = measuring(stage)
    cells = [make_cell(9, users) for users in range(1, 8)]

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        failures = [cell_failed(cell.key, attempt=0) for cell in cells]
        append(folder, answered("add", added=tuple(cells)), *failures)
        await until(pilot, lambda: "4 more cells failed" in screen_text(pilot.app))
        assert f"{cells[3].key} failed" not in screen_text(pilot.app)
        # The screen of a cell that was not started shows why.
        await press(pilot, "end", "enter", "right_square_bracket")
        await until(pilot, lambda: "Failed: model-1 ended" in screen_text(pilot.app))
        assert cells[0].key in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_an_added_cell_is_selected_and_measured_again(stage: Stage) -> None:
    folder = measuring(stage)
    seconds = [sample(NEW.key, second=second) for second in range(3)]
    append(folder, answered("add", added=(NEW,)), cell_started(NEW.key), *seconds)
    append(folder, cell_finished(NEW.key))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "end")
        assert shown(pilot) == NEW.key
        await until(pilot, lambda: f"{NEW.key}, per second" in screen_text(pilot.app))
        await press(pilot, "a", "y")

    with held(folder):
        drive(stage.app(folder=folder), script)
    (command,) = asked(folder)
    assert (command["command"], command["cell"]) == ("again", NEW.key)
