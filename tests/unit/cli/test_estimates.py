"""The estimated time that `plan` and `profiles` print, from earlier runs of a profile."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from loadbench.cli.main import main
from loadbench.engine.catalog import CatalogReader
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.plan import plan_cells
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.text import plain
from loadbench.ui.preview.lines import PreviewedRun, preview_lines
from loadbench.ui.profiles.lines import profile_detail, profile_entry
from loadbench.workspace import Workspace
from tests.support.builders import run_started, timed_attempt, timed_entries, write_entries
from tests.support.harness import Bench

PROFILE = """
models: [1]
users: [2, 4]
spawn_rates: [10]
run_time: 10s
host: http://127.0.0.1:9
stack: {driver: external}
"""
FROM_SETTINGS = "2 cells, about 58 s in total, estimated from the settings (no comparable run)\n"
"""Scaling 6 s, and for each cell: settling 15 s, window 10 s, overhead 1 s."""

Plan = Callable[..., str]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.make(tmp_path, PROFILE, "mine")


@pytest.fixture
def plan(bench: Bench) -> Plan:
    """Return a function that returns the output of `plan mine` with options."""

    def call(*options: str) -> str:
        arguments = ("--workspace", str(bench.root), "plan", "mine", *options)
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


def save_run(
    bench: Bench,
    run: str = "20261122-072100",
    *,
    scaling_s: float = 40,
    settling_s: float = 20,
    driver: str = "external",
    profile: str = "mine",
) -> Path:
    """Save a run of the saved profile that measured both cells."""
    loaded = load_profile(bench.root / "profiles" / "mine.yaml")
    first, second = plan_cells(loaded)
    entries = timed_entries(
        replace(run_started(loaded, run=run), driver=driver),
        *timed_attempt(first, scaling_s=scaling_s, settling_s=settling_s),
        *timed_attempt(second, settling_s=settling_s),
    )
    return write_entries(bench.reports / profile / run, entries)


def test_plan_without_a_run_estimates_from_the_settings(plan: Plan) -> None:
    assert FROM_SETTINGS in plan()


def test_plan_estimates_from_an_earlier_run(bench: Bench, plan: Plan) -> None:
    save_run(bench)

    # Scaling 40 s, and for each cell: settling 20 s, window 10 s, draining 1 s.
    assert "2 cells, about 1 min 42 s in total, from 1 earlier run\n" in plan()


def test_plan_takes_the_median_of_the_newest_three_runs(bench: Bench, plan: Plan) -> None:
    save_run(bench, "20261121-072100", scaling_s=500, settling_s=500)
    for day, scaling_s in ((22, 10), (23, 30), (24, 100)):
        save_run(bench, f"202611{day}-072100", scaling_s=scaling_s)

    assert "about 1 min 32 s in total, from 3 earlier runs\n" in plan()


def test_plan_estimates_other_cells_from_the_measured_ones(bench: Bench, plan: Plan) -> None:
    save_run(bench)

    overridden = plan("--set", "users=7", "--set", "repeats=2")

    assert "2 cells, about 1 min 42 s in total, from 1 earlier run\n" in overridden


@pytest.mark.parametrize("setting", ["run_time=10.5s", "settle.window=4.9s", "batch_size=2"])
def test_plan_does_not_use_runs_with_other_settings(bench: Bench, plan: Plan, setting: str) -> None:
    save_run(bench)

    assert "estimated from the settings (no comparable run)\n" in plan("--set", setting)


def test_plan_does_not_use_runs_with_another_driver(bench: Bench, plan: Plan) -> None:
    save_run(bench, driver="local")

    assert FROM_SETTINGS in plan()


def test_plan_does_not_use_runs_of_another_profile(bench: Bench, plan: Plan) -> None:
    save_run(bench, profile="other")

    assert FROM_SETTINGS in plan()


@pytest.mark.parametrize(
    "journal",
    [
        b"",
        b"\0\xff\n",
        b'{"type":"run_started"}\n',
        b'{"type":"run_started","seq":1,"at":"","elapsed_s":0,"v":99}\n',
    ],
)
def test_plan_skips_unreadable_journals(bench: Bench, plan: Plan, journal: bytes) -> None:
    (save_run(bench, "20261123-072100") / FILE_NAME).write_bytes(journal)
    assert FROM_SETTINGS in plan()

    save_run(bench, "20261122-072100")
    assert "from 1 earlier run\n" in plan()


def test_plan_skips_lines_with_invalid_times(bench: Bench, plan: Plan) -> None:
    file = save_run(bench) / FILE_NAME
    file.write_bytes(file.read_bytes().replace(b'"elapsed_s":40', b'"elapsed_s":"x"'))

    assert "from 1 earlier run\n" in plan()


def test_plan_skips_a_journal_that_cannot_be_opened(bench: Bench, plan: Plan) -> None:
    folder = save_run(bench)
    (folder / FILE_NAME).unlink()
    (folder / FILE_NAME).symlink_to(folder / FILE_NAME)

    assert FROM_SETTINGS in plan()


def test_all_views_show_the_same_estimate(bench: Bench, plan: Plan) -> None:
    save_run(bench)
    workspace = Workspace(bench.root, bench.reports)
    catalog = CatalogReader(workspace).read()
    assert catalog is not None
    (saved,), runs = catalog.profiles, catalog.of_profile("mine")
    assert saved.profile is not None
    cells = plan_cells(saved.profile)
    previewed = PreviewedRun(name="mine", profile=saved.profile, cells=cells, earlier=runs)
    listed = CliRunner().invoke(main, ["--workspace", str(bench.root), "profiles"])

    texts = [
        plan(),
        listed.stdout,
        *(
            "\n".join(map(plain, lines))
            for lines in (
                profile_entry(saved, runs, UNICODE, 80).lines,
                profile_detail(saved, runs, UNICODE, 80),
                preview_lines(previewed, None, 80),
            )
        ),
    ]

    assert ["1 min 42 s" in text for text in texts] == 5 * [True]
