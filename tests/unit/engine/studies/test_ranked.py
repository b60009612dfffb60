"""What a study depends on: later entries of a profile, unchanged runs, and other commands."""

import os
import threading
from pathlib import Path

from loadbench.engine.hardware.revision import Revision
from loadbench.engine.run_reader import read_run
from loadbench.engine.studies.doubts import doubts
from loadbench.engine.studies.members import members_of
from loadbench.engine.studies.model import (
    StudyEntry,
    locked_study,
    open_study,
    read_study,
    study_folder,
    write_study,
)
from loadbench.engine.studies.ranked import StudyReader, rank_study
from loadbench.engine.studies.sentences import sentences
from tests.support.study_runs import GOALS, add_run, add_study

FAST = {"m1_u2_s2": 100.0}


def test_an_entry_without_a_run_counts_until_the_profile_has_a_later_one(tmp_path: Path) -> None:
    refused, pending = StudyEntry(profile="gpu", refused="no GPU"), StudyEntry(profile="gpu")
    run = add_run(tmp_path, "gpu", FAST, goals=GOALS)
    study = add_study(tmp_path, "devices", [refused, pending, run, StudyEntry(profile="later")])

    assert [member.entry for member in members_of(study)] == [run, study.entries[-1]]
    first, *rest = sentences(rank_study(study).ranking)
    assert first.startswith("So far: ")
    assert rest == ["Not started: later."]


def test_studies_are_ranked_again_only_if_their_runs_have_changed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        add_study(tmp_path, name, [add_run(tmp_path, name, FAST)])
    folders = [tmp_path / name / "20261122-072100" for name in ("one", "two")]
    runs = [read_run(folder) for folder in folders]
    reader = StudyReader()
    (first, second), _ = reader.read(tmp_path, runs)

    again, _ = reader.read(tmp_path, runs)
    assert again == (first, second)
    assert again[0] is first
    assert again[1] is second
    changed = {first.study.name: read_run(tmp_path / first.study.name / "20261122-072100")}
    newer = [changed.get(run.folder.parent.name, run) for run in runs]
    after, _ = reader.read(tmp_path, newer)
    assert [one is before for one, before in zip(after, again, strict=True)] == [False, True]


def test_a_deleted_run_is_noticed(tmp_path: Path) -> None:
    study = add_study(tmp_path, "one", [add_run(tmp_path, "one", FAST)])
    journal = tmp_path / "one" / "20261122-072100" / "journal.jsonl"
    reader = StudyReader()
    reader.read(tmp_path, [read_run(journal.parent)])
    journal.unlink()

    ((ranked,), _) = reader.read(tmp_path, [])
    assert ranked.study.folder == study.folder
    assert ranked.ranking.members[0].problem.endswith("was deleted or moved")


def test_commands_change_a_study_one_after_the_other(tmp_path: Path) -> None:
    """Add profiles from several threads, each of which reads, waits for the others and writes."""
    folder, names = study_folder("devices", tmp_path), [f"p{number}" for number in range(8)]
    start = threading.Barrier(len(names))

    def add(name: str) -> None:
        start.wait()
        with locked_study(folder):
            study = open_study("devices", tmp_path)
            os.sched_yield()
            write_study(study.with_profiles([name]))

    threads = [threading.Thread(target=add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(entry.profile for entry in read_study(folder).entries) == names


def test_different_revisions_are_a_doubt(tmp_path: Path) -> None:
    def revision(commit: str, *, has_changes: bool) -> Revision:
        return Revision(folder="/srv/shop", commit=commit, has_changes=has_changes)

    before = revision("a" * 40, has_changes=False)
    after = revision("a" * 40, has_changes=True)
    entries = [
        add_run(tmp_path, "one", FAST, started={"revisions": (before,)}),
        add_run(tmp_path, "two", FAST, started={"revisions": (after,)}),
    ]
    found = doubts(rank_study(add_study(tmp_path, "devices", entries)).ranking)

    text = "Different Git revisions: aaaaaaaaaa (one); aaaaaaaaaa (with uncommitted changes) (two)"
    assert text in found


def test_different_load_settings_are_a_doubt(tmp_path: Path) -> None:
    entries = [
        add_run(tmp_path, "one", FAST, load={"timeout": 30}, run_time=10),
        add_run(tmp_path, "two", FAST, load={"timeout": 5}, run_time=20),
    ]
    found = doubts(rank_study(add_study(tmp_path, "devices", entries)).ranking)

    assert "Different load.timeout: 30.0 (one); 5.0 (two)" in found
    assert "Different run_time: 10.0 (one); 20.0 (two)" in found


def test_first_sentence_names_few_runs(tmp_path: Path) -> None:
    entries = [
        add_run(tmp_path, f"p{number}", {"m1_u2_s2": 100.0, "m1_u4_s2": 900.0}, users=[2, 4])
        for number in range(30)
    ]
    study = add_study(tmp_path, "devices", entries)
    first = sentences(rank_study(study).ranking)[0]

    assert first.count("(p") == 6
    assert "and 24 more" in first
