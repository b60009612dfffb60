"""The animated SVG of the recorded demo: frames, shared rows, colours, escapes."""

import re
from xml.etree import ElementTree as ET

from docs.animated_svg import Char, Frame, Row, animated_svg

SVG = "{http://www.w3.org/2000/svg}"


def row(text: str, bg: str = "default") -> Row:
    return tuple(Char(character, bg=bg) for character in text)


def frame(*rows: Row, shown_s: float = 1.0, caption: str = "") -> Frame:
    return Frame(caption, rows, shown_s)


def test_equal_rows_are_drawn_once() -> None:
    frames = [frame(row("same"), row("one")), frame(row("same"), row("two"))]

    tree = ET.fromstring(animated_svg("demo", (4, 2), frames))

    assert len(list(tree.iter(f"{SVG}use"))) == 4
    assert len(tree.findall(f"{SVG}defs/{SVG}g")) == 3


def test_each_frame_is_visible_for_its_share_of_the_time() -> None:
    frames = [frame(row("a"), shown_s=1.0), frame(row("b"), shown_s=3.0)]

    text = animated_svg("demo", (1, 1), frames)

    assert "animation:4s step-end infinite" in text
    assert "@keyframes k0{0.000%{visibility:visible}25.000%{visibility:hidden}}" in text
    assert "@keyframes k1{0%{visibility:hidden}25.000%{visibility:visible}}" in text


def test_a_single_frame_is_not_animated() -> None:
    text = animated_svg("still", (1, 1), [frame(row("a"))])

    assert "animation" not in text
    assert "hidden" not in text


def test_longest_frame_is_shown_if_animations_are_turned_off() -> None:
    frames = [frame(row("a"), shown_s=3.0), frame(row("b"))]

    text = animated_svg("demo", (1, 1), frames)

    assert re.search(r"prefers-reduced-motion:reduce.*#f0\{visibility:visible\}", text)


def test_words_keep_their_columns_and_special_characters_are_escaped() -> None:
    tree = ET.fromstring(animated_svg("a & b", (10, 1), [frame(row("<b>  x & y"))]))

    texts = tree.findall(f"{SVG}defs/{SVG}g/{SVG}text")

    assert [(text.text, text.get("x"), text.get("textLength")) for text in texts] == [
        ("<b>", "0", "24"),
        ("x & y", "40", "40"),
    ]


def test_only_backgrounds_that_differ_from_the_window_are_drawn() -> None:
    cells = row("plain", bg="121212") + row("on", bg="ff0000")

    tree = ET.fromstring(animated_svg("demo", (7, 1), [frame(cells)]))

    (rect,) = tree.findall(f"{SVG}defs/{SVG}g/{SVG}rect")
    assert (rect.get("x"), rect.get("width")) == ("40", "16")
