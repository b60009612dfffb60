"""Texts about failures before the measurement window."""

import pytest

from loadbench.engine.journal.events import EarlyFailures
from loadbench.engine.measure.rules.early import early_text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("/login", "3 of 4 requests POST /login failed"),
        ("POST /login", "3 of 4 requests POST /login failed"),
        ("POSTED", "3 of 4 requests POST POSTED failed"),
        ("", "3 of 4 requests POST failed"),
    ],
)
def test_the_method_is_named_once(name: str, text: str) -> None:
    early = EarlyFailures(
        method="POST", name=name, successes=1, failures=3, errors=(), is_in_window=False
    )

    assert early_text(early) == text
