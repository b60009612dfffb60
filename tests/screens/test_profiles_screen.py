"""The first screen: choosing, starting, and what is done to the files of profiles."""

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.preflight import Preflight
from loadbench.errors import RefusedError
from loadbench.ui.preview.screen import PreviewScreen
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.menu import Menu
from loadbench.workspace import Workspace
from tests.support.ui_harness import (
    NARROW,
    Stage,
    drive,
    held,
    lines_until,
    press,
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
def orders(monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """What was to be started; nothing is."""
    given: list[RunRequest] = []

    def refuse(order: RunRequest) -> Path:
        given.append(order)
        raise RefusedError("the local stack is in use by the run demo/1")

    monkeypatch.setattr("loadbench.ui.preview.screen.preview", lambda _: PREVIEW)
    monkeypatch.setattr("loadbench.ui.preview.screen.start_runner", refuse)
    return given


def chosen(pilot: "Pilot[Any]") -> str | None:
    screen = pilot.app.screen
    assert isinstance(screen, ProfilesScreen)
    return screen.selected.name if screen.selected else None


def offered(pilot: "Pilot[Any]") -> dict[str, str]:
    """The keys that the footer shows, with what they are said to do."""
    bindings = pilot.app.screen.active_bindings.values()
    return {it.binding.key: it.binding.description for it in bindings if it.binding.show}


# Choosing


def test_arrows_and_vim_keys_move_the_cursor(stage: Stage) -> None:
    for name in ("a", "b", "c"):
        stage.save_profile(name)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        seen = []
        for key in ("down", "j", "up", "k", "G", "g", "end", "home"):
            await press(pilot, key)
            seen.append(chosen(pilot))
        assert seen == ["b", "c", "b", "a", "c", "a", "c", "a"]

    drive(stage.app(), script)


def test_a_filter_is_typed_and_the_arrows_choose_among_what_fits(stage: Stage) -> None:
    for name in ("batch_10", "with_cpu", "with_gpu"):
        stage.save_profile(name)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "slash", *"WITH", "down")
        assert chosen(pilot) == "with_gpu"
        await press(pilot, "enter")
        assert pilot.app.screen.focused is pilot.app.screen.query_one(Menu)
        assert "2 of 3" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert "batch_10" in screen_text(pilot.app)
        assert chosen(pilot) == "with_gpu"

    drive(stage.app(), script)


def test_letters_of_a_filter_are_no_commands(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "slash", *"dqe?")
        assert pilot.app.screen.query_one(Input).value == "dqe?"
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(), script)


def test_a_click_chooses_and_a_double_click_shows_the_preview(
    stage: Stage, orders: list[RunRequest]
) -> None:
    stage.save_profile("a")
    stage.save_profile("b")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.click(Menu, offset=(6, 3))
        await settled(pilot)
        assert chosen(pilot) == "b"
        await pilot.click(Menu, offset=(6, 3), times=2)
        await settled(pilot)
        assert isinstance(pilot.app.screen, PreviewScreen)

    drive(stage.app(), script)


def test_only_what_can_be_done_is_offered(stage: Stage) -> None:
    stage.save_profile("broken", "models: [1]\n")
    stage.save_profile("demo")
    stage.save_profile("never")
    live = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert set(offered(pilot)) >= {"e"}
        assert not set(offered(pilot)) & {"enter", "a", "r", "o"}
        await press(pilot, "j")
        assert {"enter", "a"} <= set(offered(pilot))
        assert not set(offered(pilot)) & {"r", "o"}
        await press(pilot, "j")
        assert "enter" in offered(pilot)
        assert not set(offered(pilot)) & {"a", "r", "o"}

    with held(live):
        drive(stage.app(), script)


def test_an_interrupted_run_is_gone_on_with(stage: Stage, orders: list[RunRequest]) -> None:
    stage.save_profile("demo")
    folder = stage.add_run("interrupted")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "r")
        assert "3 of its 4 cells are left" in screen_text(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: orders)
        assert orders[0].resume == str(folder)
        assert not orders[0].retry_failed

    drive(stage.app(), script)


def test_failed_cells_of_a_run_that_is_done_are_measured_again(
    stage: Stage, orders: list[RunRequest]
) -> None:
    stage.save_profile("demo")
    stage.add_run("containers")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "r")
        assert "3 of its 6 cells have failed; they are measured again" in screen_text(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: orders)
        assert orders[0].retry_failed

    drive(stage.app(), script)


def test_a_live_run_is_attached_to(stage: Stage) -> None:
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


def test_new_profiles_and_runs_appear_by_themselves(stage: Stage) -> None:
    stage.save_profile("a")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        stage.save_profile("b")
        stage.add_run("interrupted", profile="b")
        await until(pilot, lambda: "! interrupted" in screen_text(pilot.app), "the new run")
        assert chosen(pilot) == "a"

    drive(stage.app(), script)


# Starting


