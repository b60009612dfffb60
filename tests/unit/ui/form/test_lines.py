"""The text of a form: chips, placeholders and help."""

from pathlib import Path

import pytest

from loadbench.engine.profile.editing.keys import profile_key
from loadbench.engine.profile.source import parse_source
from loadbench.ui.form.lines import chip_texts, help_lines, placeholder
from loadbench.ui.form.state import Entered
from loadbench.ui.lines.text import plain


@pytest.mark.parametrize(
    ("name", "text", "chips"),
    [
        ("users", "5 10", ["5", "10"]),
        ("users", "few", []),
        ("load.measurements", '*token* "a b"', ["*token*", "a b"]),
        ("goals.requests", "", []),
        ("goals.requests", "{A", []),
        (
            "goals.requests",
            "{POST /a: {p95: 400, failure_ratio: 0.01}, B: {min_rps: 5}}",
            ["POST /a: p95 400, failure_ratio 0.01", "B: min_rps 5"],
        ),
    ],
)
def test_items_of_lists_and_goals_by_name_are_chips(name: str, text: str, chips: list[str]) -> None:
    assert chip_texts(profile_key(name), text) == chips


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("goals.p95_ms", "no goal"),
        ("goals.requests", "no goal"),
        ("goals.measurements", "no goal"),
        ("load.main", "all requests together"),
        ("load.measurements", ""),
        ("stack.port", "automatic"),
    ],
)
def test_empty_field_shows_its_meaning(name: str, text: str) -> None:
    assert placeholder(profile_key(name)) == text


def test_help_shows_limits_and_the_notation_of_an_automatic_run_time() -> None:
    entered = Entered(parse_source(Path("mine.yaml"), "models: 1\nusers: 5\nspawn_rates: 5\n"))
    lines = [plain(one) for one in help_lines(profile_key("run_time"), entered, (), 200)]

    assert lines[-2:] == [
        "run_time · 1s to 24h or auto · default: 30s",
        "Examples: 90s, 7m, 1h20m or auto",
    ]
