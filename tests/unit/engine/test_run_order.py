"""The order of runs by time, through time zones and daylight saving."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadbench.engine.catalog import CatalogReader
from loadbench.engine.journal.codec import FILE_NAME, Entry
from loadbench.engine.run_lookup import find_run_folder, run_folders
from loadbench.engine.run_order import new_run_id, started_s
from tests.support.builders import run_started, write_entries
from tests.support.ui_harness import Stage

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"),
    *("Pacific/Pago_Pago", "Australia/Lord_Howe", "America/St_Johns"),
)
FALL_BACK = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""02:30 in Berlin, before the clocks go back at 03:00."""


def start_run(parent: Path, at: datetime, zone: ZoneInfo = BERLIN) -> str:
    """Save a run that started at a time on a machine in a time zone, and return its id."""
    parent.mkdir(parents=True, exist_ok=True)
    local = at.astimezone(zone).replace(tzinfo=None)
    run = new_run_id(parent, local)
    text = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    write_entries(parent / run, [Entry(1, text, 0.0, run_started(run=run))])
    return run


@contextmanager
def local_zone(name: str) -> Iterator[None]:
    """Change the time zone of the viewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        yield
    time.tzset()


def names(reports: Path) -> list[str]:
    return [folder.name for folder in run_folders(reports)]


def test_runs_in_the_repeated_hour_are_in_order(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    first = start_run(demo, FALL_BACK)
    second = start_run(demo, FALL_BACK + timedelta(minutes=40))
    third = start_run(demo, FALL_BACK + timedelta(hours=1))

    assert (first, second, third) == (
        "20261025-023000",
        "20261025-021000",
        "20261025-023000-2",
    )
    assert names(tmp_path) == [third, second, first]
    assert find_run_folder("demo", tmp_path).name == third
    assert find_run_folder(None, tmp_path).name == third


def test_equal_wall_clocks_an_hour_apart_are_in_order_in_two_profiles(tmp_path: Path) -> None:
    later = start_run(tmp_path / "a", FALL_BACK + timedelta(hours=1))
    assert start_run(tmp_path / "b", FALL_BACK) == later
    folders = [folder.parent.name for folder in run_folders(tmp_path)]
    assert folders == ["a", "b"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    starts=st.lists(
        st.tuples(
            st.integers(0, 2 * 86400).map(lambda s: FALL_BACK + timedelta(seconds=s - 86400)),
            st.sampled_from(ZONES),
        ),
        max_size=6,
        unique_by=lambda start: start[0],
    ),
    viewer=st.sampled_from(ZONES),
)
def test_the_order_is_that_of_time_in_all_zones(
    tmp_path_factory: pytest.TempPathFactory,
    starts: list[tuple[datetime, str]],
    viewer: str,
) -> None:
    reports = tmp_path_factory.mktemp("reports")
    runs = {at: start_run(reports / "demo", at, ZoneInfo(zone)) for at, zone in starts}
    with local_zone(viewer):
        assert names(reports) == [runs[at] for at in sorted(runs, reverse=True)]


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"?",
        b'{"type":"run_started","seq":1,"at":"soon"',
        b'{"type":"run_started","seq":1,"at":"9999-12-31T23:59:59Z"',
        b'{"type":"run_started","seq":1,"at":"0001-01-01T00:00:00+14:00"',
        b'{"type":"run_started","seq":1,"at":"2031-01-01T00:00:00.000Z"',
        b'{"type":"run_started","seq":1,"at":"2026-10-25T00:00:00"',
        b'{"type":"run_started","seq":1,"at":5',
        b'{"type":"run_started","seq":1,"at":"' + b"2" * 1000,
    ],
)
def test_without_a_plausible_time_the_id_counts(tmp_path: Path, first: bytes) -> None:
    demo = tmp_path / "demo"
    before = start_run(demo, FALL_BACK - timedelta(hours=3))
    damaged = demo / start_run(demo, FALL_BACK)
    after = start_run(demo, FALL_BACK + timedelta(hours=3))
    (damaged / FILE_NAME).write_bytes(first + b"\n")
    with local_zone("Europe/Berlin"):
        assert names(tmp_path) == [after, damaged.name, before]


@pytest.mark.parametrize("name", ["old", "20269999-999999", "00010101-000000", "x" * 200])
def test_folders_with_other_names_have_a_start(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "demo" / name
    folder.mkdir(parents=True)
    (folder / FILE_NAME).mkdir()
    assert started_s(folder) >= 0 or name.startswith("0001")
    assert names(tmp_path) == [name]


def test_the_catalog_has_the_order_of_time_and_reads_each_start_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = stage.root / "reports" / "demo"
    first = start_run(demo, FALL_BACK)
    second = start_run(demo, FALL_BACK + timedelta(minutes=40))
    reader = CatalogReader(stage.workspace)
    catalog = reader.read()
    assert catalog is not None
    assert [run.folder.name for run in catalog.runs] == [second, first]

    monkeypatch.setattr("loadbench.engine.run_lookup.started_s", pytest.fail)
    assert reader.read() is None
