"""Drawn charts: well-formed, safe, small, and the same in any order."""

import sys
from xml.etree import ElementTree as ET

import pytest

from loadbench.errors import ChartsUnavailableError
from loadbench.page.charts.chart import PageChart
from loadbench.page.charts.draw import drawn
from loadbench.page.charts.palette import PAGE
from loadbench.page.charts.run_charts import run_charts
from loadbench.page.charts.svg import inline_svg
from tests.support.hundred_cells import HOSTILE
from tests.support.page_runs import hundred_run

MAX_BYTES = 350_000
CHARTS = run_charts(hundred_run())
SVGS = drawn(CHARTS)
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "g", "path", "line", "rect", "text", "title", "defs", "clipPath"}


def test_all_charts_of_100_cells_are_small() -> None:
    assert sum(len(svg.encode()) for svg in SVGS.values()) < MAX_BYTES


@pytest.mark.parametrize("key", SVGS)
def test_only_shapes_and_text_without_references(key: str) -> None:
    root = ET.fromstring(SVGS[key])
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ELEMENTS
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
        assert not [value for value in element.attrib.values() if "//" in value]
    assert "<style" not in SVGS[key]


@pytest.mark.parametrize("key", SVGS)
def test_the_root_is_an_image_that_scales(key: str) -> None:
    root = ET.fromstring(SVGS[key])
    assert root.get("role") == "img"
    assert root.get("aria-label") == next(one.title for one in CHARTS if one.key == key)
    assert root.get("viewBox")
    assert not {"width", "height"} & set(root.keys())


def test_names_stay_text() -> None:
    root = ET.fromstring(SVGS["latency"])
    assert f"POST /{HOSTILE} p95 (ms), log scale" in [text.text for text in root.iter(f"{SVG}text")]
    assert "<script" not in "".join(SVGS.values())


def test_marks_have_tooltips_that_nothing_covers() -> None:
    root = ET.fromstring(SVGS["heatmap"])
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert len(titles) == 100
    assert "1 model, 1 user: p95 37.0 ms, meets the goals" in titles
    labels = [group for group in root.iter(f"{SVG}g") if len(group.findall(f"{SVG}text")) == 100]
    assert [group.get("pointer-events") for group in labels] == ["none"]


def test_bytes_do_not_depend_on_the_order_of_drawing() -> None:
    assert drawn(reversed(CHARTS)) == SVGS


def test_ids_have_the_key_of_their_chart() -> None:
    text = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" viewBox="0 0 9 9"><defs>'
        '<clipPath id="clip7"><rect width="9" height="9"/></clipPath></defs>'
        '<g clip-path="url(#clip7)"><path d="M0,0h1" stroke="red"/></g></svg>'
    )
    svg = inline_svg(text, "latency", "Latency", PAGE)
    assert 'id="latency-1"' in svg
    assert 'clip-path="url(#latency-1)"' in svg
    ids = [
        element.get("id")
        for one in SVGS.values()
        for element in ET.fromstring(one).iter()
        if element.get("id")
    ]
    assert len(ids) == len(set(ids))


def test_without_vl_convert_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ChartsUnavailableError, match="pip install vl-convert-python"):
        drawn(CHARTS)


def test_a_failed_drawing_names_the_chart() -> None:
    broken = PageChart(key="broken", title="Broken", spec=lambda _palette: {"mark": "unknown"})
    with pytest.raises(ChartsUnavailableError, match="could not draw the chart broken: "):
        drawn([broken])
