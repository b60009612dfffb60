"""Snapshots of every screen at several sizes, from the smallest usable one to a large one.

Each snapshot was reviewed when it was saved.
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
    entries,
    make_profile,
    requests,
    run_started,
    write_entries,
    write_journal,
)
from tests.support.goal_cells import add_goal_run
from tests.support.replicas import ERRORS, replicas
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
    replace_runner,
    screen_text,
    settled,
)

SMALL, LARGE = (60, 20), (200, 60)


def size_id(size: tuple[int, int]) -> str:
    """Return the test id of a size."""
    return f"{size[0]}x{size[1]}"


sizes = pytest.mark.parametrize("size", [WIDE, NARROW], ids=size_id)
every_size = pytest.mark.parametrize("size", [WIDE, NARROW, SMALL, LARGE], ids=size_id)

FOUND = RunPlan(
    preflight=Preflight(
        driver="local",
        reason="compose is unavailable: Docker is not installed",
        lock="local",
        warnings=("2 models × 1 threads exceed the 1 available cores",),
    ),
    needed_bytes=24_000_000,
    free_bytes=77_700_000_000,
)


def snapshot(
    stage: Stage,
    looks: Looks,
    name: str,
    size: tuple[int, int],
    *keys: str,
    folder: Path | None = None,
    terminal: Terminal | None = None,
    now: datetime = LONG_AGO,
) -> None:
    """Start the app, press keys, and compare the screen with its snapshot."""

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        for key in keys:
            await press(pilot, key)
        looks(f"{name}-{size[0]}x{size[1]}", screen_text(pilot.app))

    app = stage.app(folder=folder, terminal=terminal or Terminal(), now=lambda: now)
    drive(app, script, size=size)


def add_profiles_and_runs(stage: Stage) -> None:
    """Add three profiles: one is broken, and one has runs of every kind."""
    stage.save_profile("broken", BROKEN)
    stage.save_profile("demo")
    stage.save_profile("with_cpu")
    stage.add_run("demo", run="20261122-111101")
    stage.add_run("faults", run="20261122-111205")
    stage.add_run("containers", run="20261124-153032")
    stage.add_run("interrupted", run="20261125-111323")


# Profiles


@sizes
def test_empty_workspace(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(stage, looks, "empty", size)


@sizes
def test_profiles_with_the_details_of_the_selected_one(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    add_profiles_and_runs(stage)
    snapshot(stage, looks, "profiles", size)


@sizes
def test_broken_profile_with_its_errors(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    add_profiles_and_runs(stage)
    snapshot(stage, looks, "broken", size, "k")


@sizes
def test_filter_without_a_match(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    add_profiles_and_runs(stage)
    snapshot(stage, looks, "filter", size, "slash", "x", "y")


@sizes
def test_preview_of_a_run(
    stage: Stage, looks: Looks, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_profiles_and_runs(stage)
    replace_runner(monkeypatch, preview=lambda _: FOUND)
    snapshot(stage, looks, "preview", size, "enter")


@sizes
def test_preview_of_a_run_that_cannot_start(
    stage: Stage, looks: Looks, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: RunRequest) -> RunPlan:
        raise RefusedError(
            "no driver can run this profile on this machine:\n  compose: Docker is not installed\n"
            "  local: the local driver requires onnxruntime: run "
            "`pip install 'loadbench-tui[embedded]'`"
        )

    add_profiles_and_runs(stage)
    replace_runner(monkeypatch, preview=refuse)
    snapshot(stage, looks, "preview-refused", size, "enter")


@sizes
def test_preview_of_resuming_a_run(
    stage: Stage, looks: Looks, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_profiles_and_runs(stage)
    replace_runner(monkeypatch, preview=lambda _: FOUND)
    snapshot(stage, looks, "preview-resume", size, "r")


@sizes
def test_question_before_deleting_a_profile(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    add_profiles_and_runs(stage)
    snapshot(stage, looks, "delete", size, "d")


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
def test_live_run(
    stage: Stage, looks: Looks, size: tuple[int, int], phase: str, journal: str, mark: str
) -> None:
    folder = stage.add_run(journal, lines=lines_until(journal, mark))
    with held(folder):
        snapshot(stage, looks, f"live-{phase}", size, folder=folder)


def test_live_run_with_the_curves_over_users(stage: Stage, looks: Looks) -> None:
    folder = stage.add_run("containers", lines=lines_until("containers", '"second":5,'))
    with held(folder):
        snapshot(stage, looks, "live", (160, 45), folder=folder)


@sizes
def test_question_before_stopping_a_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    with held(folder):
        snapshot(stage, looks, "stop", size, "x", folder=folder)


@every_size
def test_catch_up_after_a_break(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("faults", lines=lines_until("faults", '"cell":"m2_u2_s8"'))
    left = datetime(2026, 11, 22, 11, 12, 7, tzinfo=UTC)
    remember(folder, Seen(seq=10, live=True, at=left))
    with held(folder):
        now = left.replace(hour=13, minute=25)
        snapshot(stage, looks, "catch-up", size, folder=folder, now=now)


def test_catch_up_after_two_days_in_ascii(stage: Stage, looks: Looks) -> None:
    folder = stage.add_run("containers")
    left = datetime(2026, 11, 26, 15, 30, 35, tzinfo=UTC)
    remember(folder, Seen(seq=5, live=True, at=left))
    plain = Terminal(ascii=True, signs=True)
    now = left.replace(day=28)
    snapshot(stage, looks, "catch-up-ascii", NARROW, "end", folder=folder, terminal=plain, now=now)


# A run that is not live


@sizes
def test_interrupted_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(stage, looks, "interrupted", size, folder=stage.add_run("interrupted"))


@sizes
def test_finished_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(stage, looks, "finished", size, folder=stage.add_run("demo"))


@pytest.mark.parametrize(
    ("name", "key"), [("charts", "6"), ("stats", "2"), ("failures", "3"), ("events", "4")]
)
def test_panels_of_a_narrow_run_screen(stage: Stage, looks: Looks, name: str, key: str) -> None:
    folder = stage.add_run("containers")
    snapshot(stage, looks, f"panel-{name}", NARROW, "k", key, folder=folder)


@sizes
def test_log_of_a_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("demo")
    (folder / "stack.log").write_text("".join(f"model-1 | line {i}\n" for i in range(100)))
    snapshot(stage, looks, "log", size, "5", folder=folder)


@sizes
def test_failed_cell_with_its_reason(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(
        stage, looks, "failed", size, "3", "1", "j", "h", "3", folder=stage.add_run("containers")
    )


# The cell screen


@every_size
@pytest.mark.parametrize(
    ("name", "journal", "keys"),
    [
        ("valid", "verdicts/valid", ("enter",)),
        ("suspect", "verdicts/throttled", ("enter",)),
        ("failed", "containers", ("j", "h", "enter")),
    ],
)
def test_cell(
    stage: Stage,
    looks: Looks,
    size: tuple[int, int],
    name: str,
    journal: str,
    keys: tuple[str, ...],
) -> None:
    folder = stage.add_run(journal)
    snapshot(stage, looks, f"cell-{name}", size, *(keys or ["enter"]), folder=folder)


@sizes
def test_cell_with_replicas(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    measured = requests(((10.0, 200), (12.0, 190)), ((2.0, 10),))
    result = cell_finished(replicas=replicas(), requests=measured, errors=ERRORS, completed=390)
    folder = stage.root / "reports" / "demo" / "20261122-111101"
    write_entries(folder, entries((run_started(), cell_started(), result)))
    snapshot(stage, looks, "cell-replicas", size, "enter", folder=folder)


@every_size
def test_cell_while_measuring(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    with held(folder):
        snapshot(stage, looks, "cell-measuring", size, "enter", folder=folder)


@pytest.mark.parametrize("size", [NARROW, SMALL], ids=size_id)
@pytest.mark.parametrize(("name", "key"), [("charts", "5"), ("evidence", "2"), ("failures", "3")])
def test_panels_of_a_cell(
    stage: Stage, looks: Looks, size: tuple[int, int], name: str, key: str
) -> None:
    folder = stage.add_run("verdicts/failures")
    snapshot(stage, looks, f"cell-{name}", size, "enter", key, folder=folder)


# Log output of the services


def add_run_with_logs(stage: Stage) -> Path:
    """Add a run whose containers each log one line per second."""
    folder = stage.add_run("demo")
    samples = [
        entry
        for entry in map(json.loads, (folder / JOURNAL).read_text().splitlines())
        if entry["type"] == "sample"
    ]
    lines = (
        format_log_line(
            sample["at"],
            container["name"],
            f"second {sample['second']}: {LOG_LINES[container['service']]}",
        )
        for sample in samples
        for container in sample["containers"]
    )
    (folder / "stack.log").write_text("".join(lines))
    return folder


LOG_LINES = {
    "broker": "background saving started by the broker",
    "api": "POST /predict 200, a long line that exceeds the width of a narrow terminal by far",
    "model": "classified a batch of pictures",
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
def test_log_of_a_container(
    stage: Stage, looks: Looks, size: tuple[int, int], name: str, keys: tuple[str, ...]
) -> None:
    keys = ("tab", "j", "enter", *keys)
    snapshot(stage, looks, f"log-{name}", size, *keys, folder=add_run_with_logs(stage))


@every_size
def test_log_of_a_cell(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(stage, looks, "cell-log", size, "enter", "4", folder=add_run_with_logs(stage))


# Maximised panels


@every_size
@pytest.mark.parametrize(
    ("panel", "keys"), [("latency", ()), ("events", ()), ("stages", ("enter",))]
)
def test_maximised_panel(
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
        looks(f"maximised-{panel}-{size_id(size)}", screen_text(pilot.app))

    drive(stage.app(folder=stage.add_run("demo")), script, size=size)


# Reports


@sizes
def test_reports(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    add_profiles_and_runs(stage)
    snapshot(stage, looks, "reports", size, "v", "j", "j", "j")


@sizes
def test_reports_without_a_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    snapshot(stage, looks, "reports-empty", size, "v")


@pytest.mark.parametrize(("name", "key"), [("cells", "2"), ("charts", "3")])
def test_panels_of_narrow_reports(stage: Stage, looks: Looks, name: str, key: str) -> None:
    add_profiles_and_runs(stage)
    snapshot(stage, looks, f"reports-{name}", NARROW, "v", "j", key)


@sizes
def test_reports_of_a_run_with_repeats(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    add_repeated_run(stage)
    snapshot(stage, looks, "reports-repeated", size, "v", "2")


def add_repeated_run(stage: Stage) -> None:
    """Add a run of 2 × 2 cells with 3 repeats, whose latency increases over time."""
    profile = make_profile(models=[1, 2], users=[2, 8], repeats=3, recheck_first=True)
    started = run_started(profile, run="20261122-111101")
    events: list[Event] = [started]
    for number, cell in enumerate(started.cells):
        latency_ms = round((20 + number) * cell.level.amount / cell.models)
        completed = round(10_000 * cell.level.amount / latency_ms)
        measured = requests(((latency_ms, 300), (latency_ms * 1.5, 20)))
        events += [
            cell_started(cell.key),
            cell_finished(cell.key, completed=completed, requests=measured),
        ]
    events.append(RunFinished(result=Result.DONE, reason="12 of 12 cells measured"))
    write_journal(stage.root / "reports" / "demo" / started.run, *events)


# Goals


@sizes
@pytest.mark.parametrize("journal", ["suspect-edge", "undecided-edge", "fast-failures"])
def test_run_with_goals(stage: Stage, looks: Looks, size: tuple[int, int], journal: str) -> None:
    folder = stage.add_run(f"decisions/{journal}")
    snapshot(stage, looks, f"goals-{journal}", size, folder=folder)


@sizes
@pytest.mark.parametrize(
    ("name", "keys"),
    [("sweep", ()), ("failures", 3 * ("percent_sign",)), ("selected", ("home", "down", "right"))],
)
def test_run_with_every_state_of_its_goals(
    stage: Stage, looks: Looks, size: tuple[int, int], name: str, keys: tuple[str, ...]
) -> None:
    snapshot(stage, looks, f"goals-{name}", size, *keys, folder=add_goal_run(stage.root))


def test_goals_in_ascii(stage: Stage, looks: Looks) -> None:
    plain = Terminal(ascii=True, signs=True)
    folder = add_goal_run(stage.root)
    snapshot(stage, looks, "goals-ascii", NARROW, folder=folder, terminal=plain)


@every_size
@pytest.mark.parametrize("journal", ["linear", "saturating"])
def test_maximised_sweep(stage: Stage, looks: Looks, size: tuple[int, int], journal: str) -> None:
    folder = stage.add_run(f"decisions/{journal}")
    snapshot(stage, looks, f"maximised-sweep-{journal}", size, "z", folder=folder)


@sizes
@pytest.mark.parametrize(
    ("name", "keys"),
    [("runs", ()), ("cells", ("2",)), ("charts", ("3",)), ("failures", ("3", "percent_sign"))],
)
def test_reports_with_goals(
    stage: Stage, looks: Looks, size: tuple[int, int], name: str, keys: tuple[str, ...]
) -> None:
    add_goal_run(stage.root)
    keys = (*keys, *keys[1:])
    snapshot(stage, looks, f"reports-goals-{name}", size, "v", *keys)


def test_cells_of_a_medium_screen_have_a_verdict(stage: Stage, looks: Looks) -> None:
    stage.add_run("decisions/linear")
    snapshot(stage, looks, "reports-goals-medium", (100, 30), "v", "2")


# All screens


@pytest.mark.parametrize(("name", "keys"), [("profiles", "?"), ("reports", "v?")])
@sizes
def test_help(stage: Stage, looks: Looks, size: tuple[int, int], name: str, keys: str) -> None:
    add_profiles_and_runs(stage)
    pressed = ["question_mark" if key == "?" else key for key in keys]
    snapshot(stage, looks, f"help-{name}", size, *pressed)


@sizes
def test_help_on_a_live_run(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))
    with held(folder):
        snapshot(stage, looks, "help-live", size, "question_mark", folder=folder)


@sizes
def test_run_in_ascii(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = stage.add_run("containers")
    plain = Terminal(ascii=True, signs=True)
    keys = ("6",) if size == NARROW else ()
    snapshot(stage, looks, "ascii", size, *keys, folder=folder, terminal=plain)


def test_terminal_below_the_minimum_size(stage: Stage, looks: Looks) -> None:
    snapshot(stage, looks, "too-small", (59, 14))


def test_smallest_supported_terminal(stage: Stage, looks: Looks) -> None:
    snapshot(stage, looks, "smallest", (60, 15), folder=stage.add_run("containers"))
