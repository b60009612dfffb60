"""Snapshots of the forms and of their dialogs. Each was reviewed when it was saved."""

import pytest

from loadbench.engine.requests.holder import Holder
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.errors import RefusedError
from loadbench.ui.terminal.capabilities import Terminal
from tests.screens.test_looks import FOUND, every_size, sizes, snapshot
from tests.support.harness import REPOSITORY
from tests.support.ui_harness import BROKEN, WIDE, Looks, Stage, replace_runner

CHANGES = ("enter", "right", "down", "1", "0", "down", "down", "5", "space", "2", "0")
"""Keys that change device, batch size and users."""


@pytest.fixture
def demo(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A workspace with the shipped profile `demo` and the files that it names."""
    stage.save_profile("demo", (REPOSITORY / "profiles" / "demo.yaml").read_text(encoding="utf-8"))
    (stage.root / "locustfile.py").write_text("from locust import HttpUser\n")
    (stage.root / "images").mkdir()
    replace_runner(monkeypatch, preview=lambda _: FOUND)
    return stage


@every_size
def test_new_run_with_changes(demo: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(demo, looks, "run-form", size, *CHANGES)


@sizes
def test_new_run_with_an_error(demo: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(demo, looks, "run-form-error", size, "enter", "down", "0", "down", "x")


@sizes
def test_new_run_while_another_one_uses_the_service(
    demo: Stage, looks: Looks, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = Holder(
        folder="/reports/with_cpu/20261122-111101",
        is_local=True,
        cells=6,
        ended=2,
        current="m1_u50_s10",
        remaining_s=1500,
    )
    plan = RunPlan(
        preflight=FOUND.preflight, needed_bytes=24_000_000, free_bytes=10**10, holder=holder
    )
    replace_runner(monkeypatch, preview=lambda _: plan)
    monkeypatch.setattr("loadbench.ui.preview.starter.find_holder", lambda *_: holder)
    snapshot(demo, looks, "run-form-in-use", size, "enter")
    snapshot(demo, looks, "run-form-question", size, "enter", "enter")


@sizes
def test_new_run_that_is_refused(
    demo: Stage, looks: Looks, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: RunRequest) -> RunPlan:
        raise RefusedError("device: gpu requires ONNX Runtime with CUDA, which is not installed")

    replace_runner(monkeypatch, preview=refuse)
    snapshot(demo, looks, "run-form-refused", size, "enter", "right")


def test_new_run_in_ascii(demo: Stage, looks: Looks) -> None:
    snapshot(demo, looks, "run-form-ascii", WIDE, *CHANGES, terminal=Terminal(ascii=True))


@every_size
def test_editor_with_a_change(demo: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(demo, looks, "editor", size, "e", "down", "4", "down", "down")


@sizes
def test_editor_with_an_open_group(demo: Stage, looks: Looks, size: tuple[int, int]) -> None:
    keys = ("e", "pagedown", "pagedown", "enter", "down", "down")
    snapshot(demo, looks, "editor-group", size, *keys)


@sizes
def test_editor_with_goals_by_name(demo: Stage, looks: Looks, size: tuple[int, int]) -> None:
    text = (REPOSITORY / "profiles" / "demo.yaml").read_text(encoding="utf-8")
    goals = "{POST /predict: {p95: 400, failure_ratio: 0.01}, GET /: {p95: 20}}"
    demo.save_profile("demo", text.replace("  requests: {}", f"  requests: {goals}"))
    fields = ("e", "pagedown", *4 * ("down",))
    snapshot(demo, looks, "editor-goals", size, *fields)
    snapshot(demo, looks, "editor-goals-error", size, *fields, "down", *"{p95: 2}")


@sizes
def test_editor_of_an_invalid_profile(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    stage.save_profile("broken", BROKEN)
    snapshot(stage, looks, "editor-invalid", size, "enter")


@sizes
def test_templates_of_a_new_profile(demo: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(demo, looks, "templates", size, "n", "down")


@sizes
def test_new_profile_of_a_compose_project(demo: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = demo.root / "shop"
    folder.mkdir()
    (folder / "compose.yaml").write_text("services: {web: {build: ., ports: ['8080:80']}}\n")
    keys = ("n", "down", "enter", *"shop", "enter", "down", "down")
    snapshot(demo, looks, "editor-new", size, *keys)


@sizes
def test_question_about_changes_that_are_not_saved(
    demo: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    snapshot(demo, looks, "editor-leave", size, "e", "down", "4", "escape")
