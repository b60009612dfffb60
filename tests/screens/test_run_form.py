"""The preview of a new run, whose settings can be changed for this run alone."""

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from textual.pilot import Pilot

from loadbench.engine.journal.commands import CommandReader
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.requests.holder import Holder
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.preflight import Preflight
from loadbench.errors import RefusedError
from loadbench.ui.editor.screen import EditorScreen
from loadbench.ui.form.editors import TextEditor
from loadbench.ui.preview.run_form import RunForm
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.run.screen import RunScreen
from tests.support.ui_harness import (
    BROKEN,
    NARROW,
    WIDE,
    Stage,
    drive,
    held,
    lines_until,
    offered,
    press,
    replace_runner,
    screen_text,
    settled,
    until,
)

PLAN = RunPlan(
    preflight=Preflight(driver="local", reason="asked for", lock="local", warnings=("2 is a lot",)),
    needed_bytes=1,
    free_bytes=10**9,
)


@pytest.fixture
def previewed(monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """The requests for a preview, all of which are answered with the same plan."""
    received: list[RunRequest] = []

    def answer(request: RunRequest) -> RunPlan:
        received.append(request)
        return PLAN

    replace_runner(monkeypatch, preview=answer)
    return received


@pytest.fixture
def started(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """The requests to start a run, all of which are refused."""
    received: list[RunRequest] = []

    def refuse(request: RunRequest) -> Path:
        received.append(request)
        raise RefusedError("refused by the test")

    replace_runner(monkeypatch, start=refuse)
    return received


def focused(pilot: "Pilot[Any]") -> str:
    screen = pilot.app.screen
    assert isinstance(screen, RunForm | EditorScreen)
    return screen.form.key.name if screen.form.key else ""


async def open_form(pilot: "Pilot[Any]") -> None:
    await settled(pilot)
    await press(pilot, "enter")
    assert isinstance(pilot.app.screen, RunForm)


def test_changed_settings_are_the_overrides_of_the_run(
    stage: Stage, previewed: list[RunRequest], started: list[RunRequest]
) -> None:
    file = stage.save_profile("demo")
    before = file.read_bytes()

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await pilot.press("right", "down", "4", "down", "down", *"3", "space", *"9")
        await settled(pilot)
        assert "new run with 3 changes" in screen_text(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: "refused by the test" in screen_text(pilot.app))

    drive(stage.app(), script)
    (request,) = started
    assert request.overrides == ("device=gpu", "batch_size=4", "users=3,9")
    assert request.profile == load_profile(file, request.overrides).resolved()
    assert file.read_bytes() == before


def test_cells_duration_driver_and_warnings_follow_the_settings(
    stage: Stage, previewed: list[RunRequest]
) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await until(pilot, lambda: "local: asked for" in screen_text(pilot.app))
        assert "2 is a lot" in screen_text(pilot.app)
        assert "Cells       4" in screen_text(pilot.app)
        await press(pilot, "down", "down", *"1 2 3".replace(" ", "")[:1])
        assert "Cells       2" in screen_text(pilot.app)
        await until(pilot, lambda: len(previewed) == 2, "the preview of the changed run")
        await until(pilot, lambda: "local: asked for" in screen_text(pilot.app))

    drive(stage.app(), script)
    assert [request.overrides for request in previewed] == [(), ("models=1",)]


def test_a_range_is_expanded_when_the_field_is_left(
    stage: Stage, previewed: list[RunRequest]
) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "down", "down", "down", *"1", "full_stop", "full_stop", *"8", "space")
        await press(pilot, *"x2")
        assert "= 1 2 4 8" in screen_text(pilot.app)
        await press(pilot, "down")
        assert pilot.app.screen.query_one("#users", TextEditor).value == "1 2 4 8"
        assert "Cells       8" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_an_error_is_shown_at_its_field_and_prevents_the_start(
    stage: Stage, previewed: list[RunRequest], started: list[RunRequest]
) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "down", "0", "up")
        lines = screen_text(pilot.app).splitlines()
        row = next(number for number, text in enumerate(lines) if "Batch size" in text)
        assert "expected a value ≥ 1, got '0'" in lines[row + 1]
        assert "1 setting with an error: batch_size" in screen_text(pilot.app)
        await press(pilot, "enter")
        assert focused(pilot) == "batch_size"
        await press(pilot, "ctrl+r")
        assert "expected a value" not in screen_text(pilot.app)

    drive(stage.app(), script)
    assert started == []