def test_a_refusal_at_the_start_is_told_where_it_was_started(
    stage: Stage, orders: list[RunRequest]
) -> None:
    file = stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: "in use by the run demo/1" in screen_text(pilot.app))
        assert "nothing was started" in screen_text(pilot.app)
        assert "enter" not in offered(pilot)
        await press(pilot, "enter", "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(), script)
    assert [order.profile_file for order in orders] == [str(file)]


def test_a_run_that_was_started_is_shown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.save_profile("demo")
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    monkeypatch.setattr("loadbench.ui.preview.screen.preview", lambda _: PREVIEW)
    monkeypatch.setattr("loadbench.ui.preview.screen.start_runner", lambda _: folder)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert "live" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(), script)


def test_a_preview_that_is_left_starts_nothing(stage: Stage, orders: list[RunRequest]) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(), script)
    assert orders == []


def test_the_preview_itself_asks_the_runner_s_program(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        # The workspace of this test has no locustfile.
        await until(pilot, lambda: "load.locustfile: " in screen_text(pilot.app))
        assert "nothing was started" in screen_text(pilot.app)

    drive(stage.app(), script)


# Files


def test_a_copy_needs_a_name_of_its_own(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.save_profile("demo")
    monkeypatch.setenv("EDITOR", "true")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "c")
        field = pilot.app.screen.query_one(Input)
        for name, mistake in (("demo", "there is a profile demo already"), ("a/b", "without /")):
            field.value = name
            await press(pilot, "enter")
            assert mistake in screen_text(pilot.app)
        field.value = "mine"
        await press(pilot, "enter")
        await until(pilot, lambda: chosen(pilot) == "mine")

    drive(stage.app(), script)
    copy = stage.root / "profiles" / "mine.yaml"
    assert copy.read_text() == (stage.root / "profiles" / "demo.yaml").read_text()


@pytest.mark.parametrize(("key", "deleted"), [("y", True), ("enter", False), ("escape", False)])
def test_a_profile_is_deleted_only_when_that_is_confirmed(
    stage: Stage, key: str, deleted: bool
) -> None:
    file = stage.save_profile("demo")
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "d")
        assert "What its 1 run measured stays" in screen_text(pilot.app)
        await press(pilot, key)

    drive(stage.app(), script)
    assert file.exists() is not deleted
    assert (folder / "journal.jsonl").exists()


@pytest.mark.parametrize("key", ["e", "c", "d"])
def test_the_bundled_profiles_are_read_only(stage: Stage, key: str) -> None:
    file = stage.save_profile("demo")
    app = stage.app(workspace=Workspace(stage.root, stage.root / "reports", bundled=True))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, key)
        assert isinstance(pilot.app.screen, ProfilesScreen)
        await until(pilot, lambda: "came with the" in screen_text(pilot.app))

    drive(app, script)
    assert file.exists()


def test_it_is_usable_at_80_by_24(stage: Stage) -> None:
    for number in range(20):
        stage.save_profile(f"profile_{number:02}")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "G")
        assert "profile_19" in screen_text(pilot.app)
        await press(pilot, "g")
        assert "▌profile_00" in screen_text(pilot.app)

    drive(stage.app(), script, size=NARROW)


def test_enter_pressed_again_and_again_starts_one_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.save_profile("demo")
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    started, go_on = [], threading.Event()

    def start(order: RunRequest) -> Path:
        started.append(order)
        go_on.wait(20)
        return folder

    monkeypatch.setattr("loadbench.ui.preview.screen.preview", lambda _: PREVIEW)
    monkeypatch.setattr("loadbench.ui.preview.screen.start_runner", start)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.press("enter", "enter", "enter", "enter")
        # A terminal that is too small meanwhile must not be in the way of what comes then.
        await pilot.resize_terminal(50, 10)
        go_on.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        await pilot.resize_terminal(120, 40)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    with held(folder):
        drive(stage.app(), script)
    assert len(started) == 1


def test_a_copy_overwrites_nothing_that_came_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.save_profile("demo")
    monkeypatch.setenv("EDITOR", "true")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "c")
        (stage.root / "profiles" / "demo_2.yaml").write_text("mine")
        await press(pilot, "enter")
        await until(pilot, lambda: "File exists" in screen_text(pilot.app))

    drive(stage.app(), script)
    assert (stage.root / "profiles" / "demo_2.yaml").read_text() == "mine"


def test_names_that_look_like_markup_are_names(stage: Stage) -> None:
    stage.save_profile("gpu[a100]")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "d")
        assert "delete gpu[a100]" in screen_text(pilot.app)
        await press(pilot, "y")
        await until(pilot, lambda: "gpu[a100] is deleted" in screen_text(pilot.app))

    drive(stage.app(), script)


def test_two_files_of_one_name_can_both_be_chosen(stage: Stage) -> None:
    first = stage.save_profile("demo")
    first.with_suffix(".yml").write_text("models: [1]\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        files = []
        for key in ("g", "j"):
            await press(pilot, key)
            assert isinstance(pilot.app.screen, ProfilesScreen)
            files.append(pilot.app.screen.selected)
        assert [it.file.suffix for it in files if it] == [".yaml", ".yml"]

    drive(stage.app(), script)


def test_a_key_that_comes_with_the_first_screen_is_no_filter(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        assert not isinstance(pilot.app.focused, Input)
        await settled(pilot)

    drive(stage.app(), script)
