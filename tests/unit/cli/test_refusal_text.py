"""Reasons for refusals in one line."""

import pytest

from loadbench.cli.study import refusal_text
from loadbench.errors import LoadbenchError, RefusedError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RefusedError("no GPU"), "no GPU"),
        (
            RefusedError("no driver can run this profile:\n  compose: no Docker\n  local: no GPU"),
            "no driver can run this profile: compose: no Docker; local: no GPU",
        ),
        (RefusedError(""), "RefusedError"),
    ],
)
def test_lines_of_a_refusal_become_clauses(error: LoadbenchError, expected: str) -> None:
    assert refusal_text(error) == expected
