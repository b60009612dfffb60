"""Tests of a study as Markdown."""

from pathlib import Path

from loadbench.engine.studies.model import StudyEntry
from loadbench.engine.studies.ranked import rank_study
from loadbench.page.markdown import MAX_BYTES
from loadbench.page.study_markdown import markdown_of_study
from tests.support.study_runs import add_device_study, add_run, add_study

LATENCIES = {"m1_u2_s2": 100.0}


def test_first_line_ranks_and_refused_profile_is_named(tmp_path: Path) -> None:
    lines = markdown_of_study(rank_study(add_device_study(tmp_path))).splitlines()

    assert lines[0].startswith("**2 GPU containers at batch 10 (with_gpu) carry the most")
    assert any("two_gpus was refused: device: gpu requires a GPU" in line for line in lines)
    assert sum(line.startswith("| ") for line in lines) == 8


def test_names_stay_text_and_length_is_limited(tmp_path: Path) -> None:
    entries = [add_run(tmp_path, f"p{number}|<b>@user", LATENCIES) for number in range(150)]
    entries += [StudyEntry(profile="x", refused="@team " * 100) for _ in range(150)]
    markdown = markdown_of_study(rank_study(add_study(tmp_path, "many", entries)))

    assert len(markdown.encode()) <= MAX_BYTES
    assert "more configurations, see summary.html" in markdown
    assert "<b>" not in markdown
    assert "@team" not in markdown
    assert "@user" not in markdown