def test_an_error_in_a_closed_group_is_counted_and_found_by_enter(
    stage: Stage, previewed: list[RunRequest]
) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, *["pagedown"] * 3)
        await press(pilot, "space", "pagedown", "pagedown", *"0s")
        assert focused(pilot) == "search.budget"
        await press(pilot, "pageup", "pageup", "pageup", "pageup")
        await press(pilot, "enter")
        assert focused(pilot) == "search.budget"

    drive(stage.app(), script)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
def test_every_field_can_be_reached_with_the_arrow_keys(
    stage: Stage, previewed: list[RunRequest], size: tuple[int, int]
) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        labels = []
        for _ in range(13):
            labels.append(focused(pilot))
            widget = pilot.app.focused
            assert widget is not None
            assert pilot.app.screen.find_widget(widget).visible_region.height == 1
            await press(pilot, "down")
        assert labels[:6] == ["device", "batch_size", "models", "users", "spawn_rates", "run_time"]
        assert labels[6:12] == [
            *("goals.p50_ms", "goals.p90_ms", "goals.p95_ms", "goals.p99_ms"),
            *("goals.failure_ratio", "goals.min_rps"),
        ]

    drive(stage.app(), script, size=size)


def test_settings_are_saved_as_a_new_profile_without_losing_comments(
    stage: Stage, previewed: list[RunRequest]
) -> None:
    text = "# mine\n#   loadbench-tui run demo\nmodels: [1]  # few\nusers: [2]\nspawn_rates: [8]\n"
    file = stage.save_profile("demo", text)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "down", "down", "down", *"5", "ctrl+s")
        await press(pilot, *"more", "enter")
        await until(pilot, lambda: " more ▸ new run" in screen_text(pilot.app), "the new profile")
        assert "with" not in screen_text(pilot.app).splitlines()[0]
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)
        assert "more" in screen_text(pilot.app)

    drive(stage.app(), script)
    assert file.read_text() == text
    saved = (stage.root / "profiles" / "more.yaml").read_text()
    assert saved == text.replace("run demo", "run more").replace("users: [2]", "users: [5]")


def test_a_file_that_changes_meanwhile_gets_the_entered_changes(
    stage: Stage, previewed: list[RunRequest]
) -> None:
    file = stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "down", "4")
        file.write_text(file.read_text().replace("[1, 2]", "[3]"))
        await until(pilot, lambda: "The profile has changed on disk" in screen_text(pilot.app))
        assert "new run with 1 change" in screen_text(pilot.app)
        assert "Cells       2" in screen_text(pilot.app)
        await until(pilot, lambda: previewed[-1].profile["models"] == [3])

    drive(stage.app(), script)
    assert previewed[-1].overrides == ("batch_size=4",)


def test_enter_on_an_invalid_profile_opens_its_editor_at_the_error(stage: Stage) -> None:
    stage.save_profile("broken", BROKEN)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, EditorScreen)
        assert focused(pilot) == "users"
        assert "expected a whole number, got 'ten'" in screen_text(pilot.app)
        assert "bach_size: unknown key" in screen_text(pilot.app)

    drive(stage.app(), script)


# Another run uses the service


