"""The catalogue of profiles and runs, and how it follows changes."""

import shutil
from pathlib import Path

import pytest

from loadbench.engine.catalog import Catalog, CatalogReader
from loadbench.engine.journal.codec import FILE_NAME, VERSION
from loadbench.engine.journal.events import Event, Note, Result, RunFinished
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.run_reader import RunStatus, read_run
from loadbench.engine.studies.model import STUDY_FILE, write_study
from tests.support.builders import (
    cell_finished,
    cell_started,
    run_started,
    write_journal,
)
from tests.support.study_runs import add_device_study
from tests.support.ui_harness import BROKEN, Stage, held, lines_until

STOPPED = RunFinished(result=Result.STOPPED, reason="stopped by the user")


@pytest.fixture
def reader(stage: Stage) -> CatalogReader:
    return CatalogReader(stage.workspace)


def read(reader: CatalogReader) -> Catalog:
    """Return the catalogue, which must have changed."""
    catalog = reader.read()
    assert catalog is not None
    return catalog


def save_run(stage: Stage, run: str = "20261122-072100", *events: Event) -> Path:
    """Save a run of `demo` with the given events after its start."""
    folder = stage.root / "reports" / "demo" / run
    return write_journal(folder, run_started(run=run), *events)


def test_empty_workspace_has_an_empty_catalog(reader: CatalogReader) -> None:
    assert read(reader) == Catalog(has_profiles=True, complete=True)


def test_profiles_are_sorted_by_name_including_invalid_ones(
    stage: Stage, reader: CatalogReader
) -> None:
    stage.save_profile("b_broken", BROKEN)
    for name in ("c", "a"):
        stage.save_profile(name)

    catalog = read(reader)

    assert [saved.name for saved in catalog.profiles] == ["a", "b_broken", "c"]
    assert [saved.profile is None for saved in catalog.profiles] == [False, True, False]
    assert [bool(saved.error) for saved in catalog.profiles] == [False, True, False]
    assert (
        f"{catalog.profiles[1].file}:2: users[1]: expected a whole number, got 'ten'"
        in catalog.profiles[1].error
    )


def test_runs_are_read_newest_first(stage: Stage, reader: CatalogReader) -> None:
    stage.add_run("demo", run="20261122-111101")
    stage.add_run("faults", run="20261123-111205")
    stage.add_run("interrupted", profile="other", run="20261125-111323")

    catalog = read(reader)

    assert [(run.name, run.status) for run in catalog.of_profile("demo")] == [
        ("demo/20261123-111205", RunStatus.STOPPED),
        ("demo/20261122-111101", RunStatus.DONE),
    ]
    assert [run.status for run in catalog.of_profile("other")] == [RunStatus.INTERRUPTED]
    assert catalog.of_profile("nothing") == []
    assert catalog.complete


def test_run_in_the_catalog_has_results_but_no_samples(stage: Stage, reader: CatalogReader) -> None:
    folder = stage.add_run("interrupted")

    (run,) = read(reader).runs

    complete = read_run(folder).state
    assert complete.samples
    assert not run.state.samples
    assert (run.state.cells, run.state.current) == (complete.cells, complete.current)


