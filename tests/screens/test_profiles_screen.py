"""The first screen: selecting and starting profiles, and editing their files."""

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from loadbench.engine.catalog import Catalog, CatalogReader
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.preflight import Preflight
from loadbench.errors import RefusedError
from loadbench.ui.editor.screen import EditorScreen
from loadbench.ui.preview.run_form import RunForm
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.menu import Menu
from loadbench.workspace import Workspace
from tests.support.ui_harness import (
    BROKEN,
    NARROW,
    Stage,
    drive,
    held,
    lines_until,
    press,
    replace_runner,
    screen_text,
    settled,
    until,
)

PREVIEW = RunPlan(
    preflight=Preflight(driver="local", reason="asked for", lock="local"),
    needed_bytes=1,
    free_bytes=10**9,
)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """The requests to start a run, all of which are refused."""
    received: list[RunRequest] = []

    def refuse(request: RunRequest) -> Path:
        received.append(request)
        raise RefusedError("the local stack is in use by the run demo/1")

    replace_runner(monkeypatch, preview=lambda _: PREVIEW)
    replace_runner(monkeypatch, start=refuse)
    return received


def selected(pilot: "Pilot[Any]") -> str | None:
    screen = pilot.app.screen
    assert isinstance(screen, ProfilesScreen)
    return screen.selected.name if screen.selected else None


def offered(pilot: "Pilot[Any]") -> dict[str, str]:
    """The keys in the footer and their descriptions."""
    bindings = [active.binding for active in pilot.app.screen.active_bindings.values()]
    return {binding.key: binding.description for binding in bindings if binding.show}


# Selecting


def test_arrows_and_vim_keys_move_the_cursor(stage: Stage) -> None:
    for name in ("a", "b", "c"):
        stage.save_profile(name)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        seen = []
        for key in ("down", "j", "up", "k", "G", "g", "end", "home"):
            await press(pilot, key)
            seen.append(selected(pilot))
        assert seen == ["b", "c", "b", "a", "c", "a", "c", "a"]

    drive(stage.app(), script)


def test_the_arrow_keys_select_among_the_filtered_profiles(stage: Stage) -> None:
    for name in ("batch_10", "with_cpu", "with_gpu"):
        stage.save_profile(name)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "slash", *"WITH", "down")
        assert selected(pilot) == "with_gpu"
        await press(pilot, "enter")
        assert pilot.app.screen.focused is pilot.app.screen.query_one(Menu)
        assert "2 of 3" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert "batch_10" in screen_text(pilot.app)
        assert selected(pilot) == "with_gpu"

    drive(stage.app(), script)


def test_letters_in_the_filter_are_not_commands(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "slash", *"dqe?")
        assert pilot.app.screen.query_one(Input).value == "dqe?"
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(), script)


def test_a_click_selects_and_a_double_click_opens_the_preview(
    stage: Stage, requests: list[RunRequest]
) -> None:
    stage.save_profile("a")
    stage.save_profile("b")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.click(Menu, offset=(6, 3))
        await settled(pilot)
        assert selected(pilot) == "b"
        await pilot.click(Menu, offset=(6, 3), times=2)
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunForm)

    drive(stage.app(), script)


def test_only_applicable_actions_are_offered(stage: Stage) -> None:
    stage.save_profile("broken", "models: [1]\n")
    stage.save_profile("demo")
    stage.save_profile("never")
    live = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "g")
        assert offered(pilot)["enter"] == "edit"
        assert not set(offered(pilot)) & {"a", "r", "o"}
        await press(pilot, "j")
        assert offered(pilot)["enter"] == "run"
        assert "a" in offered(pilot)
        assert not set(offered(pilot)) & {"r", "o"}
        await press(pilot, "j")
        assert "enter" in offered(pilot)
        assert not set(offered(pilot)) & {"a", "r", "o"}

    with held(live):
        drive(stage.app(), script)


def test_an_interrupted_run_is_resumed(stage: Stage, requests: list[RunRequest]) -> None:
    stage.save_profile("demo")
    folder = stage.add_run("interrupted")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "r")
        assert "3 of 4 cells remain." in screen_text(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: requests)
        assert requests[0].resume == str(folder)
        assert not requests[0].again

    drive(stage.app(), script)


def test_resuming_a_finished_run_retries_its_failed_cells(
    stage: Stage, requests: list[RunRequest]
) -> None:
    stage.save_profile("demo")
    stage.add_run("containers")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "r", "f")
        assert "Retries 3 failed cells out of 6." in screen_text(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: requests)
        assert len(requests[0].again) == 3

    drive(stage.app(), script)


