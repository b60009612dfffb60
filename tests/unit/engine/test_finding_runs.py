"""The runs in a reports folder: listing, finding by name, and ids of new runs."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Result, RunFinished
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.requests.labelling import set_label
from loadbench.engine.run_lookup import find_run, run_folders, runs_of_profile
from loadbench.engine.run_order import new_run_id
from loadbench.errors import UsageError
from tests.support.builders import run_started, write_journal

NOW = datetime(2026, 11, 22, 7, 21, 5)
DONE = RunFinished(result=Result.DONE, reason="every cell has ended")


def finished(folder: Path, result: Result = Result.DONE) -> Path:
    """Save a run that has ended."""
    end = RunFinished(result=result, reason="every cell has ended")
    return write_journal(folder, run_started(run=folder.name), end)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Save two profiles with two runs each, and other files."""
    reports = tmp_path / "reports"
    for name in ("demo/20261122-072105", "demo/20261122-072105-2"):
        finished(reports / name)
    for name in ("with_cpu/20261120-120000", "with_cpu/20261121-120000"):
        finished(reports / name)
    (reports / "demo" / "latest").symlink_to("20261122-072105-2")
    finished(reports / "demo" / ".20261122-080000.new")
    (reports / "demo" / "20261199-000000").mkdir()
    (reports / "README.md").touch()
    return reports


@pytest.fixture
def live(reports: Path) -> Iterator[JournalWriter]:
    """Save a third run of `demo`, which is live."""
    folder = reports / "demo" / "20261101-000000"
    folder.mkdir()
    writer = JournalWriter(folder)
    writer.append(run_started(run=folder.name))
    yield writer
    writer.close()


@pytest.mark.parametrize(("number", "name"), [("1", "072105-2"), ("4", "120000")])
def test_a_run_is_found_by_its_number_in_the_list(reports: Path, number: str, name: str) -> None:
    assert find_run(number, reports).folder.name.endswith(name)


@pytest.mark.parametrize("number", ["0", "5", "-1", "03", "²", "1" * 5000])
def test_a_number_of_no_run_is_an_error(reports: Path, number: str) -> None:
    with pytest.raises(UsageError, match="no run"):
        find_run(number, reports)


def test_a_label_takes_precedence_over_a_number(reports: Path) -> None:
    oldest = list(run_folders(reports))[-1]
    set_label(oldest, "1")

    assert find_run("1", reports).folder == oldest


def test_a_number_counts_runs_that_are_not_live_too(reports: Path, live: JournalWriter) -> None:
    with pytest.raises(UsageError, match="no live run '1'"):
        find_run("1", reports, live=True)
    assert find_run("5", reports, live=True).folder.name == "20261101-000000"


# Listing


def test_runs_are_listed_newest_first(reports: Path) -> None:
    assert [f"{folder.parent.name}/{folder.name}" for folder in run_folders(reports)] == [
        "demo/20261122-072105-2",
        "demo/20261122-072105",
        "with_cpu/20261121-120000",
        "with_cpu/20261120-120000",
    ]


def test_the_tenth_run_of_a_second_is_newer_than_the_second(reports: Path) -> None:
    for number in (9, 10):
        finished(reports / "demo" / f"20261122-072105-{number}")
    names = [folder.name for folder in run_folders(reports)]
    assert names[:3] == ["20261122-072105-10", "20261122-072105-9", "20261122-072105-2"]


def test_runs_of_one_profile_are_read_one_at_a_time_newest_first(reports: Path) -> None:
    older, newer = (reports / "demo" / f"20261122-072105{suffix}" for suffix in ("", "-2"))
    runs = runs_of_profile("demo", reports)

    assert next(runs).folder == newer
    (older / FILE_NAME).unlink()
    assert list(runs) == []


def test_unreadable_runs_of_a_profile_are_skipped(reports: Path) -> None:
    newer, older = run_folders(reports, "demo")
    (newer / FILE_NAME).write_bytes(b"?\n")

    assert [run.folder for run in runs_of_profile("demo", reports)] == [older]
    assert list(runs_of_profile("nothing", reports)) == []


def test_missing_reports_folder_has_no_runs(tmp_path: Path) -> None:
    assert list(run_folders(tmp_path / "gone")) == []


