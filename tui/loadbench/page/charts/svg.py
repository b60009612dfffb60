"""Turn the SVG of Vega into SVG that is part of a page: small, with tooltips and unique ids."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from loadbench.page.charts.palette import ChartPalette

_Element = ET.Element
_INHERITED = (
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "fill-opacity"),
    *("font-size", "font-weight", "text-anchor"),
)
"""Attributes that children inherit."""
_DEFAULTS = {
    "opacity": "1",
    "text-anchor": "start",
    "x2": "0",
    "y2": "0",
    "transform": "translate(0,0)",
    "stroke-dasharray": "1,0",
}
"""Attributes without effect in the output of Vega, which never overrides a parent's."""
_DROPPED = re.compile(r"aria-.*|role|class|version")
_DECIMALS = re.compile(r"-?\d*\.\d{2,}(?:e-?\d+)?")
_GEOMETRY = ("d", "transform", "x2", "y2", "width", "height", "x", "y")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def inline_svg(text: str, key: str, title: str, palette: ChartPalette) -> str:
    """Return the SVG of a chart for a page, which determines its size.

    Args:
        text: The SVG of Vega.
        key: Key of the chart, the prefix of all ids.
        title: Title of the chart, for screen readers.
        palette: The palette that the chart was drawn with.
    """
    root = _simplified(text, key, palette)
    del root.attrib["width"], root.attrib["height"]
    root.set("aria-label", title)
    return ET.tostring(root, encoding="unicode")


def file_svg(text: str, key: str, title: str, palette: ChartPalette) -> str:
    """Return the SVG of a chart as a file of its own. The arguments are those of `inline_svg`."""
    root = _simplified(text, key, palette)
    _add_title(root, title)
    return f"{ET.tostring(root, encoding='unicode')}\n"


def _simplified(text: str, key: str, palette: ChartPalette) -> _Element:
    root = ET.fromstring(text)  # noqa: S314  # the output of our own renderer
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    _rename_ids(root, key)
    _shorten(root, palette)
    _clean(root, palette)
    _hoist(root)
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("role", "img")
    root.set("font-family", palette.font)
    return root


def _rename_ids(root: _Element, key: str) -> None:
    """Number ids by their order. Vega numbers them by the charts that the process has drawn."""
    found = [element.get("id") for element in root.iter() if element.get("id")]
    names = {old: f"{key}-{index}" for index, old in enumerate(found, start=1)}
    for element in root.iter():
        for name, value in element.items():
            if name == "id":
                element.set(name, names[value])
            elif value.startswith("url("):
                element.set(name, _REFERENCE.sub(lambda one: f"url(#{names[one[1]]})", value))


def _clean(parent: _Element, palette: ChartPalette) -> bool:
    """Remove what is not visible, shorten the rest, and turn descriptions into titles.

    Returns whether a child has a title.
    """
    has_titles = False
    for element in list(parent):
        if _is_invisible(element):
            parent.remove(element)
            continue
        has_titles |= _clean_one(element, palette)
        if element.tag == "g" and len(element) == 0:
            parent.remove(element)
        elif element.tag == "g" and not element.attrib:
            position = list(parent).index(element)
            parent[position : position + 1] = list(element)
    return has_titles


def _clean_one(element: _Element, palette: ChartPalette) -> bool:
    """Clean an element and its children. Return whether it has a title."""
    is_group_of_marks = "role-mark" in element.get("class", "").split()
    description = element.get("aria-label") if element.get("role") == "graphics-symbol" else None
    _shorten(element, palette)
    if not _clean(element, palette) and is_group_of_marks:
        # Labels and lines must not cover the tooltips of the marks below them.
        element.set("pointer-events", "none")
    if description:
        _add_title(element, description)
    return bool(description)


def _is_invisible(element: _Element) -> bool:
    is_frame = element.get("class") in ("background", "foreground")
    is_painted = any(element.get(name, "none") != "none" for name in ("fill", "stroke"))
    return (is_frame and not is_painted) or element.get("d") == ""


def _shorten(element: _Element, palette: ChartPalette) -> None:
    for name, value in list(element.items()):
        is_default = _DEFAULTS.get(name) == value
        is_font = name == "font-family" and value == palette.font
        if is_default or is_font or _DROPPED.fullmatch(name):
            del element.attrib[name]
        elif name in _GEOMETRY:
            element.set(name, _DECIMALS.sub(_rounded, value))


def _rounded(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 1) + 0.0:g}"


def _add_title(element: _Element, text: str) -> None:
    title = ET.Element("title")
    title.text = text
    element.insert(0, title)


def _hoist(element: _Element) -> None:
    """Move attributes that all children of a group share to the group."""
    for child in element:
        _hoist(child)
    children = [child for child in element if child.tag != "title"]
    if element.tag != "g" or not children:
        return
    for name, value in _shared(children):
        if name in element.attrib:
            continue
        element.set(name, value)
        for child in children:
            del child.attrib[name]


def _shared(children: list[_Element]) -> Iterator[tuple[str, str]]:
    for name in _INHERITED:
        values = {child.get(name) for child in children}
        value = values.pop()
        if not values and value is not None:
            yield name, value
