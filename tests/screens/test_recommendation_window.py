"""The recommendation: in one line on every screen, and in full in its window."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.ui.dialogs.recommendation import RecommendationWindow
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from tests.support.golden import JOURNALS
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

ANSWER = "2 CPU containers at batch 1 carry 32 users: p95 530 ms"
RUN = "20261130-120000"


def planted(stage: Stage, name: str = "saturating") -> Path:
    """Add a profile, and a planted run whose recommendation is known."""
    stage.save_profile("demo")
    return stage.add_run(f"decisions/{name}", run=RUN)


def is_open(pilot: "Pilot[Any]") -> bool:
    """Whether the window is open."""
    return isinstance(pilot.app.screen, RecommendationWindow)


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize(
    ("keys", "screen"),
    [((), ProfilesScreen), (("o",), RunScreen), (("v", "2"), ReportsScreen)],
    ids=["profiles", "run", "reports"],
)
def test_every_screen_shows_the_answer_and_opens_the_window(
    stage: Stage, size: tuple[int, int], keys: tuple[str, ...], screen: type
) -> None:
    planted(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, *keys)
        assert isinstance(pilot.app.screen, screen)
        assert ANSWER in " ".join(screen_text(pilot.app).split())

        await press(pilot, "i")
        assert is_open(pilot)
        shown = " ".join(screen_text(pilot.app).split())
        assert f"Recommendation · demo/{RUN}" in shown
        assert "first load that fails" in shown
        await press(pilot, "end")
        shown = " ".join(screen_text(pilot.app).split())
        assert "Next: use more cores" in shown

        await press(pilot, "i")
        assert isinstance(pilot.app.screen, screen)

    drive(stage.app(), script, size=size)


def test_a_profile_without_results_has_no_recommendation(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "i")
        assert isinstance(pilot.app.screen, ProfilesScreen)
        assert "Recommendation" not in screen_text(pilot.app)

    drive(stage.app(), script)


def test_the_window_grows_while_the_run_is_live(stage: Stage) -> None:
    journal = "decisions/saturating"
    seen = lines_until(journal, '"cell":"m1_u32_s50"')
    stage.save_profile("demo")
    folder = stage.add_run(journal, run=RUN, lines=seen)
    rest = (JOURNALS / f"{journal}.jsonl").read_bytes().splitlines(keepends=True)[seen:]

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "i")
        assert "So far: 1 CPU container at batch 1 carries at least 16" in screen_text(pilot.app)
        with (folder / FILE_NAME).open("ab") as file:
            file.writelines(rest)
        await until(pilot, lambda: "2 CPU containers at batch 1 carry" in screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
@pytest.mark.parametrize("name", ["saturating", "undecided-edge", "never-met"])
def test_look_of_the_window(stage: Stage, looks: Looks, name: str, size: tuple[int, int]) -> None:
    folder = planted(stage, name)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "i")
        looks(f"recommendation-{name}-{size[0]}x{size[1]}", screen_text(pilot.app))

    drive(stage.app(folder=folder), script, size=size)
