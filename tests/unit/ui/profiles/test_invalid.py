"""The details of an invalid profile."""

from pathlib import Path

import pytest

from loadbench.engine.catalog import SavedProfile
from loadbench.engine.profile.loading import load_profile
from loadbench.errors import ProfileError
from loadbench.ui.lines.text import Tone, plain, width
from loadbench.ui.profiles.invalid import first_error_line, invalid_detail
from tests.support.ui_harness import BROKEN


def invalid(folder: Path, text: str) -> SavedProfile:
    file = folder / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        load_profile(file)
    return SavedProfile(file=file, error=str(caught.value), source=text)


def texts(saved: SavedProfile, columns: int = 80) -> list[str]:
    return [plain(line).rstrip() for line in invalid_detail(saved, columns)]


def test_every_faulty_line_is_marked_and_has_its_message(tmp_path: Path) -> None:
    assert texts(invalid(tmp_path, BROKEN)) == [
        "This profile is invalid: 2 errors.",
        "",
        "    1  models: [1, 2]",
        ">   2  users: [5, ten]",
        "       users[1]: expected a whole number, got 'ten'. Example: users: [5, 10]",
        "       Press e to edit this line.",
        "    3  spawn_rates: [5]",
        ">   4  bach_size: 4",
        "       bach_size: unknown key; did you mean batch_size?",
    ]


def test_marked_lines_have_the_tone_of_errors(tmp_path: Path) -> None:
    lines = invalid_detail(invalid(tmp_path, BROKEN), 80)
    marked = [line for line in lines if plain(line).startswith(">")]

    assert [line[0].tone for line in marked] == [Tone.BAD, Tone.BAD]


def test_two_errors_in_one_line_are_both_shown_below_it(tmp_path: Path) -> None:
    shown = texts(invalid(tmp_path, "models: [a, b]\nusers: [1]\nspawn_rates: [1]\n"))

    assert sum(text.startswith(">") for text in shown) == 1
    assert any("models[0]" in text for text in shown)
    assert any("models[1]" in text for text in shown)


def test_distant_errors_are_separated_by_dots(tmp_path: Path) -> None:
    comments = "# comment\n" * 20
    shown = texts(invalid(tmp_path, f"models: [a]\n{comments}users: [b]\nspawn_rates: [1]\n"))

    assert shown.count("   …") == 1
    assert [text[:5] for text in shown if text.startswith(">")] == [">   1", ">  22"]


def test_missing_bracket_is_shown_even_if_its_line_is_beyond_the_end(tmp_path: Path) -> None:
    saved = invalid(tmp_path, "models: [1, 2")

    assert any("Press e to edit" in text for text in texts(saved))
    assert len(texts(saved)) > 2


def test_error_without_a_line_is_shown_above_the_hint() -> None:
    file = Path("/nowhere/broken.yaml")
    saved = SavedProfile(file=file, error=f"{file}: the file is not readable\nsecond line")

    assert texts(saved) == [
        "This profile is invalid: 1 error.",
        "",
        "the file is not readable second line",
        "",
        "Press e to edit the profile.",
    ]
    assert first_error_line(saved) is None


def test_foreign_message_is_shown_as_it_is() -> None:
    saved = SavedProfile(file=Path("/nowhere/broken.yaml"), error="something else")

    assert "something else" in texts(saved)


def test_first_error_is_found(tmp_path: Path) -> None:
    saved = invalid(tmp_path, BROKEN)

    assert first_error_line(saved) == 2


@pytest.mark.parametrize("columns", [30, 40, 60])
def test_lines_fit_the_width(tmp_path: Path, columns: int) -> None:
    lines = invalid_detail(invalid(tmp_path, BROKEN), columns)

    assert all(width(line) <= columns for line in lines)
