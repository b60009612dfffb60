"""The file of a study: what is stored, names, and files from elsewhere."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.bounds.files import read_file
from loadbench.engine.run_lookup import find_run_folder, run_folders
from loadbench.engine.studies.model import (
    MAX_BYTES,
    STUDY_FILE,
    Study,
    StudyEntry,
    check_name,
    find_study,
    open_study,
    read_study,
    study_folders,
    write_study,
)
from loadbench.errors import StudyError, UsageError
from tests.support.study_runs import REFUSED, add_run, add_study

RECORD: dict[str, Any] = {
    "version": 1,
    "name": "devices",
    "created_at": "2026-11-22T07:21:00.000Z",
    "entries": [{"profile": "with_cpu", "run": "20261122-072100", "refused": ""}],
}


def write(reports: Path, **changes: Any) -> Path:
    """Write the file of a study with changed fields, and return its folder."""
    folder = reports / "studies" / "devices"
    folder.mkdir(parents=True)
    (folder / STUDY_FILE).write_text(json.dumps({**RECORD, **changes}))
    return folder


def test_a_study_is_read_as_it_was_written(tmp_path: Path) -> None:
    entries = (
        StudyEntry(profile="with_cpu", run="20261122-072100"),
        StudyEntry(profile="with_gpu", refused=REFUSED),
        StudyEntry(profile="batch_10"),
    )
    study = add_study(tmp_path, "devices", entries)

    assert read_study(study.folder) == study
    assert study.run_folder(entries[0]) == tmp_path / "with_cpu" / "20261122-072100"


def test_only_facts_are_stored(tmp_path: Path) -> None:
    study = add_study(tmp_path, "devices", [StudyEntry(profile="with_cpu", run="20261122-072100")])

    stored = json.loads((study.folder / STUDY_FILE).read_text())

    assert stored == RECORD


def test_a_new_study_has_no_entries_and_no_file(tmp_path: Path) -> None:
    study = open_study("devices", tmp_path)

    assert study.entries == ()
    assert not study.folder.exists()


def test_profiles_are_added_to_an_existing_study(tmp_path: Path) -> None:
    add_study(tmp_path, "devices", [StudyEntry(profile="with_cpu", run="20261122-072100")])

    study = open_study("devices", tmp_path).with_profiles(["with_gpu"])
    write_study(study.with_entry(1, StudyEntry(profile="with_gpu", refused=REFUSED)))

    assert [(entry.profile, bool(entry.refused)) for entry in read_study(study.folder).entries] == [
        ("with_cpu", False),
        ("with_gpu", True),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"created_at": "yesterday"},
        {"created_at": "2026-11-22T07:21:00"},
        {"entries": None},
        {"entries": [{"profile": "with_cpu", "run": "../../../etc", "refused": ""}]},
        {"entries": [{"profile": "..", "run": "", "refused": ""}]},
        {"entries": [{"profile": "", "run": "", "refused": ""}]},
        {"entries": [{"profile": "x" * 300, "run": "", "refused": ""}]},
        {"entries": [{"profile": "with_cpu", "run": 3, "refused": ""}]},
    ],
)
def test_a_file_with_other_contents_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = write(tmp_path, **changes)

    with pytest.raises(StudyError, match="not a study that this version can read"):
        read_study(folder)


def test_the_first_wrong_field_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, entries=[{"profile": "with_cpu", "run": 3, "refused": ""}])

    with pytest.raises(StudyError) as caught:
        read_study(folder)

    assert str(caught.value) == (
        f"{folder / STUDY_FILE} is not a study that this version can read: "
        "entries.0.run: Input should be a valid string"
    )


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_refused(tmp_path: Path, data: bytes) -> None:
    folder = write(tmp_path)
    (folder / STUDY_FILE).write_bytes(data)

    with pytest.raises(StudyError, match=STUDY_FILE):
        read_study(folder)


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    folder = write(tmp_path)
    os.truncate(folder / STUDY_FILE, 100 * MAX_BYTES)

    with pytest.raises(StudyError, match="larger than 4 MB"):
        read_study(folder)


def test_a_fifo_or_folder_is_refused_without_waiting(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / STUDY_FILE).unlink()
    os.mkfifo(folder / STUDY_FILE)
    with pytest.raises(StudyError):
        read_study(folder)
    (folder / STUDY_FILE).unlink()
    (folder / STUDY_FILE).mkdir()
    with pytest.raises(StudyError):
        read_study(folder)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="No such file"):
        read_study(tmp_path / "studies" / "none")


def test_a_long_reason_is_cut_off(tmp_path: Path) -> None:
    entry = {"profile": "with_gpu", "run": "", "refused": "line\n" * 10_000}
    folder = write(tmp_path, entries=[entry])

    (read,) = read_study(folder).entries

    assert len(read.refused) <= 1000
    assert "\n" not in read.refused


@pytest.mark.parametrize("name", ["devices", "CPU or GPU", "2026-11", "v1.2", "Vergleich_ä", "x"])
def test_names_are_letters_digits_and_a_few_signs(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", ".", "..", ".hidden", "-x", "a/b", "a\\b", "a\nb", "a\0b", "a ", "a."),
        *("latest", "20261122-072100", "20261122-072100-2", "x" * 61),
    ],
)
def test_other_names_are_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(UsageError, match="Use at most 60 letters, digits"):
        check_name(name)


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    study = add_study(tmp_path, check_name("\N{GOTHIC LETTER AHSA}" * 60), [])

    assert study_folders(tmp_path) == [study.folder]


@pytest.mark.parametrize("name", ["devices", "studies/devices", "devices/", "{folder}"])
def test_a_study_is_found_by_name_and_folder(tmp_path: Path, name: str) -> None:
    study = add_study(tmp_path, "devices", [])

    assert find_study(name.format(folder=study.folder), tmp_path) == study


@pytest.mark.parametrize("name", ["", "other", "studies", "with_cpu/devices", "..", "studies/.."])
def test_other_names_find_no_study(tmp_path: Path, name: str) -> None:
    add_study(tmp_path, "devices", [])

    assert find_study(name, tmp_path) is None


def test_studies_are_listed_by_their_latest_change(tmp_path: Path) -> None:
    first, second = add_study(tmp_path, "first", []), add_study(tmp_path, "second", [])
    os.utime(second.folder / STUDY_FILE, (1, 1))
    (tmp_path / "studies" / "empty").mkdir()

    assert study_folders(tmp_path) == [first.folder, second.folder]
    assert study_folders(tmp_path / "none") == []


def test_a_profile_named_studies_has_its_runs_beside_the_studies(tmp_path: Path) -> None:
    study = add_study(tmp_path, "devices", [add_run(tmp_path, "studies", {"m1_u2_s2": 10.0})])
    folder = tmp_path / "studies" / "20261122-072100"
    (tmp_path / "studies" / "latest").symlink_to(folder.name)

    assert list(run_folders(tmp_path)) == [folder]
    assert find_run_folder("studies", tmp_path) == folder
    assert study_folders(tmp_path) == [study.folder]
    assert find_study("studies", tmp_path) is None
    assert find_study("studies/20261122-072100", tmp_path) is None


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    study = add_study(tmp_path, "devices", [])

    write_study(study.with_profiles(["with_cpu"]))

    assert [file.name for file in study.folder.iterdir()] == [STUDY_FILE]
    assert b"with_cpu" in read_file(study.folder / STUDY_FILE, max_bytes=MAX_BYTES)


def test_a_study_knows_its_reports_folder() -> None:
    study = Study(folder=Path("reports/studies/devices"), created_at="")

    assert (study.name, study.full_name) == ("devices", "studies/devices")
    assert study.reports == Path("reports")
