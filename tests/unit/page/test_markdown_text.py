"""Text in Markdown: a reader sees all of its characters and nothing else."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from loadbench.page.markdown_text import fenced, paragraph, table, text
from loadbench.printable import printable

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

HOSTILE = [
    "POST /predict?a=1&b=2|c",
    "`rm -rf` and ``two``",
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    "--> <!-- comment -->",
    "**bold** _it_ __b__ ~~gone~~ [link](https://example.org) ![image](x.png)",
    "@user and @org/team, a@example.org",
    "#1, GH-2, org/repo#3",
    "https://example.org/x www.example.org",
    "&lt;b&gt; &#64; &copy;",
    "$x$ and $$y$$ and :tada:",
    r"back\slash \| \` end\\",
    "- item",
    "+ item",
    "1. item",
    "2) item",
    "# heading",
    "=====",
    "----",
    "> quote",
    "    code",
    "first\nsecond\n\n| a | b |\n|---|---|",
]

SPECIAL = "".join(sorted({*"".join(HOSTILE), *"ab1_*`~|\\<>&@#$:.-+=[]()! \n"}))


def seen(markup: str) -> str:
    """Return the text that a reader of HTML sees."""
    return html.unescape(re.sub(r"<!--.*?-->|</?span>", "", markup))


def clean(value: str) -> str:
    return " ".join(printable(value).split())


def shown_paragraph(value: str) -> str:
    """Return the text of a paragraph after a round trip through Markdown and HTML."""
    markup = MARKDOWN.render(paragraph([value])).strip()
    match = re.fullmatch(r"<p>(.*)</p>", markup, re.DOTALL)
    assert match, markup
    assert not re.search(r"<(?!!-- -->|/?span>)", match[1]), markup
    return seen(match[1])


@pytest.mark.parametrize("value", HOSTILE)
def test_a_paragraph_shows_the_text(value: str) -> None:
    assert shown_paragraph(value) == clean(value)


@given(st.text(SPECIAL, min_size=1, max_size=40).filter(str.strip))
def test_a_paragraph_shows_any_text(value: str) -> None:
    assert shown_paragraph(value) == clean(value)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_cell_of_a_table_shows_the_text(value: str) -> None:
    markup = MARKDOWN.render("\n".join(table(("cell", value), [(value, "1")])))
    cells = re.findall(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", markup, re.DOTALL)
    assert [seen(cell) for cell in cells] == ["cell", clean(value), clean(value), "1"]


@pytest.mark.parametrize("value", HOSTILE)
def test_bold_text_shows_the_text(value: str) -> None:
    markup = MARKDOWN.render(f"**{text(value)}**").strip()
    assert seen(markup) == f"<p><strong>{clean(value)}</strong></p>"


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("thanks @user, @org/team", r"@\w"),
        ("a@example.org", r"@\w"),
        ("see #1 and org/repo#2", r"#\w"),
        ("GH-1 gh-1", r"(?i)GH-\d"),
        ("https://example.org ftp://example.org", r"://"),
        ("www.example.org WWW.EXAMPLE.ORG", r"(?i)www\."),
        (":tada: :+1: :100:", r":[\w+-]+:"),
        ("$x$", r"\$x"),
    ],
)
def test_github_finds_neither_mentions_nor_links(value: str, pattern: str) -> None:
    """GitHub looks for these in the text between tags, after Markdown has been converted."""
    parts = re.split(r"<.*?>", MARKDOWN.render(paragraph([value])))
    assert not [part for part in parts if re.search(pattern, html.unescape(part))]


def test_names_with_underscores_stay_readable() -> None:
    assert text("m1_u2_s8 and p95_ms") == "m1_u2_s8 and p95_ms"


def test_a_long_text_is_cut_off() -> None:
    assert text("x" * 5000, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(
    "line",
    ["``` end", "````", "~~~", "<b> & *x* @user #1", "--> |", "    indented", "\x1b[31mred\u202e"],
)
def test_log_lines_are_shown_as_code(line: str) -> None:
    markup = MARKDOWN.render("\n".join([*fenced(["first", line]), "", "after"]))
    expected = f"first\n{clean(line)}\n"
    assert html.unescape(markup) == (
        f'<pre><code class="language-text">{expected}</code></pre>\n<p>after</p>\n'
    )
