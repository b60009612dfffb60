"""Saved profiles, in the list and in detail."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.catalog import SavedProfile
from loadbench.engine.journal.events import Event, Result, RunFinished
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import ProfileError
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.lines.matrix import grid_of, plan_lines
from loadbench.ui.lines.run import run_line
from loadbench.ui.lines.text import Line, Tone, plain, width
from loadbench.ui.profiles.lines import (
    profile_detail,
    profile_entry,
)
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    state_after,
)
from tests.support.ui_harness import BROKEN

FIRST, SECOND = "m1_u2_s2", "m2_u2_s2"


PROFILE = make_profile(models=[1, 2], run_time="10s", settle={"max": "15s", "window": "5s"})


BEGUN = run_started(PROFILE)


SAVED = SavedProfile(file=Path("/nowhere/profiles/demo.yaml"), profile=PROFILE)


STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


DONE = RunFinished(result=Result.DONE, reason="every cell is over")


def texts(lines: Iterable[Line]) -> list[str]:
    """The text of the lines, without trailing spaces."""
    return [plain(line).rstrip() for line in lines]


def tone_of(lines: Iterable[Line], text: str) -> Tone:
    """The tone of the first piece that contains this text."""
    return next(piece.tone for line in lines for piece in line if text in piece.text)


def run(*events: Event, status: RunStatus = RunStatus.DONE, name: str = "20261122-072100") -> Run:
    """A run with two cells."""
    folder = Path("/nowhere/reports/demo") / name
    return Run(folder, state_after(BEGUN, *events), status)


def broken(folder: Path, text: str = BROKEN) -> SavedProfile:
    """An invalid profile."""
    file = folder / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as found:
        load_profile(file)
    return SavedProfile(file=file, error=str(found.value), source=text)


MEASURED = (cell_started(), cell_finished(), cell_started(SECOND), cell_finished(SECOND))


# A list entry


def test_an_entry_shows_the_size_of_the_profile() -> None:
    entry = profile_entry(SAVED, [], UNICODE, 60)

    assert entry.key == SAVED.file.name
    assert texts(entry.lines) == ["demo", "  cpu · batch 1 · 2 cells · about 1 min 4 s"]


def test_an_entry_shows_the_status_of_the_newest_run_and_its_answer() -> None:
    better = cell_finished(SECOND, completed=600)
    newest = run(*MEASURED[:3], better, DONE)
    older = run(STOPPED, status=RunStatus.STOPPED, name="20260101-000000")

    lines = profile_entry(SAVED, [newest, older], UNICODE, 70).lines

    assert texts(lines)[0] == "demo"
    assert texts(lines)[2] == "  done, 22 Nov 07:21 · 2 model processes reach 60.0 req/s"
    assert tone_of(lines, "done") is Tone.GOOD


@pytest.mark.parametrize(
    ("status", "mark", "tone"),
    [
        (RunStatus.LIVE, "▶ live", Tone.ACCENT),
        (RunStatus.INTERRUPTED, "! interrupted", Tone.WARN),
    ],
)
def test_a_live_or_interrupted_run_is_marked_beside_the_name(
    status: RunStatus, mark: str, tone: Tone
) -> None:
    lines = profile_entry(SAVED, [run(cell_started(), status=status)], UNICODE, 40).lines

    assert plain(lines[0]) == "demo" + mark.rjust(36)
    assert tone_of(lines, mark) is tone
    assert texts(lines)[2] == f"  {status.value}, 22 Nov 07:21"


def test_an_older_live_run_is_not_marked() -> None:
    runs = [run(*MEASURED, DONE), run(status=RunStatus.LIVE, name="20260101-000000")]

    assert texts(profile_entry(SAVED, runs, UNICODE, 40).lines)[0] == "demo"


def test_an_entry_of_an_invalid_profile_shows_the_first_error(tmp_path: Path) -> None:
    saved = broken(tmp_path, "models: [1]\nusers: [ten]\nspawn_rates: [5]\n")

    lines = profile_entry(saved, [], UNICODE, 60).lines

    assert plain(lines[0]) == "broken" + "✖ invalid".rjust(54)
    assert texts(lines)[1] == "  2: users[0]: expected a whole number, got 'ten'. Example:…"
    assert tone_of(lines, "invalid") is Tone.BAD


def test_an_entry_of_an_invalid_profile_shows_the_number_of_errors(tmp_path: Path) -> None:
    assert texts(profile_entry(broken(tmp_path), [], UNICODE, 60).lines)[1] == "  2 errors"


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_an_entry_is_never_wider_than_the_list(tmp_path: Path, glyphs: Any) -> None:
    long = replace(SAVED, profile=make_profile(models=list(range(1, 60)), users=[1000, 20000]))
    interrupted = run(*MEASURED, status=RunStatus.INTERRUPTED)
    invalid = broken(tmp_path, "models: [1]\nusers: [ten]\nspawn_rates: [5]\n")

    for columns in range(20, 80):
        for saved, runs in ((SAVED, [interrupted]), (long, [interrupted]), (invalid, [])):
            lines = profile_entry(saved, runs, glyphs, columns).lines
            assert all(width(line) <= columns for line in lines)


def test_an_ascii_entry_is_ascii(tmp_path: Path) -> None:
    for saved in (SAVED, broken(tmp_path)):
        lines = profile_entry(saved, [run(*MEASURED)], ASCII, 80).lines
        assert all(plain(line).isascii() for line in lines)


# The detail of a profile


def test_the_detail_of_a_profile_that_has_never_run() -> None:
    lines = texts(profile_detail(SAVED, [], UNICODE, 60))

    assert lines == [
        "demo",
        "",
        "No runs yet.",
        "Press Enter to set up a run, and again to start it.",
        "",
        "Device      cpu, batch size 1",
        "Driver      auto",
        "Run time    10 s per cell",
        "Settle      up to 15 s",
        "Spawn rate  2 users/s",
        "",
        "2 cells, about 1 min 4 s",
        *(plain(line).rstrip() for line in plan_lines(grid_of(plan_cells(PROFILE)), UNICODE)),
        "",
        "/nowhere/profiles/demo.yaml",
    ]


@pytest.mark.parametrize("runs", [None, [run(*MEASURED, DONE)]], ids=["not read", "one run"])
def test_the_first_step_is_shown_only_for_a_profile_without_runs(runs: list[Run] | None) -> None:
    lines = texts(profile_detail(SAVED, runs, UNICODE, 60))

    assert not any(text.startswith(("No runs", "Press Enter")) for text in lines)
    assert ("Loading runs…" in lines) is (runs is None)


def test_the_detail_starts_with_the_description() -> None:
    described = replace(SAVED, profile=make_profile(description="a first look at one model"))

    assert texts(profile_detail(described, [], UNICODE, 20))[:2] == ["a first look at one", "model"]


@pytest.mark.parametrize(
    ("keys", "fact"),
    [
        ({"repeats": 3}, "Repeats     3 per cell"),
        ({"settle": {"max": "0s"}}, "Settle      off"),
        ({"goals": {"p95_ms": 100}}, "Goals       p95 ≤ 100 ms"),
        ({"goals": {"failure_ratio": 0.01}}, "Goals       failures ≤ 1 %"),
        ({"goals": {"failure_ratio": 0}}, "Goals       failures ≤ 0 %"),
        (
            {"goals": {"p95_ms": 99.5, "failure_ratio": 0.005}},
            "Goals       p95 ≤ 99.5 ms, failures ≤ 0.5 %",
        ),
        ({"device": "gpu", "batch_size": 8}, "Device      gpu, batch size 8"),
        ({"stack": {"driver": "local"}}, "Driver      local"),
    ],
)
def test_the_settings_of_a_profile_are_labelled(keys: dict[str, Any], fact: str) -> None:
    saved = replace(SAVED, profile=make_profile(**keys))

    assert fact in texts(profile_detail(saved, [], UNICODE, 80))


def test_several_spawn_rates_are_shown_in_the_grid() -> None:
    saved = replace(SAVED, profile=make_profile(spawn_rates=[1, 2]))

    lines = texts(profile_detail(saved, [], UNICODE, 80))

    assert "Spawn rate  1, 2 users/s" in lines
    assert any(text.split() == ["2", "@1/s", "·"] for text in lines)


def test_the_recheck_is_shown_in_the_settings_and_in_the_grid() -> None:
    saved = replace(SAVED, profile=make_profile(users=[2, 4], recheck_first=True))

    lines = texts(profile_detail(saved, [], UNICODE, 80))

    assert "Recheck     first cell, again at the end" in lines
    assert any(text.startswith("3 cells") for text in lines)
    assert any(text.split() == ["2", "recheck", "·"] for text in lines)


def test_the_newest_runs_are_listed_and_the_older_ones_counted() -> None:
    runs = [run(*MEASURED, DONE, name=f"2026112{day}-072100") for day in range(6, 0, -1)]

    lines = texts(profile_detail(SAVED, runs, UNICODE, 80))

    at = lines.index("Runs")
    assert lines[at + 1 : at + 6] == [
        "● 26 Nov 07:21 done        2/2  cpu · batch 1 · local",
        "● 25 Nov 07:21 done        2/2  cpu · batch 1 · local",
        "● 24 Nov 07:21 done        2/2  cpu · batch 1 · local",
        "● 23 Nov 07:21 done        2/2  cpu · batch 1 · local",
        "and 2 more",
    ]


def test_a_run_line_shows_the_number_of_failed_cells() -> None:
    one = run_line(run(cell_started(), cell_failed(), *MEASURED[2:], DONE), UNICODE)

    assert plain(one) == "● 22 Nov 07:21 done        1/2 1✖"
    assert tone_of([one], "1✖") is Tone.BAD
