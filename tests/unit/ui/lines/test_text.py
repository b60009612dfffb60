"""Lines of text: wrapping, cutting, alignment and control characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from loadbench.printable import printable
from loadbench.ui.lines.text import (
    Line,
    Piece,
    Tone,
    fit,
    justify,
    line,
    plain,
    table,
    width,
    wrap,
)

WIDE = "日本語のモデル"
letters = st.text(st.sampled_from("ab cd.-/日本é "), max_size=60)
tones = st.sampled_from([Tone.PLAIN, Tone.BAD, Tone.DIM])
pieces = st.builds(Piece, letters, tones)
some_lines = st.lists(pieces, max_size=5).map(lambda made: line(*made))
indents = st.integers(0, 12)


def texts(parts: list[Line]) -> list[str]:
    """The text of the lines, without trailing spaces."""
    return [plain(part).rstrip() for part in parts]


def characters(parts: list[Line]) -> list[tuple[str, Tone]]:
    """All characters except spaces, with their tones."""
    return [
        (character, piece.tone)
        for part in parts
        for piece in part
        for character in piece.text
        if character != " "
    ]


# A line


def test_a_line_is_made_of_strings_tuples_and_pieces() -> None:
    made = line("a ", ("b", Tone.BAD), Piece(" c", Tone.DIM))

    assert made == (Piece("a "), Piece("b", Tone.BAD), Piece(" c", Tone.DIM))
    assert plain(made) == "a b c"


def test_empty_parts_are_left_out() -> None:
    assert line("", ("", Tone.BAD), Piece("")) == ()


def test_control_characters_are_replaced() -> None:
    assert plain(line("a\x1b[31mb\x07\x00")) == "a\N{REPLACEMENT CHARACTER}[31mb" + 2 * "\ufffd"


def test_a_newline_is_a_space() -> None:
    assert plain(line("a\nb", ("\n", Tone.BAD))) == "a b "


@given(st.text())
def test_a_line_is_printable(content: str) -> None:
    text = plain(line(content))

    assert text == printable(text)
    assert not {"\n", "\t"} & set(text)


def test_wide_characters_take_two_columns() -> None:
    assert width(line("ab", (WIDE, Tone.BAD))) == 2 + 2 * len(WIDE)


# Wrapping


def test_a_line_that_fits_is_one_part() -> None:
    whole = line("a bit ", ("of", Tone.BAD), " text")

    (part,) = wrap(whole, width(whole))

    assert plain(part) == plain(whole)
    assert characters([part]) == characters([whole])


def test_an_empty_line_is_one_empty_part() -> None:
    assert wrap((), 10) == [()]


def test_a_line_is_wrapped_between_words() -> None:
    assert texts(wrap(line("the quick brown fox"), 10)) == ["the quick", "brown fox"]


def test_a_word_may_fill_a_part() -> None:
    assert texts(wrap(line("12345 67890 x"), 5)) == ["12345", "67890", "x"]


def test_parts_after_the_first_are_indented() -> None:
    parts = wrap(line("warning   ", "there are too few cores"), 20, indent=10)

    assert texts(parts) == [
        "warning   there are",
        "          too few",
        "          cores",
    ]


def test_a_word_with_two_tones_is_not_broken() -> None:
    parts = wrap(line(("failed", Tone.BAD), ": no"), 20)

    assert texts(parts) == ["failed: no"]


def test_a_word_longer_than_a_part_is_broken() -> None:
    assert texts(wrap(line("0123456789abcdef x"), 6)) == ["012345", "6789ab", "cdef x"]


def test_a_long_word_starts_a_new_part() -> None:
    assert texts(wrap(line("at /tmp/0123456789"), 8, indent=2)) == [
        "at",
        "  /tmp/0",
        "  123456",
        "  789",
    ]


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert texts(wrap(line(WIDE), 5)) == ["日本", "語の", "モデ", "ル"]


def test_spaces_at_the_edge_take_no_room() -> None:
    assert texts(wrap(line("12345     67890"), 5)) == ["12345", "67890"]


def test_a_part_without_columns_still_has_text() -> None:
    parts = wrap(line("abcdef"), 0, indent=3)

    assert texts(parts) == ["abcdef"]


@given(some_lines, st.integers(1, 40), indents)
def test_every_part_fits(whole: Line, columns: int, indent: int) -> None:
    assert all(
        width(part) <= max(columns, indent + 4) for part in wrap(whole, columns, indent=indent)
    )


@given(some_lines, st.integers(1, 40), indents)
def test_wrapping_loses_only_spaces_and_keeps_the_tones(
    whole: Line, columns: int, indent: int
) -> None:
    assert characters(wrap(whole, columns, indent=indent)) == characters([whole])


@given(some_lines, st.integers(1, 40), indents)
def test_every_part_but_the_first_is_indented(whole: Line, columns: int, indent: int) -> None:
    for part in wrap(whole, columns, indent=indent)[1:]:
        assert plain(part).startswith(" " * indent)


@given(st.lists(st.text("abcdef", min_size=1, max_size=10)), st.integers(10, 40))
def test_words_that_fit_are_not_broken(words: list[str], columns: int) -> None:
    parts = wrap(line(" ".join(words)), columns)

    assert [word for part in parts for word in plain(part).split()] == words


@given(st.text(st.characters(exclude_characters="\t")), st.integers(1, 40))
def test_any_service_output_fits(content: str, columns: int) -> None:
    whole = line(content)

    parts = wrap(whole, columns)

    assert all(width(part) <= max(columns, 4) for part in parts)
    assert characters(parts) == characters([whole])


# Justifying


def test_a_right_part_is_right_aligned() -> None:
    assert plain(justify(line("left"), [line("right")], 20)) == "left           right"


def test_the_first_right_part_that_fits_is_used() -> None:
    rights = [line("in very many words"), line("short"), line("x")]

    assert plain(justify(line("left"), rights, 12)) == "left   short"


def test_the_gap_has_at_least_two_columns() -> None:
    assert plain(justify(line("left"), [line("right")], 11)) == "left  right"
    assert plain(justify(line("left"), [line("right")], 10)) == "left"


def test_without_a_right_part_the_left_one_is_returned() -> None:
    assert justify(line("left"), [], 20) == line("left")


@given(some_lines, st.lists(some_lines, max_size=3), st.integers(0, 80))
def test_a_justified_line_has_the_requested_width_or_is_the_left_part(
    left: Line, rights: list[Line], columns: int
) -> None:
    made = justify(left, rights, columns)

    assert made == left or width(made) == columns


# Tables


def test_names_are_left_aligned_and_numbers_right_aligned() -> None:
    lines = table(("name", "n"), [("a", "1"), ("longer", "120")])

    assert [plain(one) for one in lines] == ["name      n", "a         1", "longer  120"]


def test_more_columns_can_be_left_aligned() -> None:
    lines = table(("a", "b", "c"), [("x", "yy", "1"), ("xx", "y", "22")], left=2)

    assert [plain(one) for one in lines] == ["a   b    c", "x   yy   1", "xx  y   22"]


def test_the_header_is_dim_and_a_value_keeps_its_tone() -> None:
    header, row = table(("name", "fails"), [("a", Piece("3", Tone.BAD))])

    assert {piece.tone for piece in header if piece.text.strip()} == {Tone.DIM}
    assert [piece.tone for piece in row if "3" in piece.text] == [Tone.BAD]


def test_wide_characters_keep_the_alignment() -> None:
    lines = table(("name", "n"), [(WIDE, "1"), ("abc", "22")])

    assert {width(one) for one in lines} == {2 * len(WIDE) + 4}


def test_a_table_without_rows_is_its_header() -> None:
    assert [plain(one) for one in table(("name", "n"), [])] == ["name  n"]


cell_texts = st.text(st.sampled_from("ab日1.-"), max_size=12)


@given(st.lists(st.tuples(cell_texts, cell_texts, cell_texts), max_size=6), st.integers(0, 3))
def test_all_lines_of_a_table_have_the_same_width(
    body: list[tuple[str, str, str]], left: int
) -> None:
    assert len({width(one) for one in table(("x", "yy", "zzz"), body, left=left)}) == 1


# Cutting


@pytest.mark.parametrize(
    ("content", "columns", "fitted"),
    [
        ("abc", 5, "abc  "),
        ("abc", 3, "abc"),
        ("abcdef", 5, "abcd…"),
        ("abcdef", 1, "…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日 …"),
        ("", 2, "  "),
        ("", 0, ""),
    ],
)
def test_a_text_is_padded_or_cut(content: str, columns: int, fitted: str) -> None:
    assert fit(content, columns) == fitted


@given(letters, st.integers(1, 40))
def test_a_fitted_text_has_the_requested_width(content: str, columns: int) -> None:
    assert cell_len(fit(content, columns)) == columns


def test_a_tab_is_four_spaces() -> None:
    assert plain(line("a\tb")) == "a    b"


def test_control_characters_keep_the_alignment() -> None:
    lines = [plain(one) for one in table(("name", "n"), [("x\x00y", "1"), ("xyz", "2")])]

    assert len({len(one) for one in lines}) == 1
