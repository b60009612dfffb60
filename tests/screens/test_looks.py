"""What every screen looks like, at its best size and at the smallest that is fully usable.

Each of these was looked at by a person when it was saved.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.engine.journal.events import Event, Result, RunFinished
from loadbench.engine.journal.service_log import format_log_line
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.preflight import Preflight
from loadbench.errors import RefusedError
from loadbench.ui.catch_up.seen import Seen, remember
from loadbench.ui.terminal.capabilities import Terminal
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_profile,
    requests,
    run_started,
    write_journal,
)
from tests.support.ui_harness import (
    BROKEN,
    LONG_AGO,
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
)

SMALL, LARGE = (60, 20), (200, 60)


def of_size(size: tuple[int, int]) -> str:
    """What a test of a size is called."""
    return f"{size[0]}x{size[1]}"


sizes = pytest.mark.parametrize("size", [WIDE, NARROW], ids=of_size)
every_size = pytest.mark.parametrize("size", [WIDE, NARROW, SMALL, LARGE], ids=of_size)

FOUND = RunPlan(
    preflight=Preflight(
        driver="local",
        reason="no containers: the Docker engine does not answer",
        lock="local",
        warnings=("2 models × 1 threads are more than the 1 cores here",),
    ),
    needed_bytes=24_000_000,
    free_bytes=77_700_000_000,
)


def shot(
    stage: Stage,
    looks: Looks,
    name: str,
    size: tuple[int, int],
    *keys: str,
    folder: Path | None = None,
    terminal: Terminal | None = None,
    now: datetime = LONG_AGO,
) -> None:
    """Open the screens, press keys, and compare what is then to be seen."""

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        for key in keys:
            await press(pilot, key)
        looks(f"{name}-{size[0]}x{size[1]}", screen_text(pilot.app))

    app = stage.app(folder=folder, terminal=terminal or Terminal(), now=lambda: now)
    drive(app, script, size=size)


def with_runs(stage: Stage) -> None:
    """Three profiles, of which one is broken and one has runs of every kind."""
    stage.save_profile("broken", BROKEN)
    stage.save_profile("demo")
    stage.save_profile("with_cpu")
    stage.add_run("demo", run="20261122-111101")
    stage.add_run("faults", run="20261122-111205")
    stage.add_run("containers", run="20261124-153032")
    stage.add_run("interrupted", run="20261125-111323")


# Profiles


@sizes
def test_an_empty_workspace_says_what_to_do(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    shot(stage, looks, "empty", size)


@sizes
def test_profiles_with_the_chosen_one_in_full(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    with_runs(stage)
    shot(stage, looks, "profiles", size, "j")


@sizes
def test_a_broken_profile_with_its_mistakes_and_the_first_line_of_them(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    with_runs(stage)
    shot(stage, looks, "broken", size)


@sizes
def test_a_filter_that_nothing_fits(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    with_runs(stage)
    shot(stage, looks, "filter", size, "slash", "x", "y")


@sizes
def test_the_preview_of_a_run(
    stage: Stage, looks: Looks, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_runs(stage)
    monkeypatch.setattr("loadbench.ui.preview.screen.preview", lambda _: FOUND)
    shot(stage, looks, "preview", size, "j", "enter")


@sizes
def test_the_preview_of_a_run_that_is_refused(
    stage: Stage, looks: Looks, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: RunRequest) -> RunPlan:
        raise RefusedError(
            "no driver can run this here\n  compose: the Docker engine does not answer\n"
            "  local: missing: onnxruntime; pip install 'loadbench-tui[embedded]'"
        )

    with_runs(stage)
    monkeypatch.setattr("loadbench.ui.preview.screen.preview", refuse)
    shot(stage, looks, "preview-refused", size, "j", "enter")


@sizes
def test_the_preview_of_going_on_with_a_run(
    stage: Stage, looks: Looks, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_runs(stage)
    monkeypatch.setattr("loadbench.ui.preview.screen.preview", lambda _: FOUND)
    shot(stage, looks, "preview-resume", size, "j", "r")


@sizes
def test_the_question_before_a_profile_is_deleted(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    with_runs(stage)
    shot(stage, looks, "delete", size, "j", "d")


# A live run


@pytest.mark.parametrize(
    ("phase", "journal", "mark"),
    [
        ("scaling", "demo", '"line":"model-1"'),
        ("ramping", "demo", '"phase":"ramping"'),
        ("settling", "demo", '"second":4,'),
        ("measuring", "demo", '"second":11,'),
        ("draining", "demo", '"phase":"draining"'),
        ("dead-container", "containers", '"state":"exited"'),
        ("failed-cell", "faults", '"type":"cell_failed"'),
        ("paused", "faults", '"message":"the run pauses'),
    ],
)
@sizes
def test_a_live_run(
    stage: Stage, looks: Looks, size: tuple[int, int], phase: str, journal: str, mark: str
) -> None:
    folder = stage.add_run(journal, lines=lines_until(journal, mark))
    with held(folder):
        shot(stage, looks, f"live-{phase}", size, folder=folder)


@sizes
def test_the_question_before_a_run_is_stopped(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    with held(folder):
        shot(stage, looks, "stop", size, "x", folder=folder)


@pytest.mark.parametrize(
    "size", [WIDE, NARROW, (60, 20), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_what_happened_since_somebody_left(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    folder = stage.add_run("faults", lines=lines_until("faults", '"cell":"m2_u2_s8"'))
    left = datetime(2026, 11, 22, 11, 12, 7, tzinfo=UTC)
    remember(folder, Seen(seq=10, live=True, at=left))
    with held(folder):
        now = left.replace(hour=13, minute=25)
        shot(stage, looks, "since", size, folder=folder, now=now)


def test_what_happened_since_another_day_in_ascii(stage: Stage, looks: Looks) -> None:
    folder = stage.add_run("containers")
    left = datetime(2026, 11, 26, 15, 30, 35, tzinfo=UTC)
    remember(folder, Seen(seq=5, live=True, at=left))
    plain = Terminal(ascii=True, signs=True)
    now = left.replace(day=28)
    shot(stage, looks, "since-ascii", NARROW, "end", folder=folder, terminal=plain, now=now)


# A run that is over


@sizes
def test_an_interrupted_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    shot(stage, looks, "interrupted", size, folder=stage.add_run("interrupted"))


@sizes
def test_a_finished_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    shot(stage, looks, "finished", size, folder=stage.add_run("demo"))


@pytest.mark.parametrize(
    ("name", "key"), [("charts", "6"), ("stats", "2"), ("failures", "3"), ("events", "4")]
)
def test_the_panels_of_a_narrow_screen(stage: Stage, looks: Looks, name: str, key: str) -> None:
    folder = stage.add_run("containers")
    shot(stage, looks, f"panel-{name}", NARROW, "k", key, folder=folder)


@sizes
def test_a_log(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("demo")
    (folder / "stack.log").write_text("".join(f"model-1 | line {i}\n" for i in range(100)))
    shot(stage, looks, "log", size, "5", folder=folder)


@sizes
def test_a_failed_cell_says_why(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    shot(stage, looks, "failed", size, "3", "1", "j", "h", "3", folder=stage.add_run("containers"))


# A cell alone


@every_size
@pytest.mark.parametrize(
    ("name", "journal", "keys"),
    [
        ("valid", "verdicts/valid", ("enter",)),
        ("suspect", "verdicts/throttled", ("enter",)),
        ("failed", "containers", ("j", "h", "enter")),
    ],
)
def test_a_cell(
    stage: Stage,
    looks: Looks,
    size: tuple[int, int],
    name: str,
    journal: str,
    keys: tuple[str, ...],
) -> None:
    folder = stage.add_run(journal)
    shot(stage, looks, f"cell-{name}", size, *(keys or ["enter"]), folder=folder)


@every_size
def test_a_cell_that_is_being_measured(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    with held(folder):
        shot(stage, looks, "cell-measuring", size, "enter", folder=folder)


@pytest.mark.parametrize("size", [NARROW, SMALL], ids=of_size)
@pytest.mark.parametrize(("name", "key"), [("charts", "5"), ("evidence", "2"), ("failures", "3")])
def test_the_panels_of_a_cell(
    stage: Stage, looks: Looks, size: tuple[int, int], name: str, key: str
) -> None:
    folder = stage.add_run("verdicts/failures")
    shot(stage, looks, f"cell-{name}", size, "enter", key, folder=folder)


# What the services said


def with_words(stage: Stage) -> Path:
    """A run whose containers each said something every second."""
    folder = stage.add_run("demo")
    seconds = [
        entry
        for entry in map(json.loads, (folder / JOURNAL).read_text().splitlines())
        if entry["type"] == "sample"
    ]
    said = (
        format_log_line(
            entry["at"], it["name"], f"in second {entry['second']} it {DOES[it['service']]}"
        )
        for entry in seconds
        for it in entry["containers"]
    )
    (folder / "stack.log").write_text("".join(said))
    return folder


DOES = {
    "broker": "kept what nobody has taken yet",
    "api": "answered POST /predict 200, and again, and again, and again, and again, and again",
    "model": "looked at photographs",
}


@every_size
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("followed", ()),
        ("scrolled", ("pageup",)),
        ("searched", ("slash", "1", "2", "enter")),
    ],
)
def test_the_log_of_a_container(
    stage: Stage, looks: Looks, size: tuple[int, int], name: str, keys: tuple[str, ...]
) -> None:
    keys = ("tab", "j", "enter", *keys)
    shot(stage, looks, f"said-{name}", size, *keys, folder=with_words(stage))


@every_size
def test_the_log_of_a_cell(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    shot(stage, looks, "cell-log", size, "enter", "4", folder=with_words(stage))


# One panel with all the room


@every_size
@pytest.mark.parametrize(
    ("panel", "keys"), [("latency", ()), ("events", ()), ("stages", ("enter",))]
)
def test_a_maximised_panel(
    stage: Stage, looks: Looks, size: tuple[int, int], panel: str, keys: tuple[str, ...]
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, *keys)
        if panel == "latency" and size in (NARROW, SMALL):
            await press(pilot, "6")
        while pilot.app.focused is not pilot.app.screen.query_one(f"#{panel}"):
            await press(pilot, "tab")
        await press(pilot, "z")
        looks(f"maximised-{panel}-{of_size(size)}", screen_text(pilot.app))

    drive(stage.app(folder=stage.add_run("demo")), script, size=size)


# Reports


@sizes
def test_reports(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    with_runs(stage)
    shot(stage, looks, "reports", size, "v", "j", "j", "j")


@sizes
def test_reports_without_a_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    shot(stage, looks, "reports-empty", size, "v")


@pytest.mark.parametrize(("name", "key"), [("cells", "2"), ("charts", "3")])
def test_the_parts_of_narrow_reports(stage: Stage, looks: Looks, name: str, key: str) -> None:
    with_runs(stage)
    shot(stage, looks, f"reports-{name}", NARROW, "v", "j", key)


@sizes
def test_a_run_whose_cells_were_measured_more_than_once(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    repeated_run(stage)
    shot(stage, looks, "reports-repeated", size, "v", "2")


def repeated_run(stage: Stage) -> None:
    """Add a run of 2 × 2 cells, three times each, that became slower by and by."""
    profile = make_profile(models=[1, 2], users=[2, 8], repeats=3, recheck_first=True)
    begun = run_started(profile, run="20261122-111101")
    events: list[Event] = [begun]
    for number, cell in enumerate(begun.cells):
        slow = round((20 + number) * cell.level.amount / cell.models)
        completed = round(10_000 * cell.level.amount / slow)
        answers = requests(((slow, 300), (slow * 1.5, 20)))
        events += [
            cell_started(cell.key),
            cell_finished(cell.key, completed=completed, requests=answers),
        ]
    events.append(RunFinished(result=Result.DONE, reason="every cell is over"))
    write_journal(stage.root / "reports" / "demo" / begun.run, *events)


# Everywhere


@pytest.mark.parametrize(("name", "keys"), [("profiles", "?"), ("reports", "v?")])
@sizes
def test_help(stage: Stage, looks: Looks, size: tuple[int, int], name: str, keys: str) -> None:
    with_runs(stage)
    pressed = ["question_mark" if key == "?" else key for key in keys]
    shot(stage, looks, f"help-{name}", size, "j", *pressed)


@sizes
def test_help_on_a_live_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    with held(folder):
        shot(stage, looks, "help-live", size, "question_mark", folder=folder)


@sizes
def test_ascii_characters_alone(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("containers")
    plain = Terminal(ascii=True, signs=True)
    keys = ("6",) if size == NARROW else ()
    shot(stage, looks, "ascii", size, *keys, folder=folder, terminal=plain)


def test_a_terminal_that_is_too_small(stage: Stage, looks: Looks) -> None:
    shot(stage, looks, "too-small", (59, 14))


def test_the_smallest_terminal(stage: Stage, looks: Looks) -> None:
    shot(stage, looks, "smallest", (60, 15), folder=stage.add_run("containers"))
