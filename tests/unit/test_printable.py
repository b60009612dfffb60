"""Printable text: which characters are kept, and how those of JSON are escaped."""

import json
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.printable import REPLACEMENT, printable, printable_json

anything = st.text(st.characters(codec=None, categories=None))
# Two surrogates that make a pair are one character in JSON.
without_pairs = anything.map(
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
values = st.dictionaries(without_pairs, without_pairs | st.lists(without_pairs, max_size=3))
UNSAFE = ("Cc", "Cs", "Zl", "Zp")


@pytest.mark.parametrize(
    "text",
    [
        "plain text\n\twith a tab",
        "größer, naïve, Ελληνικά, русский, 日本語, العربية, עברית",
        "combining: e\u0301, टेढ़ा",
        "a no-break space: 10\u00a0ms, wide: \u3000.",
        "emoji: 🚀 ❤\ufe0f 👩\u200d🔬 👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈",
        "joined: नि\u200dष, می\u200cخواهم",
        "box: ━━╺ ▶ ✖ ≥ ~",
    ],
)
def test_ordinary_text_is_kept(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    "character",
    [
        *("\x00", "\x07", "\x08", "\r", "\x0b", "\x0c", "\x1b", "\x7f"),
        *("\x80", "\x85", "\x90", "\x9b", "\x9d", "\xad"),
        *("\u061c", "\u200b", "\u200e", "\u200f", "\u2028", "\u2029"),
        *("\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"),
        *("\ufeff", "\ufff9", "\U000e0041", "\ud800", "\udc9b", "\uffff"),
    ],
    ids=ascii,
)
def test_unsafe_characters_are_replaced(character: str) -> None:
    assert printable(f"a{character}b\n{character}") == f"a{REPLACEMENT}b\n{REPLACEMENT}"


def test_joiners_are_replaced_where_they_join_nothing() -> None:
    assert printable("\u200da\u200db\u200d") == f"{REPLACEMENT}a{REPLACEMENT}b{REPLACEMENT}"


def test_escape_sequences_lose_their_effect() -> None:
    assert printable("\x1b]0;title\x07\x1b[31mred\x9b0m") == "�]0;title��[31mred�0m"


@given(anything)
def test_no_unsafe_character_remains(text: str) -> None:
    shown = printable(text)

    assert len(shown) == len(text)
    assert not {c for c in shown if unicodedata.category(c) in UNSAFE} - {"\n", "\t"}
    assert {c for c in shown if unicodedata.category(c) == "Cf"} <= {"\u200c", "\u200d"}
    assert printable(shown) == shown
    shown.encode("utf-8")


def test_every_character_of_unicode_is_printable_or_replaced() -> None:
    shown = printable("".join(map(chr, range(sys.maxunicode + 1))))

    assert not {c for c in shown if unicodedata.category(c) in UNSAFE} - {"\n", "\t"}


@given(values)
def test_escaped_json_has_the_same_value_and_no_unsafe_character(value: object) -> None:
    text = printable_json(json.dumps(value, ensure_ascii=False))

    assert json.loads(text) == value
    assert not {c for c in text if unicodedata.category(c) in (*UNSAFE, "Cf")}
    text.encode("utf-8")


def test_json_remains_readable() -> None:
    text = json.dumps(
        {"name": "größe 日本 🚀", "bad": "\x1b\u202e\U000e0041\udcff"}, ensure_ascii=False
    )

    assert printable_json(text) == (
        '{"name": "größe 日本 🚀", "bad": "\\u001b\\u202e\\udb40\\udc41\\udcff"}'
    )


@pytest.mark.parametrize("text", ["m2_u50_s10 ", "größe · 日本語 – ", "a\x1b[31m\u202e\xa0"])
def test_a_long_table_takes_little_time(text: str) -> None:
    table = "\n".join([text * 10] * 10_000)
    started_at = time.perf_counter()

    printable(table)

    assert time.perf_counter() - started_at < 2
