"""Lines of text: how they are wrapped, cut, aligned and made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

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
some_lines = st.lists(pieces, max_size=5).map(lambda its: line(*its))
indents = st.integers(0, 12)


def texts(parts: list[Line]) -> list[str]:
    """What stands on the lines, without the spaces at their ends."""
    return [plain(part).rstrip() for part in parts]


def said(parts: list[Line]) -> list[tuple[str, Tone]]:
    """Every character but spaces, with its tone."""
    return [
        (character, piece.tone)
        for part in parts
        for piece in part
        for character in piece.text
        if character != " "
    ]


# A line


def test_a_line_is_made_of_texts_and_of_texts_with_tones() -> None:
    made = line("a ", ("b", Tone.BAD), Piece(" c", Tone.DIM))

    assert made == (Piece("a "), Piece("b", Tone.BAD), Piece(" c", Tone.DIM))
    assert plain(made) == "a b c"


def test_empty_parts_are_no_pieces() -> None:
    assert line("", ("", Tone.BAD), Piece("")) == ()


def test_what_steers_a_terminal_is_replaced() -> None:
    assert plain(line("a\x1b[31mb\x07\x00")) == "a\N{REPLACEMENT CHARACTER}[31mb" + 2 * "\ufffd"


def test_a_newline_is_a_space() -> None:
    assert plain(line("a\nb", ("\n", Tone.BAD))) == "a b "


@given(st.text(st.characters(exclude_characters="\t")))
def test_a_line_has_only_what_can_be_printed(content: str) -> None:
    assert plain(line(content)).isprintable()


def test_wide_characters_take_two_columns() -> None:
    assert width(line("ab", (WIDE, Tone.BAD))) == 2 + 2 * len(WIDE)


# Wrapped


def test_a_line_that_fits_is_one_part() -> None:
    whole = line("a bit ", ("of", Tone.BAD), " text")

    (part,) = wrap(whole, width(whole))

    assert plain(part) == plain(whole)
    assert said([part]) == said([whole])


def test_nothing_is_one_empty_part() -> None:
    assert wrap((), 10) == [()]


def test_a_line_is_broken_between_words() -> None:
    assert texts(wrap(line("the quick brown fox"), 10)) == ["the quick", "brown fox"]


def test_a_word_may_fill_a_part_to_its_edge() -> None:
    assert texts(wrap(line("12345 67890 x"), 5)) == ["12345", "67890", "x"]


def test_parts_after_the_first_are_indented() -> None:
    parts = wrap(line("warning   ", "there are too few cores"), 20, indent=10)

    assert texts(parts) == [
        "warning   there are",
        "          too few",
        "          cores",
    ]


def test_a_word_goes_on_in_another_tone_where_no_space_is() -> None:
    parts = wrap(line(("failed", Tone.BAD), ": no"), 20)

    assert texts(parts) == ["failed: no"]


def test_a_word_that_is_longer_than_a_part_is_broken() -> None:
    assert texts(wrap(line("0123456789abcdef x"), 6)) == ["012345", "6789ab", "cdef x"]


def test_a_long_word_after_others_begins_a_part_of_its_own() -> None:
    assert texts(wrap(line("at /tmp/0123456789"), 8, indent=2)) == [
        "at",
        "  /tmp/0",
        "  123456",
        "  789",
    ]


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert texts(wrap(line(WIDE), 5)) == ["日本", "語の", "モデ", "ル"]


def test_spaces_at_an_edge_take_no_room() -> None:
    assert texts(wrap(line("12345     67890"), 5)) == ["12345", "67890"]


def test_a_part_of_a_few_columns_still_holds_something() -> None:
    parts = wrap(line("abcdef"), 0, indent=3)

    assert texts(parts) == ["abcdef"]


@given(some_lines, st.integers(1, 40), indents)
def test_every_part_fits(whole: Line, columns: int, indent: int) -> None:
    assert all(
        width(part) <= max(columns, indent + 4) for part in wrap(whole, columns, indent=indent)
    )


@given(some_lines, st.integers(1, 40), indents)
def test_nothing_but_spaces_is_lost_and_every_tone_is_kept(
    whole: Line, columns: int, indent: int
) -> None:
    assert said(wrap(whole, columns, indent=indent)) == said([whole])


@given(some_lines, st.integers(1, 40), indents)
def test_every_part_but_the_first_is_indented(whole: Line, columns: int, indent: int) -> None:
    for part in wrap(whole, columns, indent=indent)[1:]:
        assert plain(part).startswith(" " * indent)


@given(st.lists(st.text("abcdef", min_size=1, max_size=10)), st.integers(10, 40))
def test_words_that_fit_are_never_broken(words: list[str], columns: int) -> None:
    parts = wrap(line(" ".join(words)), columns)

    assert [word for part in parts for word in plain(part).split()] == words


@given(st.text(st.characters(exclude_characters="\t")), st.integers(1, 40))
def test_whatever_a_service_says_fits(content: str, columns: int) -> None:
    whole = line(content)

    parts = wrap(whole, columns)

    assert all(width(part) <= max(columns, 4) for part in parts)
    assert said(parts) == said([whole])


# Justified


def test_a_right_part_stands_at_the_edge() -> None:
    assert plain(justify(line("left"), [line("right")], 20)) == "left           right"


def test_the_first_right_part_that_fits_is_taken() -> None:
    rights = [line("in very many words"), line("short"), line("x")]

    assert plain(justify(line("left"), rights, 12)) == "left   short"


def test_a_gap_of_two_columns_is_kept() -> None:
    assert plain(justify(line("left"), [line("right")], 11)) == "left  right"
    assert plain(justify(line("left"), [line("right")], 10)) == "left"


def test_without_a_right_part_the_left_one_stands_alone() -> None:
    assert justify(line("left"), [], 20) == line("left")


@given(some_lines, st.lists(some_lines, max_size=3), st.integers(0, 80))
def test_a_justified_line_is_as_wide_as_asked_or_the_left_part(
    left: Line, rights: list[Line], columns: int
) -> None:
    made = justify(left, rights, columns)

    assert made == left or width(made) == columns


# Tables


def test_names_stand_left_and_numbers_right() -> None:
    lines = table(("name", "n"), [("a", "1"), ("longer", "120")])

    assert [plain(one) for one in lines] == ["name      n", "a         1", "longer  120"]


def test_more_columns_may_stand_left() -> None:
    lines = table(("a", "b", "c"), [("x", "yy", "1"), ("xx", "y", "22")], left=2)

    assert [plain(one) for one in lines] == ["a   b    c", "x   yy   1", "xx  y   22"]


def test_the_header_is_dim_and_a_value_keeps_its_tone() -> None:
    header, row = table(("name", "fails"), [("a", Piece("3", Tone.BAD))])

    assert {piece.tone for piece in header if piece.text.strip()} == {Tone.DIM}
    assert [piece.tone for piece in row if "3" in piece.text] == [Tone.BAD]


def test_wide_names_move_no_column() -> None:
    lines = table(("name", "n"), [(WIDE, "1"), ("abc", "22")])

    assert {width(one) for one in lines} == {2 * len(WIDE) + 4}


def test_a_table_without_rows_is_its_header() -> None:
    assert [plain(one) for one in table(("name", "n"), [])] == ["name  n"]


cell_texts = st.text(st.sampled_from("ab日1.-"), max_size=12)


@given(st.lists(st.tuples(cell_texts, cell_texts, cell_texts), max_size=6), st.integers(0, 3))
def test_all_lines_of_a_table_are_as_wide(body: list[tuple[str, str, str]], left: int) -> None:
    assert len({width(one) for one in table(("x", "yy", "zzz"), body, left=left)}) == 1


# Cut


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
def test_a_fitted_text_is_exactly_as_wide_as_asked(content: str, columns: int) -> None:
    assert cell_len(fit(content, columns)) == columns


def test_a_tab_is_as_wide_as_it_is_counted() -> None:
    assert plain(line("a\tb")) == "a    b"


def test_what_steers_a_terminal_does_not_shift_a_column() -> None:
    lines = [plain(it) for it in table(("name", "n"), [("x\x00y", "1"), ("xyz", "2")])]

    assert len({len(it) for it in lines}) == 1