def test_unchanged_workspace_returns_none(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")
    stage.save_profile("broken", BROKEN)
    stage.add_run("demo")

    read(reader)

    assert reader.read() is None
    assert reader.read() is None


def test_new_profile_is_found(stage: Stage, reader: CatalogReader) -> None:
    read(reader)

    stage.save_profile("demo")

    assert [saved.name for saved in read(reader).profiles] == ["demo"]
    assert reader.read() is None


def test_changed_profile_is_read_again(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")
    before = read(reader)

    stage.save_profile("demo", "models: [1]\nusers: [3]\nspawn_rates: [1]\n")

    (after,) = read(reader).profiles
    assert before.profiles[0].profile is not None
    assert after.profile is not None
    assert (before.profiles[0].profile.users, after.profile.users) == ((2, 8), (3,))


def test_fixed_profile_becomes_valid(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo", BROKEN)
    read(reader)

    stage.save_profile("demo")

    (after,) = read(reader).profiles
    assert after.profile is not None
    assert after.error == ""


def test_deleted_profile_disappears(stage: Stage, reader: CatalogReader) -> None:
    file = stage.save_profile("demo")
    read(reader)

    file.unlink()

    assert read(reader).profiles == ()


def test_deleted_run_disappears(stage: Stage, reader: CatalogReader) -> None:
    folder = stage.add_run("demo")
    read(reader)

    shutil.rmtree(folder)

    assert read(reader).runs == ()


def test_unreadable_journal_is_reported_without_hiding_other_runs(
    stage: Stage, reader: CatalogReader
) -> None:
    stage.add_run("demo")
    newer = save_run(stage, "20261124-000000")
    journal = newer / FILE_NAME
    journal.write_text(journal.read_text().replace(f'"v":{VERSION},', '"v":9,'))
    no_run = write_journal(stage.root / "reports" / "demo" / "20261125-000000", Note(text="a"))

    catalog = read(reader)

    assert len(catalog.runs) == 1
    assert [problem.split(": ")[0] for problem in catalog.unreadable] == [
        str(no_run / FILE_NAME),
        str(journal),
    ]
    assert "no run_started event found" in catalog.unreadable[0]
    assert "format version 9" in catalog.unreadable[1]
    assert reader.read() is None


def test_run_is_live_while_its_journal_is_locked(stage: Stage, reader: CatalogReader) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))

    with held(folder):
        (live,) = read(reader).runs
        assert reader.read() is None
    (killed,) = read(reader).runs

    assert (live.status, killed.status) == (RunStatus.LIVE, RunStatus.INTERRUPTED)


def test_growing_journal_is_read_incrementally(stage: Stage, reader: CatalogReader) -> None:
    folder = save_run(stage)
    writer = JournalWriter(folder)
    assert read(reader).runs[0].state.count(CellStatus.FINISHED) == 0

    writer.append(cell_started())
    started = read(reader).runs[0]
    writer.append(cell_finished())
    measured = read(reader).runs[0]
    writer.close()

    assert started.state.current == "m1_u2_s2"
    assert measured.state.count(CellStatus.FINISHED) == 1
    assert measured.status is RunStatus.LIVE


def test_partial_line_is_read_once_complete(stage: Stage, reader: CatalogReader) -> None:
    folder = save_run(stage, "20261122-072100", cell_started(), cell_finished())
    data = (folder / FILE_NAME).read_bytes()
    (folder / FILE_NAME).write_bytes(data[:-10])
    assert read(reader).runs[0].state.count(CellStatus.FINISHED) == 0

    (folder / FILE_NAME).write_bytes(data)

    assert read(reader).runs[0].state.count(CellStatus.FINISHED) == 1


def test_profiles_can_be_read_without_runs(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")

    assert [saved.name for saved in reader.read_profiles()] == ["demo"]
    assert read(reader).profiles == reader.read_profiles()


def test_studies_are_ranked_once_all_runs_are_known(
    stage: Stage, reader: CatalogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = add_device_study(stage.workspace.reports)
    with monkeypatch.context() as patches:
        patches.setattr("loadbench.engine.catalog.MAX_FIRST_READ_S", -1.0)
        assert read(reader).studies == ()

    catalog = read(reader)

    assert catalog.complete
    found = catalog.study("studies/devices")
    assert found is not None
    assert found.study == study
    runs = [member.run for member in found.ranking.members]
    assert runs[0] is catalog.run("with_cpu/20261122-072100")
    assert reader.read() is None


def test_a_changed_study_is_read_again(stage: Stage, reader: CatalogReader) -> None:
    study = add_device_study(stage.workspace.reports)
    read(reader)

    write_study(study.with_profiles(["later"]))

    found = read(reader).study("studies/devices")
    assert found is not None
    assert found.ranking.members[-1].is_pending


def test_a_damaged_study_is_unreadable_and_the_others_are_read(
    stage: Stage, reader: CatalogReader
) -> None:
    study = add_device_study(stage.workspace.reports)
    broken = study.folder.with_name("broken")
    broken.mkdir()
    (broken / STUDY_FILE).write_text("{")

    catalog = read(reader)

    assert [one.study.name for one in catalog.studies] == ["devices"]
    (problem,) = catalog.unreadable
    assert str(broken / STUDY_FILE) in problem
