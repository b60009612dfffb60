"""Limiting and cleaning of values from outside the program."""

from pathlib import Path

import pytest

from loadbench.engine.hardware.readings import MAX_BYTES, optional, read_file, read_int
from loadbench.engine.hardware.values import MAX_CHARACTERS, clean_text, positive_int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  Intel(R)   Xeon(R)  ", "Intel(R) Xeon(R)"),
        ("a\x1b]0;title\x07b\r\nc\x00", "a ]0;title b c"),
        ("\ud800", None),
        ("\x00\n", None),
        ("", None),
        (b"bytes", None),
        (7, None),
        (None, None),
        ({"a": 1}, None),
    ],
)
def test_texts_have_no_control_characters(value: object, text: str | None) -> None:
    assert clean_text(value) == text


def test_long_texts_are_shortened() -> None:
    text = clean_text("x" * 10_000_000)
    assert text is not None
    assert len(text) == MAX_CHARACTERS
    assert text.endswith("x…")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (4, 4),
        (2596.116, 2596),
        (0, None),
        (-1, None),
        (0.2, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ("4", None),
        (None, None),
        ([4], None),
    ],
)
def test_only_positive_numbers_are_accepted(value: object, number: int | None) -> None:
    assert positive_int(value) == number


def test_unreadable_files_are_empty(tmp_path: Path) -> None:
    assert read_file(tmp_path / "missing") == ""
    assert read_file(tmp_path) == ""
    assert read_file(tmp_path / "a\0b") == ""
    assert read_int(tmp_path / "missing") is None


def test_files_are_read_up_to_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xff" + b"1" * MAX_BYTES)
    assert len(read_file(file)) == MAX_BYTES
    assert read_int(file) is None


def test_errors_of_the_system_mean_no_value() -> None:
    def fail() -> int:
        raise NotImplementedError

    assert optional(fail) is None
    assert optional(lambda: 3) == 3
