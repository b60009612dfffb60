"""A run as Markdown."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from loadbench.engine.hardware.revision import Revision
from loadbench.engine.journal.events import Event, Result, RunFinished
from loadbench.engine.run_reader import Run, read_run
from loadbench.page.markdown import MAX_BYTES, markdown_of
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    write_journal,
)
from tests.support.golden import JOURNALS
from tests.support.hostile import hostile_journal, unsafe_characters

MARKDOWN = MarkdownIt("commonmark").enable("table")
DONE = RunFinished(result=Result.DONE, reason="every cell has ended")
NAMES = [path.relative_to(JOURNALS).with_suffix("") for path in JOURNALS.rglob("*.jsonl")]


def read(name: str | Path, tmp_path: Path) -> Run:
    folder = tmp_path / "fast" / "20261122-111101"
    folder.mkdir(parents=True)
    shutil.copy(JOURNALS / f"{name}.jsonl", folder / "journal.jsonl")
    return read_run(folder)


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_every_run_starts_with_its_answer_and_has_all_cells(name: Path, tmp_path: Path) -> None:
    run = read(name, tmp_path)

    lines = markdown_of(run).splitlines()

    assert lines[0].startswith("**")
    assert lines[0].endswith(".**")
    for row in run.rows:
        assert any(line.startswith(f"| {row.cell} |") for line in lines), row.cell
    assert any(line.startswith("- Run: fast/20261122-111101, ") for line in lines)


def test_cells_are_marked_with_words(tmp_path: Path) -> None:
    lines = markdown_of(read("faults", tmp_path)).splitlines()
    endings = {line.split(" | ")[0]: line for line in lines if line.startswith("| m")}
    assert endings["| m1_u1_s8"].endswith(" | - | ❌ failed |")
    assert endings["| m1_u2_s8"].endswith(" | ❔ undecided | valid |")
    assert endings["| m1_u4_s8"].endswith(" | ❔ undecided | ⚠️ suspect |")
    assert endings["| m2_u4_s8"].endswith(" | - | skipped |")


def test_goals_are_marked_with_words(tmp_path: Path) -> None:
    document = markdown_of(read("decisions/saturating", tmp_path))
    assert "| m2_u32_s50 | 90.0 | 350 | 530 | 610 | 0 | ✅ pass | valid |" in document
    assert "| m2_u64_s50 | 90.0 | 680 | 1000 | 1200 | 0 | ❌ miss | valid |" in document
    assert "- m2_u64_s50: p95 1000 ms misses the goal of 600 ms\n" in document
    assert "| 2 | 32 users | 90.0 | 1.80 | 90 % |" in document


def test_failed_cells_have_their_last_log_lines(tmp_path: Path) -> None:
    lines = tuple(f"line {number} of ``` @user" for number in range(9))
    failed = [
        replace(cell_failed(key), reason="model-1 ended | <b>", log_lines=lines)
        for key in ("m1_u2_s2", "m2_u2_s2")
    ]
    events = [event for one in failed for event in (cell_started(one.cell), one)]
    folder = save(tmp_path, run_started(make_profile(models=[1, 2])), *events, DONE)

    document = markdown_of(read_run(folder))

    assert "**m1_u2_s2, m2_u2_s2 failed:** model-1 ended &#124; &lt;b&gt;\n" in document
    expected = "\n".join(lines[-5:])
    assert f"\n````text\n{expected}\n````\n" in document
    assert document.count("line 8") == 1


def test_the_run_has_its_label_and_its_revisions(tmp_path: Path) -> None:
    revision = Revision(folder="/project", commit="0123456789" * 4, has_changes=True)
    started = replace(run_started(), label="@new | images", revisions=(revision,))
    folder = save(tmp_path, started, cell_started(), cell_finished(), DONE)

    document = markdown_of(read_run(folder))

    assert "20261122-072100 (@<!-- -->new &#124; images), done, 1 cell: 1 measured\n" in document
    assert "- Revision: 0123456789 (with uncommitted changes)\n" in document


def test_a_profile_that_this_version_cannot_read_has_tables(tmp_path: Path) -> None:
    started = replace(run_started(), profile={"from": "the future"})
    folder = save(tmp_path, started, cell_started(), cell_finished(), DONE)

    document = markdown_of(read_run(folder))

    assert document.startswith("**This version cannot read the profile of the run")
    assert "| m1_u2_s2 |" in document


def test_a_run_without_results_has_an_answer(tmp_path: Path) -> None:
    assert markdown_of(read_run(save(tmp_path, run_started()))).startswith("**No results yet.**\n")


def test_if_cells_do_not_fit_the_important_ones_are_kept(tmp_path: Path) -> None:
    profile = make_profile(users=list(range(1, 1200)), goals={"p95_ms": 1000})
    started = run_started(profile)
    failed = [started.cells[5].key, started.cells[1100].key]
    events = [
        event
        for cell in started.cells
        for event in (
            cell_started(cell.key),
            replace(cell_failed(cell.key), reason=f"ended {cell.key}")
            if cell.key in failed
            else cell_finished(cell.key),
        )
    ]
    run = read_run(save(tmp_path, started, *events, DONE))

    document = markdown_of(run)

    assert len(document.encode()) <= MAX_BYTES
    shown = [line for line in document.splitlines() if line.startswith("| m1_")]
    assert set(failed) <= {line.split()[1] for line in shown}
    assert f"\n{len(run.rows) - len(shown)} more cells, see summary.html.\n" in document


def test_no_run_exceeds_the_limit(tmp_path: Path) -> None:
    profile = make_profile(models=list(range(1, 200)))
    started = run_started(profile)
    lines = ("@#$" * 100,) * 5
    events = [
        event
        for cell in started.cells
        for event in (
            cell_started(cell.key),
            replace(cell_failed(cell.key), reason=f"{cell.key} {'$@' * 250}", log_lines=lines),
        )
    ]

    document = markdown_of(read_run(save(tmp_path, started, *events, DONE)))

    assert 1000 < len(document.encode()) <= MAX_BYTES
    assert " more cells, see summary.html." in document
    assert document.count("```") % 2 == 0


@pytest.mark.parametrize("name", ["demo", "faults"])
def test_hostile_names_are_printable_text(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "fast" / "20261122-111101"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("\n".join([*hostile_journal(name), ""]))

    document = markdown_of(read_run(folder))

    # The emoji of the marks have an invisible variation selector.
    assert not unsafe_characters(document)
    markup = MARKDOWN.render(document)
    assert "<a " not in markup
    assert "<img" not in markup
    document.encode("utf-8")


def save(tmp_path: Path, *events: Event) -> Path:
    return write_journal(tmp_path / "fast" / "20261122-072100", *events)
