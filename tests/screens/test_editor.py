"""The profile editor, and the actions that create, copy, rename, delete and restore profiles."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from loadbench.engine.profile.editing.file import ProfileFile, delete_profile
from loadbench.engine.profile.loading import load_profile
from loadbench.ui.editor.conflict import ConflictDialog
from loadbench.ui.editor.screen import EditorScreen
from loadbench.ui.form.editors import TextEditor
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.workspace import Workspace
from tests.support.harness import REPOSITORY
from tests.support.ui_harness import (
    NARROW,
    WIDE,
    Stage,
    drive,
    offered,
    press,
    screen_text,
    settled,
    until,
)

TEXT = """# my profile
#   loadbench-tui run demo
models: [1, 2]   # replicas
users:
  - 2            # few
  - 8

spawn_rates: [8]
stack: {driver: local}
"""
GRID = "models: [1]\nusers: [2]\nspawn_rates: [8]\n"
sizes = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])


def editor(pilot: "Pilot[Any]") -> EditorScreen:
    screen = pilot.app.screen
    assert isinstance(screen, EditorScreen)
    return screen


def profiles(pilot: "Pilot[Any]") -> ProfilesScreen:
    screen = pilot.app.screen
    assert isinstance(screen, ProfilesScreen)
    return screen


def names(stage: Stage) -> set[str]:
    return {file.name for file in (stage.root / "profiles").glob("*.yaml")}


async def edit(pilot: "Pilot[Any]") -> EditorScreen:
    await settled(pilot)
    await press(pilot, "e")
    return editor(pilot)


# Saving


@sizes
def test_saving_changes_only_the_edited_values(stage: Stage, size: tuple[int, int]) -> None:
    file = stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        assert "saved" in screen_text(pilot.app)
        assert "ctrl+s" not in offered(pilot)
        await press(pilot, "down", "down", "down", *"3", "space", *"8")
        assert "not saved" in screen_text(pilot.app)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "not saved" not in screen_text(pilot.app), "the save")
        await press(pilot, "escape")
        assert profiles(pilot).selected

    drive(stage.app(), script, size=size)
    assert file.read_text() == TEXT.replace("  - 2            # few", "  - 3            # few")


def test_the_line_of_the_field_is_shown_as_it_will_be_saved(stage: Stage) -> None:
    stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "down", *"4")
        assert "▸  3* models: [4]" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_the_line_is_shown_at_80_by_24_too(stage: Stage) -> None:
    stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "down", *"4")
        assert "Line 3: models: [4]" in screen_text(pilot.app)

    drive(stage.app(), script, size=NARROW)


def test_a_change_that_cannot_be_written_exactly_is_refused(stage: Stage) -> None:
    text = "models: &few [1]\nusers: [2]\nspawn_rates: *few\n"
    file = stage.save_profile("demo", text)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "down", *"4", "ctrl+s")
        await until(pilot, lambda: "Nothing was written." in screen_text(pilot.app))
        assert "o  Open in editor" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert editor(pilot).has_changes

    drive(stage.app(), script)
    assert file.read_text() == text


def test_an_error_prevents_saving_and_gets_the_focus(stage: Stage) -> None:
    file = stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "x", "down", "ctrl+s")
        assert editor(pilot).form.key
        assert editor(pilot).form.key.name == "batch_size"  # type: ignore[union-attr]  # above
        assert "not saved" in screen_text(pilot.app)

    drive(stage.app(), script)
    assert file.read_text() == TEXT


def test_an_invalid_profile_can_be_mended_one_key_at_a_time(stage: Stage) -> None:
    file = stage.save_profile("demo", "models: [0]\nusers: [ten]\nspawn_rates: [1]\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        assert editor(pilot).form.key.name == "models"  # type: ignore[union-attr]  # has errors
        await press(pilot, *"2", "ctrl+s")
        await until(pilot, lambda: file.read_text().startswith("models: [2]"), "the save")
        await press(pilot, "down", *"9", "ctrl+s")
        await until(pilot, lambda: "users: [9]" in file.read_text(), "the second save")

    drive(stage.app(), script)
    assert load_profile(file).users == (9,)


@pytest.mark.parametrize("key", ["a", "r", "escape"])
def test_a_file_that_changed_meanwhile_is_not_overwritten(stage: Stage, key: str) -> None:
    file = stage.save_profile("demo", TEXT)
    theirs = TEXT.replace("models: [1, 2]", "models: [7]")

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "4")
        file.write_text(theirs)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConflictDialog), "the question")
        assert "-models: [7]" in screen_text(pilot.app)
        assert "+batch_size: 4" in screen_text(pilot.app)
        await press(pilot, key)
        assert file.read_text() == theirs
        texts = {name: editor(pilot).entered.text(name) for name in ("models", "batch_size")}
        expected = {"a": ("7", "4"), "r": ("7", "1"), "escape": ("1 2", "4")}
        assert tuple(texts.values()) == expected[key]
        if key == "a":
            await press(pilot, "ctrl+s")
            await until(pilot, lambda: "batch_size: 4" in file.read_text(), "the save")
            assert "models: [7]" in file.read_text()

    drive(stage.app(), script)


def test_a_file_that_was_deleted_meanwhile_can_be_created_again(stage: Stage) -> None:
    file = stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "4")
        file.unlink()
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "deleted on disk" in screen_text(pilot.app))
        await press(pilot, "ctrl+s")
        await until(pilot, file.exists, "the save")

    drive(stage.app(), script)
    assert load_profile(file).batch_size == 4


@pytest.mark.parametrize(("key", "is_saved"), [("s", True), ("d", False)])
def test_leaving_with_changes_asks_first(stage: Stage, key: str, is_saved: bool) -> None:
    file = stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "4", "escape")
        assert "Save demo?" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert editor(pilot).has_changes
        await press(pilot, "escape", key)
        await until(pilot, lambda: isinstance(pilot.app.screen, ProfilesScreen))

    drive(stage.app(), script)
    assert ("batch_size: 4" in file.read_text()) is is_saved


def test_the_editor_of_the_user_gets_the_saved_file(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stage.save_profile("demo", TEXT)
    opened: list[str] = []

    def change(_: object, path: Path, __: int | None) -> None:
        opened.append(path.read_text())
        path.write_text(path.read_text().replace("models: [1, 2]", "models: [5]"))

    monkeypatch.setattr("loadbench.ui.editor.screen.desktop.edit", change)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "4", "ctrl+o")
        assert "Save before opening the editor?" in screen_text(pilot.app)
        await press(pilot, "s")
        await until(pilot, lambda: bool(opened), "the editor")
        await until(pilot, lambda: editor(pilot).entered.text("models") == "5", "the new text")
        assert not editor(pilot).has_changes

    drive(stage.app(), script)
    assert "batch_size: 4" in opened[0]
    assert load_profile(file).models == (5,)


def test_a_file_that_is_no_mapping_is_opened_in_the_editor_of_the_user(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.save_profile("demo", "models: [1\n")
    opened: list[int | None] = []
    monkeypatch.setattr(
        "loadbench.ui.terminal.desktop.edit", lambda _, __, line: opened.append(line)
    )

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "e")
        assert profiles(pilot)

    drive(stage.app(), script)
    assert opened == [2]


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_quitting_with_changes_asks_first(stage: Stage, key: str) -> None:
    file = stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "4", "up", key)
        assert "Save demo?" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert editor(pilot).has_changes

    drive(stage.app(), script)
    assert file.read_text() == TEXT


def test_a_version_on_disk_that_is_no_yaml_is_reported(stage: Stage) -> None:
    file = stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "4")
        file.write_text("models: [1\n")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "Nothing was written." in screen_text(pilot.app))
        assert "invalid YAML" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert editor(pilot).entered.text("batch_size") == "4"

    drive(stage.app(), script)
    assert file.read_text() == "models: [1\n"


def test_what_is_typed_during_a_save_is_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    file = stage.save_profile("demo", TEXT)
    may_save, save = threading.Event(), ProfileFile.save

    def save_later(profile: ProfileFile, data: bytes) -> ProfileFile:
        assert may_save.wait(20)
        return save(profile, data)

    monkeypatch.setattr(ProfileFile, "save", save_later)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await pilot.press("down", "4", "ctrl+s", "down", "7")
        may_save.set()
        await until(pilot, lambda: "batch_size: 4" in file.read_text(), "the save")
        await settled(pilot)
        assert editor(pilot).entered.changes == {"models": [7]}
        assert "not saved" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_every_way_of_saving_refuses_a_field_with_an_error(stage: Stage) -> None:
    file = stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", "4", "down", "x")
        for keys in (("ctrl+s",), ("escape", "s"), ("ctrl+o", "s")):
            await press(pilot, *keys)
            await until(pilot, lambda: "not saved: Models: expected" in screen_text(pilot.app))

    drive(stage.app(), script)
    assert file.read_text() == TEXT


def test_texts_with_spaces_are_one_chip(stage: Stage) -> None:
    text = f"{GRID}stack: {{driver: compose, compose: ['my dir/a b.yaml', c.yaml]}}\n"
    stage.save_profile("demo", text)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down")
        assert " my dir/a b.yaml   c.yaml " in screen_text(pilot.app)

    drive(stage.app(), script)


# New profiles


def compose_project(stage: Stage) -> None:
    folder = stage.root / "shop"
    folder.mkdir()
    (folder / "compose.yaml").write_text(
        "services:\n  db: {image: postgres}\n  web:\n    build: .\n"
        "    ports: ['8080:80', '9090:90']\n"
        "    healthcheck: {test: curl -f http://localhost/ready}\n"
    )


@sizes
def test_a_profile_of_a_compose_project_is_created_with_the_keyboard(
    stage: Stage, size: tuple[int, int]
) -> None:
    compose_project(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "n", "down", "enter", *"shop", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditorScreen))
        await settled(pilot)
        assert "not saved" in screen_text(pilot.app)
        assert names(stage) == set()
        texts = editor(pilot).entered
        assert texts.text("stack.compose") == "shop/compose.yaml"
        assert texts.text("stack.service") == "web"
        assert texts.text("stack.health") == "/ready"
        await press(pilot, "down", "down", "ctrl+n", "ctrl+n")
        assert editor(pilot).entered.text("host") == "http://127.0.0.1:9090"
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: names(stage) == {"shop.yaml"}, "the save")
        await press(pilot, "escape")
        selected = profiles(pilot).selected
        assert selected
        assert selected.name == "shop"

    drive(stage.app(), script, size=size)
    profile = load_profile(stage.root / "profiles" / "shop.yaml")
    assert profile.stack.driver == "compose"
    assert profile.host == "http://127.0.0.1:9090"


def test_a_new_profile_that_is_discarded_leaves_no_file(stage: Stage) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "n", "enter", *"mine", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditorScreen))
        await press(pilot, "escape", "d")
        assert profiles(pilot)

    drive(stage.app(), script)
    assert names(stage) == set()


def test_the_schema_is_written_beside_the_first_profile(stage: Stage) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "n", "enter", *"mine", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditorScreen))
        assert "Template: " not in screen_text(pilot.app)
        await press(pilot, "down", "4")
        assert "Template: 1" in screen_text(pilot.app)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: names(stage) == {"mine.yaml"}, "the save")

    drive(stage.app(), script)
    schema = (stage.root / "profiles" / "profile.schema.json").read_text()
    assert schema == (REPOSITORY / "profiles" / "profile.schema.json").read_text()


def test_missing_files_are_shown_at_their_fields(stage: Stage) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "n", "down", "down", "enter", *"mine", "enter")
        await until(pilot, lambda: "not found: locustfile.py" in screen_text(pilot.app))

    drive(stage.app(), script)


def test_the_empty_workspace_offers_a_new_profile_and_the_examples(stage: Stage) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert offered(pilot)["n"] == "new"
        assert offered(pilot)["i"] == "examples"
        await press(pilot, "i")
        await until(pilot, lambda: "with_cpu" in screen_text(pilot.app), "the examples")
        assert "i" not in offered(pilot)

    drive(stage.app(), script)
    shipped = {file.name for file in (REPOSITORY / "profiles").glob("*.yaml")}
    assert shipped <= names(stage)
    assert (stage.root / "stack" / "compose.yaml").exists()


# Copy, rename, delete


def test_the_header_of_a_copy_names_the_copy(stage: Stage) -> None:
    stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "c")
        pilot.app.screen.query_one(Input).value = "other"
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditorScreen))
        assert not editor(pilot).has_changes

    drive(stage.app(), script)
    copy = stage.root / "profiles" / "other.yaml"
    assert copy.read_text() == TEXT.replace("run demo", "run other")


def test_a_profile_that_is_not_utf8_can_be_copied(stage: Stage) -> None:
    file = stage.save_profile("demo")
    file.write_bytes(b"description: caf\xe9\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "c", *"mine", "enter")
        await until(pilot, lambda: "mine.yaml" in names(stage), "the copy")

    drive(stage.app(), script)
    assert (stage.root / "profiles" / "mine.yaml").read_bytes() == file.read_bytes()


def test_a_profile_that_cannot_be_restored_stays_in_the_trash(stage: Stage) -> None:
    stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "d", "y")
        await until(pilot, lambda: names(stage) == set(), "the deletion")
        file = stage.save_profile("demo", "models: [9]\n")
        await press(pilot, "u")
        await until(pilot, lambda: "in use" in screen_text(pilot.app), "the refusal")
        file.unlink()
        await press(pilot, "u")
        await until(pilot, lambda: file.exists() and file.read_text() == TEXT, "the undo")

    drive(stage.app(), script)


def test_a_profile_can_be_restored_after_a_restart(stage: Stage) -> None:
    file = stage.save_profile("demo", TEXT)
    delete_profile(file)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await until(pilot, lambda: "u" in offered(pilot), "the trash")
        await press(pilot, "u")
        await until(pilot, file.exists, "the undo")

    drive(stage.app(), script)


def test_a_renamed_profile_stays_selected_and_its_runs_keep_their_name(stage: Stage) -> None:
    stage.save_profile("demo", TEXT)
    stage.save_profile("aaa", TEXT)
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "m")
        assert "Its 1 run keeps the name demo." in screen_text(pilot.app)
        assert pilot.app.screen.query_one(Input).value == "demo"
        await press(pilot, *"new", "enter")
        await until(pilot, lambda: "▌new" in screen_text(pilot.app), "the new name")

    drive(stage.app(), script)
    assert names(stage) == {"aaa.yaml", "new.yaml"}
    renamed = (stage.root / "profiles" / "new.yaml").read_text()
    assert renamed == TEXT.replace("run demo", "run new")
    assert (stage.root / "reports" / "demo").exists()


def test_deleted_profiles_are_restored_the_last_one_first(stage: Stage) -> None:
    for name in ("a", "b"):
        stage.save_profile(name, TEXT)

    def has_files(count: int) -> bool:
        return len(names(stage)) == count

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "u" not in offered(pilot)
        for _ in range(2):
            left = len(names(stage)) - 1
            await press(pilot, "d", "y")
            await until(pilot, partial(has_files, left), "the deletion")
            await settled(pilot)
        assert names(stage) == set()
        await press(pilot, "u")
        await until(pilot, lambda: names(stage) == {"b.yaml"}, "the first undo")
        await settled(pilot)
        await press(pilot, "u")
        await until(pilot, lambda: names(stage) == {"a.yaml", "b.yaml"}, "the second undo")

    drive(stage.app(), script)
    assert (stage.root / "profiles" / "a.yaml").read_text() == TEXT


@pytest.mark.parametrize("key", ["n", "e", "c", "m", "d"])
def test_bundled_profiles_cannot_be_changed(stage: Stage, key: str) -> None:
    stage.save_profile("demo", TEXT)
    app = stage.app(workspace=Workspace(stage.root, stage.root / "reports", bundled=True))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, key)
        assert profiles(pilot)
        await until(pilot, lambda: "loadbench-tui init DIR" in screen_text(pilot.app))

    drive(app, script)
    assert names(stage) == {"demo.yaml"}


def test_typed_letters_are_text_and_not_commands(stage: Stage) -> None:
    stage.save_profile("demo", TEXT)

    async def script(pilot: "Pilot[Any]") -> None:
        await edit(pilot)
        await press(pilot, "down", *"qt", "question_mark", *"b")
        assert editor(pilot).query_one("#batch_size", TextEditor).value == "qt?b"

    drive(stage.app(), script)
