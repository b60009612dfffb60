"""The table of profile keys printed by `profiles --keys`."""

import pytest

from loadbench.cli.profile_commands import key_lines
from loadbench.engine.profile.reference import key_rows


def test_key_table_has_one_line_per_key_without_a_width() -> None:
    header, *lines = key_lines(None)

    assert header.split() == ["key", "default", "meaning"]
    for line, (key, default, meaning) in zip(lines, key_rows(), strict=True):
        assert line.startswith(f"{key} ")
        assert f" {default} " in line
        assert line.endswith(meaning)


@pytest.mark.parametrize("columns", [80, 120])
def test_key_table_wraps_meanings_below_their_column(columns: int) -> None:
    lines = key_lines(columns)

    indent = lines[0].index("meaning")
    assert max(map(len, lines)) <= columns
    assert all(line[:indent].isspace() or line[0].isalpha() for line in lines)


def test_key_table_is_not_wrapped_on_a_very_narrow_terminal() -> None:
    assert key_lines(40) == key_lines(None)