@pytest.fixture
def busy(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a live run that uses the service."""
    folder = stage.add_run("demo", profile="other", lines=lines_until("demo", '"second":11,'))
    holder = Holder(
        folder=str(folder), is_local=True, cells=4, ended=1, current="m1_u8_s8", remaining_s=60
    )
    plan = RunPlan(preflight=PLAN.preflight, needed_bytes=1, free_bytes=10**9, holder=holder)
    replace_runner(monkeypatch, preview=lambda _: plan)
    monkeypatch.setattr("loadbench.ui.preview.starter.find_holder", lambda *_: holder)
    return folder


def test_the_run_that_uses_the_service_is_shown_before_enter(stage: Stage, busy: Path) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "g")
        await open_form(pilot)
        await until(pilot, lambda: "In use" in screen_text(pilot.app))
        for part in ("other/20261122-111101", "1 of 4 cells done", "m1_u8_s8", "about 1 min left"):
            assert part in screen_text(pilot.app)

    with held(busy):
        drive(stage.app(), script, size=(220, 40))


def test_attach_opens_the_run_that_uses_the_service(stage: Stage, busy: Path) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await until(pilot, lambda: "In use" in screen_text(pilot.app))
        await press(pilot, "enter", "a")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        assert screen.folder == busy

    with held(busy):
        drive(stage.app(), script)


@pytest.mark.parametrize(("key", "stops"), [("w", False), ("x", True)])
def test_a_run_can_start_after_the_one_that_uses_the_service(
    stage: Stage, busy: Path, started: list[RunRequest], key: str, stops: bool
) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await until(pilot, lambda: "In use" in screen_text(pilot.app))
        await press(pilot, "enter", "escape")
        assert started == []
        await press(pilot, "enter", key)
        await until(pilot, lambda: bool(started))
        await until(pilot, lambda: "refused by the test" in screen_text(pilot.app))

    with held(busy):
        drive(stage.app(), script)
    assert [request.wait for request in started] == [True]
    sent = [command.command for command in CommandReader(busy).poll()]
    assert sent == (["stop"] if stops else [])


def test_enter_before_the_preview_asks_about_the_run_that_uses_the_service(
    stage: Stage, busy: Path, started: list[RunRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.save_profile("demo")
    answer, may_answer = threading.Event(), threading.Event()
    plans = iter([None])
    holder = Holder(folder=str(busy), is_local=True)
    plan = RunPlan(preflight=PLAN.preflight, needed_bytes=1, free_bytes=1, holder=holder)

    def late(_: RunRequest) -> RunPlan:
        if next(plans, answer) is None:
            assert may_answer.wait(20)
        return plan

    replace_runner(monkeypatch, preview=late)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: "Another run uses the service" in screen_text(pilot.app))
        await press(pilot, "a")
        assert isinstance(pilot.app.screen, RunScreen)
        may_answer.set()

    with held(busy):
        drive(stage.app(), script)
    assert [request.wait for request in started] == [False]


def test_a_run_that_starts_behind_a_dialog_is_opened_after_it(
    stage: Stage, previewed: list[RunRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.save_profile("demo")
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    may_start = threading.Event()

    def start(_: RunRequest) -> Path:
        assert may_start.wait(20)
        return folder

    replace_runner(monkeypatch, start=start)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "enter", "ctrl+s")
        may_start.set()
        await until(pilot, lambda: "Started demo/" in screen_text(pilot.app), "the start")
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")

    with held(folder):
        drive(stage.app(), script)


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
def test_leaving_with_changes_asks_first(
    stage: Stage, previewed: list[RunRequest], key: str
) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "down", "4", key)
        assert "Discard 1 change?" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunForm)
        await press(pilot, key, "d")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(), script)


def test_a_live_run_of_another_service_is_a_warning(
    stage: Stage, previewed: list[RunRequest]
) -> None:
    stage.save_profile("demo")
    live = stage.add_run("demo", profile="other", lines=lines_until("demo", '"second":11,'))

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await until(pilot, lambda: "is live too" in screen_text(pilot.app), "the warning")

    with held(live):
        drive(stage.app(), script)


def test_help_is_available_while_typing(stage: Stage, previewed: list[RunRequest]) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "down", "f1")
        assert "Save as a new profile" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_the_driver_fits_or_is_shown_alone(stage: Stage, previewed: list[RunRequest]) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "pagedown", "pagedown", "enter", "down", "right")
        assert "○ compose  ○ local  ● external" in screen_text(pilot.app)
        await pilot.resize_terminal(60, 20)
        await settled(pilot)
        assert "← external →" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_the_form_shows_a_run_that_starts_meanwhile(
    stage: Stage, previewed: list[RunRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.save_profile("demo")
    holders: list[Holder] = []
    monkeypatch.setattr("loadbench.ui.preview.run_form.HOLDER_S", 0.05)
    monkeypatch.setattr(
        "loadbench.ui.preview.starter.find_holder", lambda *_: holders[0] if holders else None
    )

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await until(pilot, lambda: "local: asked for" in screen_text(pilot.app))
        assert "In use" not in screen_text(pilot.app)
        holders.append(Holder())
        await until(pilot, lambda: "just starting" in screen_text(pilot.app))
        holders.clear()
        await until(pilot, lambda: "In use" not in screen_text(pilot.app))

    drive(stage.app(), script)


def test_the_saved_file_is_valid_yaml_with_the_entered_values(
    stage: Stage, previewed: list[RunRequest]
) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_form(pilot)
        await press(pilot, "right", "ctrl+s")
        await press(pilot, "enter")
        await until(pilot, lambda: " demo_2 ▸" in screen_text(pilot.app))
        assert "Ctrl+S" in screen_text(pilot.app)
        assert "ctrl+s" in offered(pilot)

    drive(stage.app(), script)
    saved = yaml.safe_load((stage.root / "profiles" / "demo_2.yaml").read_text())
    assert saved["device"] == "gpu"