def test_attach_opens_the_live_run(stage: Stage) -> None:
    stage.save_profile("demo")
    live = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "a")
        assert isinstance(pilot.app.screen, RunScreen)
        assert pilot.app.screen.folder == live
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    with held(live):
        drive(stage.app(), script)


def test_new_profiles_and_runs_appear_without_a_key(stage: Stage) -> None:
    stage.save_profile("a")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        stage.save_profile("b")
        stage.add_run("interrupted", profile="b")
        await until(pilot, lambda: "! interrupted" in screen_text(pilot.app), "the new run")
        assert selected(pilot) == "a"

    drive(stage.app(), script)


# Where the cursor starts


def test_the_cursor_starts_at_the_profile_of_the_newest_run(stage: Stage) -> None:
    for name in ("a", "b", "demo"):
        stage.save_profile(name)
    stage.add_run("demo", profile="a", run="20261122-111101")
    stage.add_run("demo", profile="b", run="20261123-111101")
    stage.add_run("demo", profile="deleted", run="20261124-111101")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert selected(pilot) == "b"

    drive(stage.app(), script)


@pytest.mark.parametrize(
    ("names", "start"), [(("batch_10", "demo"), "demo"), (("batch_10", "with_cpu"), "batch_10")]
)
def test_without_a_run_the_cursor_starts_at_demo_or_else_at_the_first_profile(
    stage: Stage, names: tuple[str, ...], start: str
) -> None:
    for name in names:
        stage.save_profile(name)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert selected(pilot) == start
        assert "Press Enter to set up a run, and again to start it." in screen_text(pilot.app)

    drive(stage.app(), script)


@pytest.mark.parametrize("keys", [("k",), ("k", "j")], ids=["moved", "moved back"])
def test_runs_that_are_read_later_do_not_move_the_cursor_of_the_user(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    for name in ("a", "demo", "z"):
        stage.save_profile(name)
    stage.add_run("demo", profile="z")
    release, read = threading.Event(), CatalogReader.read

    def read_later(reader: CatalogReader) -> Catalog | None:
        assert release.wait(20)
        return read(reader)

    monkeypatch.setattr(CatalogReader, "read", read_later)

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: selected(pilot) == "demo", "the profiles")
        await pilot.press(*keys)
        release.set()
        await settled(pilot)
        assert selected(pilot) == ("demo" if "j" in keys else "a")

    drive(stage.app(), script)


def test_a_new_run_does_not_move_the_cursor(stage: Stage) -> None:
    stage.save_profile("demo")
    stage.save_profile("other")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        stage.add_run("interrupted", profile="other")
        await until(pilot, lambda: "! interrupted" in screen_text(pilot.app), "the new run")
        assert selected(pilot) == "demo"

    drive(stage.app(), script)


def test_returning_from_the_reports_keeps_the_selected_profile(stage: Stage) -> None:
    for name in ("a", "b", "c"):
        stage.save_profile(name)
    stage.add_run("demo", profile="a")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "j")
        for key in ("escape", "v"):
            await press(pilot, "v")
            assert isinstance(pilot.app.screen, ReportsScreen)
            await press(pilot, key)
            assert selected(pilot) == "b"

    drive(stage.app(), script)


# Starting


def test_a_refused_start_is_shown_in_the_preview(stage: Stage, requests: list[RunRequest]) -> None:
    file = stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: "in use by the run demo/1" in screen_text(pilot.app))
        assert "Nothing was started." in screen_text(pilot.app)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(), script)
    assert [request.profile_file for request in requests] == [str(file)]


def test_a_started_run_is_opened(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.save_profile("demo")
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    replace_runner(monkeypatch, preview=lambda _: PREVIEW)
    replace_runner(monkeypatch, start=lambda _: folder)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert "live" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(), script)


def test_a_cancelled_preview_starts_nothing(stage: Stage, requests: list[RunRequest]) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(), script)
    assert requests == []


def test_the_preview_asks_the_runner(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        # The workspace of this test has no locustfile.
        await until(pilot, lambda: "load.locustfile: " in screen_text(pilot.app))
        assert "Nothing was started." in screen_text(pilot.app)

    drive(stage.app(), script)


# Files


def test_a_copy_needs_a_new_valid_name(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "c")
        field = pilot.app.screen.query_one(Input)
        for name, error in (
            ("demo", "The profile demo already exists."),
            ("a/b", "Invalid name: "),
        ):
            field.value = name
            await press(pilot, "enter")
            assert error in screen_text(pilot.app)
        field.value = "mine"
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditorScreen), "the editor")
        await press(pilot, "escape")
        assert selected(pilot) == "mine"

    drive(stage.app(), script)
    copy = stage.root / "profiles" / "mine.yaml"
    assert copy.read_text() == (stage.root / "profiles" / "demo.yaml").read_text()


