"""Saved profiles, in the list and in full."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.catalog import SavedProfile
from loadbench.engine.journal.events import Event, Result, RunFinished, Verdict
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import ProfileError
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.lines.run import run_line, when
from loadbench.ui.lines.text import Line, Tone, plain, width
from loadbench.ui.profiles.lines import (
    best_of,
    broken_detail,
    mistaken_line,
    no_profiles,
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
    """What stands on the lines."""
    return [plain(one).rstrip() for one in lines]


def tone_of(lines: Iterable[Line], text: str) -> Tone:
    """The tone of the first piece with this text in it."""
    return next(piece.tone for one in lines for piece in one if text in piece.text)


def run(*events: Event, status: RunStatus = RunStatus.DONE, name: str = "20261122-072100") -> Run:
    """A run of two cells."""
    folder = Path("/nowhere/reports/demo") / name
    return Run(folder, state_after(BEGUN, *events), status)


def broken(folder: Path, text: str = BROKEN) -> SavedProfile:
    """A saved profile with mistakes."""
    file = folder / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as found:
        load_profile(file)
    return SavedProfile(file=file, error=str(found.value), source=text)


MEASURED = (cell_started(), cell_finished(), cell_started(SECOND), cell_finished(SECOND))


# An entry of the list


def test_a_profile_says_how_large_it_is() -> None:
    entry = profile_entry(SAVED, [], UNICODE, 60)

    assert entry.key == SAVED.file.name
    assert texts(entry.lines) == ["demo", "  cpu · batch 1 · 2 cells · about 1 min 4 s"]


def test_a_profile_says_how_its_newest_run_ended_and_its_best_cell() -> None:
    better = cell_finished(SECOND, completed=600)
    newest = run(*MEASURED[:3], better, DONE)
    older = run(STOPPED, status=RunStatus.STOPPED, name="20260101-000000")

    lines = texts(profile_entry(SAVED, [newest, older], UNICODE, 60).lines)

    assert lines[0] == "demo"
    assert lines[2] == "  done, 22 Nov 07:21 · best m2_u2_s2 60.0 req/s"


@pytest.mark.parametrize(
    ("status", "mark", "tone"),
    [
        (RunStatus.LIVE, "▶ live", Tone.ACCENT),
        (RunStatus.INTERRUPTED, "! interrupted", Tone.WARN),
    ],
)
def test_a_run_that_is_not_over_stands_beside_the_name(
    status: RunStatus, mark: str, tone: Tone
) -> None:
    lines = profile_entry(SAVED, [run(cell_started(), status=status)], UNICODE, 40).lines

    assert plain(lines[0]) == "demo" + mark.rjust(36)
    assert tone_of(lines, mark) is tone
    assert texts(lines)[2] == f"  {status.value}, 22 Nov 07:21"


def test_an_older_live_run_is_no_mark() -> None:
    runs = [run(*MEASURED, DONE), run(status=RunStatus.LIVE, name="20260101-000000")]

    assert texts(profile_entry(SAVED, runs, UNICODE, 40).lines)[0] == "demo"


def test_a_broken_profile_says_its_first_mistake(tmp_path: Path) -> None:
    saved = broken(tmp_path, "models: [1]\nusers: [ten]\nspawn_rates: [5]\n")

    lines = profile_entry(saved, [], UNICODE, 60).lines

    assert plain(lines[0]) == "broken" + "✖ not valid".rjust(54)
    assert texts(lines)[1] == "  2: users[0]: 'ten': a whole number is needed"
    assert tone_of(lines, "not valid") is Tone.BAD


def test_a_profile_with_several_mistakes_says_how_many(tmp_path: Path) -> None:
    assert texts(profile_entry(broken(tmp_path), [], UNICODE, 60).lines)[1] == "  2 mistakes"


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_an_entry_is_never_wider_than_the_list(tmp_path: Path, glyphs: Any) -> None:
    long = replace(SAVED, profile=make_profile(models=list(range(1, 60)), users=[1000, 20000]))
    interrupted = run(*MEASURED, status=RunStatus.INTERRUPTED)
    mistaken = broken(tmp_path, "models: [1]\nusers: [ten]\nspawn_rates: [5]\n")

    for columns in range(20, 80):
        for saved, runs in ((SAVED, [interrupted]), (long, [interrupted]), (mistaken, [])):
            lines = profile_entry(saved, runs, glyphs, columns).lines
            assert all(width(one) <= columns for one in lines)


def test_an_entry_of_ascii_characters_has_no_others(tmp_path: Path) -> None:
    for saved in (SAVED, broken(tmp_path)):
        lines = profile_entry(saved, [run(*MEASURED)], ASCII, 80).lines
        assert all(plain(one).isascii() for one in lines)


# A profile in full


def test_a_profile_in_full_says_what_it_measures() -> None:
    lines = texts(profile_detail(SAVED, [], UNICODE, 60))

    assert lines == [
        "demo",
        "",
        "device      cpu, batch size 1",
        "driver      auto",
        "a cell      measured 10 s, steady after 15 s at the most",
        "spawn rate  2 users/s, in batches once a second",
        "",
        "2 cells, about 1 min 4 s   m: model containers",
        "users  1 model  2 models",
        "    2      ·         ·",
        "",
        "never run",
        "",
        "/nowhere/profiles/demo.yaml",
    ]


def test_a_profile_in_full_begins_with_its_description() -> None:
    described = replace(SAVED, profile=make_profile(description="a first look at one model"))

    assert texts(profile_detail(described, [], UNICODE, 20))[:2] == ["a first look at one", "model"]


@pytest.mark.parametrize(
    ("keys", "fact"),
    [
        ({"repeats": 3}, "repeats     3"),
        ({"settle": {"max": "0s"}}, "a cell      measured 30 s, not settled before"),
        ({"goals": {"p95_ms": 100}}, "goals       p95 ≤ 100 ms"),
        ({"goals": {"failure_ratio": 0.01}}, "goals       failures ≤ 1 %"),
        ({"goals": {"failure_ratio": 0}}, "goals       failures ≤ 0 %"),
        (
            {"goals": {"p95_ms": 99.5, "failure_ratio": 0.005}},
            "goals       p95 ≤ 99.5 ms, failures ≤ 0.5 %",
        ),
        ({"device": "gpu", "batch_size": 8}, "device      gpu, batch size 8"),
        ({"stack": {"driver": "local"}}, "driver      local"),
    ],
)
def test_what_a_profile_says_is_a_fact(keys: dict[str, Any], fact: str) -> None:
    saved = replace(SAVED, profile=make_profile(**keys))

    assert fact in texts(profile_detail(saved, [], UNICODE, 80))


def test_several_spawn_rates_stand_in_the_grid() -> None:
    saved = replace(SAVED, profile=make_profile(spawn_rates=[1, 2]))

    lines = texts(profile_detail(saved, [], UNICODE, 80))

    assert "spawn rate  1, 2 users/s, in batches once a second" in lines
    assert "2 @1/s      ·" in lines


def test_that_the_first_cell_is_measured_again_stands_in_the_facts_and_in_the_grid() -> None:
    saved = replace(SAVED, profile=make_profile(users=[2, 4], recheck_first=True))

    lines = texts(profile_detail(saved, [], UNICODE, 80))

    assert "recheck     the first cell once more at the end" in lines
    assert any(one.startswith("3 cells") for one in lines)
    assert "2 recheck      ·" in lines


def test_the_newest_runs_are_listed_and_the_others_counted() -> None:
    runs = [run(*MEASURED, DONE, name=f"2026112{day}-072100") for day in range(6, 0, -1)]

    lines = texts(profile_detail(SAVED, runs, UNICODE, 80))

    at = lines.index("runs")
    assert lines[at + 1 : at + 7] == [
        "● 26 Nov 07:21 done        2/2",
        "● 25 Nov 07:21 done        2/2",
        "● 24 Nov 07:21 done        2/2",
        "● 23 Nov 07:21 done        2/2",
        "and 2 more",
        "best cell m1_u2_s2: 40.0 req/s, p90 10.0 ms",
    ]


def test_a_run_with_failed_cells_counts_them() -> None:
    one = run_line(run(cell_started(), cell_failed(), *MEASURED[2:], DONE), UNICODE)

    assert plain(one) == "● 22 Nov 07:21 done        1/2 1✖"
    assert tone_of([one], "1✖") is Tone.BAD


# The best cell


def test_the_best_cell_reaches_the_goals_of_the_profile() -> None:
    strict = make_profile(models=[1, 2], goals={"p95_ms": 50})
    slow = replace(cell_finished(SECOND, completed=900), requests=MEASURED[1].requests)
    late = cell_finished(
        SECOND,
        completed=900,
        requests=(replace(slow.requests[0], successes=((80.0, 900),)),),
    )
    before = (run_started(strict), cell_started(), cell_finished(), cell_started(SECOND))

    fast = best_of(Run(Path("/r"), state_after(*before, slow), RunStatus.DONE))
    kept = best_of(Run(Path("/r"), state_after(*before, late), RunStatus.DONE))

    assert fast is not None
    assert kept is not None
    assert (fast.cell, kept.cell) == (SECOND, FIRST)


def test_a_run_without_a_valid_cell_has_no_best_one() -> None:
    suspect = cell_finished(verdict=Verdict.SUSPECT, reasons=("not settled",))

    assert best_of(run(cell_started(), suspect)) is None
    assert best_of(run()) is None


def test_a_run_that_nobody_has_read_has_no_best_cell() -> None:
    assert best_of(Run(Path("/r"), state_after(), RunStatus.INTERRUPTED)) is None


def test_a_run_whose_profile_this_version_cannot_read_has_no_best_cell() -> None:
    strange = replace(BEGUN, profile={**BEGUN.profile, "device": "abacus"})
    state = state_after(strange, *MEASURED)

    assert best_of(Run(Path("/r"), state, RunStatus.DONE)) is None


def test_keys_that_this_version_does_not_know_hide_no_best_cell() -> None:
    newer = replace(BEGUN, profile={**BEGUN.profile, "weather": "good"})
    state = state_after(newer, *MEASURED)

    assert best_of(Run(Path("/r"), state, RunStatus.DONE)) is not None


# A broken profile


def test_a_broken_profile_shows_its_mistakes_and_the_line_of_the_first(tmp_path: Path) -> None:
    saved = broken(tmp_path)

    lines = broken_detail(saved, 60)

    assert texts(lines) == [
        "This profile is not valid.",
        "",
        "broken.yaml: 2 mistakes",
        "  broken.yaml:2: users[1]: 'ten': a whole number is needed",
        "  broken.yaml:4: bach_size: unknown key; did you mean",
        "  batch_size?",
        "",
        "    1  models: [1, 2]",
        ">   2  users: [5, ten]",
        "    3  spawn_rates: [5]",
        "    4  bach_size: 4",
        "",
        "e opens it in your editor",
    ]
    assert tone_of(lines, ">   2") is Tone.BAD
    assert tone_of(lines, "models: [1, 2]") is Tone.DIM


def test_only_lines_around_the_mistake_are_shown(tmp_path: Path) -> None:
    text = "models: [1]\n" + 20 * "# remark\n" + "users: [ten]\n" + 20 * "# remark\n"
    saved = broken(tmp_path, text + "spawn_rates: [5]\n")

    lines = texts(broken_detail(saved, 60))

    shown = [one for one in lines if "remark" in one or "users: [" in one]
    assert len(shown) == 7
    assert shown[3] == ">  22  users: [ten]"


def test_lines_of_a_broken_profile_are_cut(tmp_path: Path) -> None:
    text = f"models: [1]\nusers: [ten]  # {200 * 'x'}\nspawn_rates: [5]\n"

    lines = broken_detail(broken(tmp_path, text), 40)

    assert all(width(one) <= 40 for one in lines)
    assert any(plain(one).endswith("…") for one in lines)


def test_a_file_that_became_shorter_meanwhile_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    saved = broken(tmp_path)

    assert "models" in "".join(texts(broken_detail(replace(saved, source="models: [1]\n"), 60)))
    assert texts(broken_detail(replace(saved, source=""), 60))[-1] == "e opens it in your editor"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (BROKEN, 2),
        ("models: [1]\nusers: {\n", 3),
        ("users: [1]\nspawn_rates: [1]\n", None),  # a key that is missing is on no line
        ("", None),
    ],
)
def test_the_first_line_with_a_mistake(tmp_path: Path, text: str, at: int | None) -> None:
    assert mistaken_line(broken(tmp_path, text)) == at


def test_without_a_line_no_part_of_the_file_is_shown(tmp_path: Path) -> None:
    text = "users: [1]\nspawn_rates: [1]\n"

    lines = texts(broken_detail(broken(tmp_path, text), 60))

    assert not any("spawn_rates: [1]" in one for one in lines)


def test_a_valid_profile_has_no_mistaken_line() -> None:
    assert mistaken_line(SAVED) is None


# When


@pytest.mark.parametrize(
    ("run_id", "told"),
    [
        ("20261122-072105", "22 Nov 07:21"),
        ("20261122-072105-2", "22 Nov 07:21"),
        ("20260301-000000", "1 Mar 00:00"),
        ("20261199-000000", "20261199-000000"),
        ("mine", "mine"),
        ("", ""),
    ],
)
def test_when_a_run_was_started_is_read_from_its_name(run_id: str, told: str) -> None:
    assert when(run_id) == told


@given(st.text(max_size=20))
def test_any_name_of_a_folder_is_told_somehow(name: str) -> None:
    assert when(name) or not name


# No profile


def test_without_a_profile_it_says_what_to_do() -> None:
    lines = texts(no_profiles(Path("/nowhere/profiles"), "", 80))

    assert lines[0] == "No profile is saved yet."
    assert "They are YAML files in /nowhere/profiles." in lines


def test_a_filter_that_nothing_fits_is_named() -> None:
    lines = texts(no_profiles(Path("/nowhere/profiles"), "xy", 80))

    assert lines == ["No profile has xy in its name.", "escape shows all."]
