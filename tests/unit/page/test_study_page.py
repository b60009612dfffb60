"""Tests of the page of a study."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from loadbench.engine.studies.model import StudyEntry
from loadbench.engine.studies.ranked import rank_study
from loadbench.page.charts.palette import PAGE
from loadbench.page.charts.study_charts import study_charts
from loadbench.page.content.study_page import study_page
from loadbench.page.render import DrawnCharts, render_study
from loadbench.page.write import write_page
from tests.support.study_runs import GOALS, REFUSED, add_device_study, add_run, add_study

NOW = datetime(2026, 12, 2, 7, 0, tzinfo=UTC)
LATENCIES = {"m1_u2_s2": 100.0}


def test_first_sentence_ranks_and_refused_profile_is_named(tmp_path: Path) -> None:
    study = add_device_study(tmp_path)
    page = study_page(rank_study(study))

    assert page.answer.startswith("2 GPU containers at batch 10 (with_gpu) carry the most")
    assert page.configurations is not None
    assert [row[0].text for row in page.configurations.rows] == ["1", "2", "3", "4", "-", "-"]
    refused = page.profiles.rows[-1]
    assert (refused[0].text, refused[2].text, refused[4].text) == (
        "two_gpus",
        "✗ refused",
        REFUSED,
    )
    html = render_study(page, DrawnCharts(), NOW)
    assert f"two_gpus was refused: {REFUSED}." in html


def test_runs_are_linked_once_they_have_a_page(tmp_path: Path) -> None:
    study = add_device_study(tmp_path)
    write_page(tmp_path / "with_cpu" / "20261122-072100")
    page = study_page(rank_study(study))

    assert [row[1].href for row in page.profiles.rows] == [
        "../../with_cpu/20261122-072100/summary.html",
        *("", "", ""),
    ]


def test_deleted_and_pending_profiles_are_named(tmp_path: Path) -> None:
    gone = StudyEntry(profile="gone", run="20261122-072100")
    study = add_study(tmp_path, "some", [add_run(tmp_path, "with_cpu", LATENCIES), gone])
    study = study.with_profiles(["later"])
    page = study_page(rank_study(study))

    assert [row[2].text for row in page.profiles.rows] == ["done", "✗ no results", "not started"]
    assert "deleted or moved" in page.profiles.rows[1][4].text


def test_charts_show_every_configuration_and_the_best_of_each_run(tmp_path: Path) -> None:
    charts = study_charts(rank_study(add_device_study(tmp_path)))

    bars, latency, throughput = charts
    assert [chart.key for chart in charts] == ["configurations", "latency", "throughput"]
    names = [record["name"] for record in bars.spec(PAGE)["data"]["values"]]
    assert names[0] == "2 GPU containers at batch 10 (with_gpu)"
    assert len(names) == 4
    for chart in (latency, throughput):
        layers = chart.spec(PAGE)["layer"]
        points = next(one["data"]["values"] for one in layers if one["mark"]["type"] == "point")
        assert {one["series"] for one in points} == {"with_gpu × 2", "with_cpu × 2"}


def test_runs_with_long_names_have_different_lines(tmp_path: Path) -> None:
    name = "a_profile_with_a_very_long_name_for_the_gpu"
    entries = [
        add_run(tmp_path, name, LATENCIES, run="20261122-072100"),
        add_run(tmp_path, name, LATENCIES, run="20261122-072101"),
    ]
    charts = study_charts(rank_study(add_study(tmp_path, "some", entries)))

    latency = next(chart for chart in charts if chart.key == "latency")
    layers = latency.spec(PAGE)["layer"]
    points = next(one["data"]["values"] for one in layers if one["mark"]["type"] == "point")
    assert len({one["series"] for one in points}) == 2


def test_runs_with_different_goals_have_no_charts(tmp_path: Path) -> None:
    entries = [
        add_run(tmp_path, "one", LATENCIES, goals=GOALS),
        add_run(tmp_path, "two", LATENCIES, goals={"p95_ms": 300}),
    ]
    study = add_study(tmp_path, "some", entries)

    assert study_charts(rank_study(study)) == ()
    page = write_page(study.folder).path.read_text(encoding="utf-8")
    assert "cannot be ranked, because the goals differ" in page


def test_names_with_markup_stay_text(tmp_path: Path) -> None:
    entries = [
        add_run(tmp_path, "<script>alert(1)<b>", LATENCIES),
        StudyEntry(profile="other", refused="<img src=x>"),
    ]
    study = add_study(tmp_path, "some", entries)
    page = write_page(study.folder).path.read_text(encoding="utf-8")

    assert "<script" not in page
    assert "<img" not in page
    svg = page[page.index("<svg") : page.index("</svg>") + 6]
    assert ET.fromstring(svg).tag.endswith("svg")
