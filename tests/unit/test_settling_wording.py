"""How much time cells settle."""

import pytest

from loadbench.wording.settling import settling_text
from tests.support.builders import make_profile

GRID = {"models": [1], "users": [1, 2], "spawn_rates": [1], "repeats": 2}


@pytest.mark.parametrize(
    ("settle", "text"),
    [
        ({"max": "30s", "window": "5s"}, "15 s to 30 s per cell, 1 min to 2 min in total"),
        ({"max": "15s", "window": "5s"}, "15 s per cell, 1 min in total"),
        ({"max": "0s"}, ""),
    ],
)
def test_settling_takes_three_windows_or_up_to_its_maximum(
    settle: dict[str, str], text: str
) -> None:
    assert settling_text(make_profile(**GRID, settle=settle)) == text


def test_the_number_of_cells_of_a_search_is_unknown() -> None:
    profile = make_profile(
        **{**GRID, "repeats": 1},
        settle={"max": "30s", "window": "5s"},
        goals={"p95_ms": 100},
        search={"strategy": "bisection"},
    )

    assert settling_text(profile) == "15 s to 30 s per cell"