# Finding by name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (None, "demo/20261122-072105-2"),
        ("demo", "demo/20261122-072105-2"),
        ("demo/", "demo/20261122-072105-2"),
        ("demo/latest", "demo/20261122-072105-2"),
        ("with_cpu", "with_cpu/20261121-120000"),
        ("20261120-120000", "with_cpu/20261120-120000"),
        ("demo/20261122-072105", "demo/20261122-072105"),
        ("demo/20261122-072105/", "demo/20261122-072105"),
    ],
)
def test_run_is_found_by_name_id_or_profile(reports: Path, name: str | None, found: str) -> None:
    assert find_run(name, reports).name == found


def test_run_is_found_by_folder(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shutil.move(reports / "with_cpu" / "20261120-120000", tmp_path / "elsewhere")
    assert find_run(str(moved), reports).folder == tmp_path / "elsewhere"
    monkeypatch.chdir(reports)
    link = find_run("demo/latest", reports)
    assert link.name == "demo/20261122-072105-2"


def test_run_is_found_by_its_label(reports: Path) -> None:
    older, newer = (reports / "with_cpu" / f"2026112{day}-120000" for day in (0, 1))
    set_label(older, "new images")
    assert find_run("new images", reports).folder == older
    set_label(newer, "demo")
    assert find_run("demo", reports).name == "demo/20261122-072105-2", "names come first"


def test_a_label_of_several_runs_is_refused(reports: Path) -> None:
    for folder in run_folders(reports, "with_cpu"):
        set_label(folder, "images")
    names = "with_cpu/20261121-120000, with_cpu/20261120-120000"
    with pytest.raises(UsageError, match=f"several runs have the label 'images': {names}"):
        find_run("images", reports)


def test_unreadable_runs_are_skipped_in_the_search_for_a_label(reports: Path) -> None:
    newer, older = run_folders(reports, "with_cpu")
    set_label(older, "images")
    (newer / FILE_NAME).write_bytes(b"?\n")
    assert find_run("images", reports).folder == older


@pytest.mark.parametrize("name", ["", "/", "//", "/latest"])
@pytest.mark.parametrize("live", [False, True])
def test_empty_name_selects_no_run(reports: Path, name: str, live: bool) -> None:
    with pytest.raises(UsageError, match="no run"):
        find_run(name, reports, live=live)


@pytest.mark.parametrize("name", ["dem", "demo/20261199-000000", ".20261122-080000.new", "latest"])
def test_unknown_run_is_not_found(reports: Path, name: str) -> None:
    with pytest.raises(
        UsageError, match=f"no run {name!r} in .*List all runs with `loadbench-tui runs`"
    ):
        find_run(name, reports)


def test_missing_reports_folder_raises_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^no run in "):
        find_run(None, tmp_path)


def test_live_run_is_found_before_newer_ended_runs(reports: Path, live: JournalWriter) -> None:
    assert find_run(None, reports, live=True).folder == live.path.parent
    assert find_run("demo", reports, live=True).folder == live.path.parent
    assert find_run("demo", reports).name == "demo/20261122-072105-2"


def test_profile_with_only_ended_runs_has_no_live_run(reports: Path, live: JournalWriter) -> None:
    with pytest.raises(UsageError, match="no live run 'with_cpu'"):
        find_run("with_cpu", reports, live=True)


def test_several_live_runs_require_a_name(reports: Path, live: JournalWriter) -> None:
    folder = reports / "with_cpu" / "20261122-090000"
    folder.mkdir()
    second = JournalWriter(folder)
    second.append(run_started(run=folder.name))
    with pytest.raises(UsageError, match="with_cpu/20261122-090000, demo/20261101-000000"):
        find_run(None, reports, live=True)
    assert find_run("demo", reports, live=True).folder == live.path.parent
    second.close()


# Ids of new runs


def test_run_id_is_the_local_time(tmp_path: Path) -> None:
    assert new_run_id(tmp_path, NOW) == "20261122-072105"


def test_run_ids_of_the_same_second_are_numbered(tmp_path: Path) -> None:
    for expected in ("20261122-072105", "20261122-072105-2", "20261122-072105-3"):
        assert new_run_id(tmp_path, NOW) == expected
        (tmp_path / expected).mkdir()


def test_run_in_preparation_reserves_its_id(tmp_path: Path) -> None:
    (tmp_path / ".20261122-072105.new").mkdir()
    assert new_run_id(tmp_path, NOW) == "20261122-072105-2"