@pytest.mark.parametrize(("key", "is_deleted"), [("y", True), ("enter", False), ("escape", False)])
def test_a_profile_is_deleted_only_after_confirmation(
    stage: Stage, key: str, is_deleted: bool
) -> None:
    file = stage.save_profile("demo")
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "d")
        assert "The reports of its 1 run are kept." in screen_text(pilot.app)
        await press(pilot, key)

    drive(stage.app(), script)
    assert file.exists() is not is_deleted
    assert (folder / "journal.jsonl").exists()


@pytest.mark.parametrize("key", ["e", "c", "d"])
def test_bundled_profiles_are_read_only(stage: Stage, key: str) -> None:
    file = stage.save_profile("demo")
    app = stage.app(workspace=Workspace(stage.root, stage.root / "reports", bundled=True))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, key)
        assert isinstance(pilot.app.screen, ProfilesScreen)
        await until(pilot, lambda: "Bundled profiles cannot be" in screen_text(pilot.app))

    drive(app, script)
    assert file.exists()


def test_the_list_scrolls_at_80_by_24(stage: Stage) -> None:
    for number in range(20):
        stage.save_profile(f"profile_{number:02}")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "G")
        assert "profile_19" in screen_text(pilot.app)
        await press(pilot, "g")
        assert "▌profile_00" in screen_text(pilot.app)

    drive(stage.app(), script, size=NARROW)


def test_repeated_enter_starts_one_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.save_profile("demo")
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    started, may_start = [], threading.Event()

    def start(request: RunRequest) -> Path:
        started.append(request)
        may_start.wait(20)
        return folder

    replace_runner(monkeypatch, preview=lambda _: PREVIEW)
    replace_runner(monkeypatch, start=start)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.press("enter", "enter", "enter", "enter")
        # The run must open even if the terminal was too small meanwhile.
        await pilot.resize_terminal(50, 10)
        may_start.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        await pilot.resize_terminal(120, 40)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    with held(folder):
        drive(stage.app(), script)
    assert len(started) == 1


def test_a_copy_does_not_overwrite_a_file_created_meanwhile(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "c")
        (stage.root / "profiles" / "demo_2.yaml").write_text("mine")
        await press(pilot, "enter")
        await until(pilot, lambda: "in use" in screen_text(pilot.app))

    drive(stage.app(), script)
    assert (stage.root / "profiles" / "demo_2.yaml").read_text() == "mine"


def test_a_name_with_brackets_is_not_markup(stage: Stage) -> None:
    stage.save_profile("gpu[a100]")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "d")
        assert "Delete profile gpu[a100]?" in screen_text(pilot.app)
        await press(pilot, "y")
        await until(pilot, lambda: "gpu[a100]" not in screen_text(pilot.app))

    drive(stage.app(), script)


def test_two_files_with_the_same_stem_can_both_be_selected(stage: Stage) -> None:
    first = stage.save_profile("demo")
    first.with_suffix(".yml").write_text("models: [1]\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        files = []
        for key in ("g", "j"):
            await press(pilot, key)
            assert isinstance(pilot.app.screen, ProfilesScreen)
            files.append(pilot.app.screen.selected)
        assert [saved.file.suffix for saved in files if saved] == [".yaml", ".yml"]

    drive(stage.app(), script)


def test_the_filter_does_not_have_the_focus_at_the_start(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        assert not isinstance(pilot.app.focused, Input)
        await settled(pilot)

    drive(stage.app(), script)


def test_the_selected_profile_is_in_view_on_return_from_its_run(stage: Stage) -> None:
    for number in range(12):
        stage.save_profile(f"profile_{number:02}")
    folder = stage.add_run("demo", profile="profile_11")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "escape")
        await settled(pilot)
        assert selected(pilot) == "profile_11"
        assert "▌profile_11" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script, size=NARROW)


# Invalid profiles


def test_profile_that_became_invalid_is_edited_instead_of_previewed(stage: Stage) -> None:
    file = stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        file.write_text(BROKEN)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditorScreen))
        await press(pilot, "escape")
        assert ">   4  bach_size" in screen_text(pilot.app)

    drive(stage.app(), script)
