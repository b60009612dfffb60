"""Profiles and runs, read again as they change."""

import shutil
from pathlib import Path

import pytest

from loadbench.engine.catalog import Catalog, CatalogReader
from loadbench.engine.journal.codec import FILE_NAME, VERSION
from loadbench.engine.journal.events import Event, Note, Result, RunFinished
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.run_reader import RunStatus, read_run
from tests.support.builders import (
    cell_finished,
    cell_started,
    run_started,
    write_journal,
)
from tests.support.ui_harness import BROKEN, Stage, held, lines_until

STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


@pytest.fixture
def reader(stage: Stage) -> CatalogReader:
    return CatalogReader(stage.workspace)


def look(reader: CatalogReader) -> Catalog:
    """What there is now, which is not what there was."""
    found = reader.read()
    assert found is not None
    return found


def fresh(stage: Stage, run: str = "20261122-072100", *events: Event) -> Path:
    """A run of `demo` with an end."""
    folder = stage.root / "reports" / "demo" / run
    return write_journal(folder, run_started(run=run), *events)


def test_an_empty_workspace_has_nothing_to_choose(reader: CatalogReader) -> None:
    assert look(reader) == Catalog(has_profiles=True, complete=True)


def test_profiles_stand_by_name_broken_ones_among_them(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("b_broken", BROKEN)
    for name in ("c", "a"):
        stage.save_profile(name)

    found = look(reader)

    assert [it.name for it in found.profiles] == ["a", "b_broken", "c"]
    assert [it.profile is None for it in found.profiles] == [False, True, False]
    assert [bool(it.error) for it in found.profiles] == [False, True, False]
    assert f"{found.profiles[1].file}:2: users[1]: 'ten'" in found.profiles[1].error


def test_runs_are_read_newest_first(stage: Stage, reader: CatalogReader) -> None:
    stage.add_run("demo", run="20261122-111101")
    stage.add_run("faults", run="20261123-111205")
    stage.add_run("interrupted", profile="other", run="20261125-111323")

    found = look(reader)

    assert [(run.name, run.status) for run in found.of_profile("demo")] == [
        ("demo/20261123-111205", RunStatus.STOPPED),
        ("demo/20261122-111101", RunStatus.DONE),
    ]
    assert [run.status for run in found.of_profile("other")] == [RunStatus.INTERRUPTED]
    assert found.of_profile("nothing") == []
    assert found.complete


def test_a_run_in_the_catalog_has_its_results_and_no_samples(
    stage: Stage, reader: CatalogReader
) -> None:
    folder = stage.add_run("interrupted")

    (run,) = look(reader).runs

    whole = read_run(folder).state
    assert whole.samples
    assert not run.state.samples
    assert (run.state.cells, run.state.current) == (whole.cells, whole.current)


def test_what_has_not_changed_is_not_told_again(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")
    stage.save_profile("broken", BROKEN)
    stage.add_run("demo")

    look(reader)

    assert reader.read() is None
    assert reader.read() is None


def test_a_new_profile_is_seen(stage: Stage, reader: CatalogReader) -> None:
    look(reader)

    stage.save_profile("demo")

    assert [it.name for it in look(reader).profiles] == ["demo"]
    assert reader.read() is None


def test_a_changed_profile_is_read_again(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")
    before = look(reader)

    stage.save_profile("demo", "models: [1]\nusers: [3]\nspawn_rates: [1]\n")

    (after,) = look(reader).profiles
    assert before.profiles[0].profile is not None
    assert after.profile is not None
    assert (before.profiles[0].profile.users, after.profile.users) == ((2, 8), (3,))


def test_a_profile_that_was_mended_is_valid(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo", BROKEN)
    look(reader)

    stage.save_profile("demo")

    (after,) = look(reader).profiles
    assert after.profile is not None
    assert after.error == ""


def test_a_profile_that_is_gone_is_not_there(stage: Stage, reader: CatalogReader) -> None:
    file = stage.save_profile("demo")
    look(reader)

    file.unlink()

    assert look(reader).profiles == ()


def test_a_run_that_is_gone_is_not_there(stage: Stage, reader: CatalogReader) -> None:
    folder = stage.add_run("demo")
    look(reader)

    shutil.rmtree(folder)

    assert look(reader).runs == ()


def test_a_journal_that_cannot_be_read_is_told_and_the_others_are_there(
    stage: Stage, reader: CatalogReader
) -> None:
    stage.add_run("demo")
    bad = fresh(stage, "20261124-000000")
    journal = bad / FILE_NAME
    journal.write_text(journal.read_text().replace(f'"v":{VERSION},', '"v":9,'))
    none = write_journal(stage.root / "reports" / "demo" / "20261125-000000", Note(text="a"))

    found = look(reader)

    assert len(found.runs) == 1
    assert [problem.split(": ")[0] for problem in found.unreadable] == [
        str(none / FILE_NAME),
        str(journal),
    ]
    assert "no run_started event found" in found.unreadable[0]
    assert "format version 9" in found.unreadable[1]
    assert reader.read() is None


def test_a_run_is_live_while_its_journal_is_held(stage: Stage, reader: CatalogReader) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))

    with held(folder):
        (live,) = look(reader).runs
        assert reader.read() is None
    (killed,) = look(reader).runs

    assert (live.status, killed.status) == (RunStatus.LIVE, RunStatus.INTERRUPTED)


def test_a_journal_that_grows_is_read_on(stage: Stage, reader: CatalogReader) -> None:
    folder = fresh(stage)
    writer = JournalWriter(folder)
    assert look(reader).runs[0].state.count(CellStatus.FINISHED) == 0

    writer.append(cell_started())
    begun = look(reader).runs[0]
    writer.append(cell_finished())
    measured = look(reader).runs[0]
    writer.close()

    assert begun.state.current == "m1_u2_s2"
    assert measured.state.count(CellStatus.FINISHED) == 1
    assert measured.status is RunStatus.LIVE


def test_a_journal_of_which_half_a_line_is_there_is_read_on_later(
    stage: Stage, reader: CatalogReader
) -> None:
    whole = fresh(stage, "20261122-072100", cell_started(), cell_finished())
    data = (whole / FILE_NAME).read_bytes()
    (whole / FILE_NAME).write_bytes(data[:-10])
    assert look(reader).runs[0].state.count(CellStatus.FINISHED) == 0

    (whole / FILE_NAME).write_bytes(data)

    assert look(reader).runs[0].state.count(CellStatus.FINISHED) == 1


def test_profiles_can_be_read_alone(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")

    assert [it.name for it in reader.read_profiles()] == ["demo"]
    assert look(reader).profiles == reader.read_profiles()
