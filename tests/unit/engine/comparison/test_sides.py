"""Which runs names stand for."""

from pathlib import Path

import pytest

from loadbench.engine.comparison.sides import SelectedSides, find_sides, side_pair
from loadbench.engine.requests.labelling import set_label
from loadbench.engine.run_reader import read_run
from loadbench.engine.studies.model import StudyEntry
from loadbench.errors import JournalError, StudyError, UsageError
from tests.support.study_runs import add_run, add_study

CELL = {"m1_u2_s2": 100.0}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Three runs: the newest is that of the profile `new`."""
    add_run(tmp_path, "old", CELL, run="20261122-072100")
    add_run(tmp_path, "old", CELL, run="20261122-072200")
    add_run(tmp_path, "new", CELL, run="20261122-072300")
    return tmp_path


def pairs(found: SelectedSides) -> list[tuple[str, str]]:
    return [(pair.before.run.name, pair.after.run.name) for pair in found.pairs]


def test_profiles_stand_for_their_newest_runs_and_the_first_is_the_baseline(reports: Path) -> None:
    assert pairs(find_sides(["old", "new", "20261122-072100"], reports)) == [
        ("old/20261122-072200", "new/20261122-072300"),
        ("old/20261122-072200", "old/20261122-072100"),
    ]


def test_numbers_count_from_the_newest_run(reports: Path) -> None:
    assert pairs(find_sides(["2", "1"], reports)) == pairs(find_sides(["old", "new"], reports))


def test_the_name_of_a_profile_and_a_label_take_precedence_over_a_number(reports: Path) -> None:
    add_run(reports, "2", CELL, run="20261122-072400")
    set_label(reports / "old" / "20261122-072100", "3")
    assert pairs(find_sides(["2", "3"], reports)) == [("2/20261122-072400", "old/20261122-072100")]


def test_a_study_takes_precedence_over_a_number(reports: Path) -> None:
    members = [
        StudyEntry(profile="old", run="20261122-072100"),
        StudyEntry(profile="old", run="20261122-072200"),
    ]
    add_study(reports, "1", members)

    assert pairs(find_sides(["1"], reports)) == [("old/20261122-072100", "old/20261122-072200")]


@pytest.mark.parametrize("name", ["0", "4", "-1", "9" * 5000, "٢", "", "missing", "a\x1b[31m"])
def test_other_names_are_rejected(reports: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no run"):
        find_sides(["1", name], reports)


@pytest.mark.parametrize("names", [[], ["old"]])
def test_fewer_than_two_runs_are_rejected_with_advice(reports: Path, names: list[str]) -> None:
    with pytest.raises(UsageError, match=r"requires 2 runs.*baseline and a candidate"):
        find_sides(names, reports)


def test_the_same_run_twice_is_allowed(reports: Path) -> None:
    assert pairs(find_sides(["new", "1"], reports)) == [("new/20261122-072300",) * 2]


def test_a_damaged_journal_is_an_error(reports: Path) -> None:
    (reports / "new" / "20261122-072300" / "journal.jsonl").write_text("garbage\n")
    with pytest.raises(JournalError, match=r"no run_started|damaged"):
        find_sides(["new", "old"], reports)


def test_a_study_stands_for_its_runs_in_order(reports: Path) -> None:
    entries = [
        StudyEntry(profile="new", run="20261122-072300"),
        StudyEntry(profile="gone", refused="it requires a GPU."),
        StudyEntry(profile="old", run="20261122-072100"),
        StudyEntry(profile="later"),
    ]
    add_study(reports, "devices", entries)
    expected = [("new/20261122-072300", "old/20261122-072100")]
    for name in ("studies/devices", "devices", str(reports / "studies" / "devices")):
        found = find_sides([name], reports)
        assert pairs(found) == expected
        assert found.missing == (
            "gone has no results in studies/devices: it requires a GPU",
            "later has no results in studies/devices: it was not started",
        )


def test_studies_are_compared_by_profile(reports: Path) -> None:
    add_run(reports, "new", CELL, run="20261122-080000")
    add_run(reports, "extra", CELL, run="20261122-080000")
    old = StudyEntry(profile="old", run="20261122-072200")
    add_study(reports, "before", [StudyEntry(profile="new", run="20261122-072300"), old])
    later = [StudyEntry(profile=name, run="20261122-080000") for name in ("extra", "new")]
    add_study(reports, "after", later)

    found = find_sides(["before", "after"], reports)
    assert pairs(found) == [("new/20261122-072300", "new/20261122-080000")]
    assert found.missing == (
        "old has no results in studies/after",
        "extra has no results in studies/before",
    )


def test_studies_without_a_common_profile_are_rejected(reports: Path) -> None:
    for name, run in (("new", "20261122-072300"), ("old", "20261122-072200")):
        add_study(reports, f"of {name}", [StudyEntry(profile=name, run=run)])
    with pytest.raises(UsageError, match="no profile has results in both studies/of new and"):
        find_sides(["of new", "of old"], reports)


def test_a_study_that_cannot_be_read_is_an_error(reports: Path) -> None:
    study = add_study(reports, "devices", [])
    (study.folder / "study.json").write_text("{}")
    with pytest.raises(StudyError, match="not a study"):
        find_sides(["studies/devices", "new"], reports)


def test_names_of_sides_are_as_short_as_possible(reports: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    add_run(elsewhere, "new", CELL, run="20261122-072300")
    new, old, first, other = (
        read_run(folder)
        for folder in (
            reports / "new" / "20261122-072300",
            reports / "old" / "20261122-072200",
            reports / "old" / "20261122-072100",
            elsewhere / "new" / "20261122-072300",
        )
    )
    names = [
        (pair.before.name, pair.after.name)
        for pair in (side_pair(new, old), side_pair(first, old), side_pair(new, other))
    ]
    assert names == [
        ("new", "old"),
        ("old/20261122-072100", "old/20261122-072200"),
        (str(new.folder), str(other.folder)),
    ]
