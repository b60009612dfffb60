"""Charts as files: names, pictures, concrete colours and errors."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from loadbench.errors import ChartsUnavailableError, JournalError
from loadbench.page.charts.export import export_charts
from loadbench.page.charts.run_charts import run_charts
from tests.support.builders import run_started, state_after
from tests.support.page_runs import hundred_run, run_of

RUN = hundred_run(models=(1, 2), users=(5, 10, 20))
SVG = "{http://www.w3.org/2000/svg}"


def test_each_chart_has_an_svg_and_a_picture_of_twice_its_size(tmp_path: Path) -> None:
    paths = export_charts(run_charts(RUN), tmp_path / "new" / "charts")
    assert [path.name for path in paths[:2]] == ["latency.svg", "latency.png"]
    assert sorted(paths) == sorted((tmp_path / "new" / "charts").iterdir())
    root = ET.fromstring(paths[0].read_text())
    picture = paths[1].read_bytes()
    assert picture.startswith(b"\x89PNG")
    width = int.from_bytes(picture[16:20])
    assert width == 2 * int(root.attrib["width"])


def test_files_need_no_style_sheet(tmp_path: Path) -> None:
    for path in export_charts(run_charts(RUN), tmp_path):
        if path.suffix == ".svg":
            text = path.read_text()
            assert "var(" not in text
            assert "currentColor" not in text
            assert 'fill="#ffffff"' in text
            assert "<script" not in text


def test_files_have_title_and_caption(tmp_path: Path) -> None:
    root = ET.fromstring(export_charts(run_charts(RUN), tmp_path)[4].read_text())
    texts = "\n".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    assert "Speed-up against models" in texts
    assert "Highest throughput of all loads" in texts


def test_only_files_of_charts_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "latency.svg").write_text("old")
    export_charts(run_charts(RUN), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert "<svg" in (tmp_path / "latency.svg").read_text()
    assert not list(tmp_path.glob(".*"))


def test_a_file_in_place_of_the_folder_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "charts").write_text("a file")
    with pytest.raises(JournalError, match="charts"):
        export_charts(run_charts(RUN), tmp_path / "charts")


def test_without_vl_convert_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ChartsUnavailableError):
        export_charts(run_charts(RUN), tmp_path / "charts")
    assert not (tmp_path / "charts").exists()


def test_a_run_without_results_has_no_files(tmp_path: Path) -> None:
    assert export_charts(run_charts(run_of(state_after(run_started()))), tmp_path / "charts") == []
