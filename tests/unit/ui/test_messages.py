"""What screens and the app send to each other."""

import inspect
from pathlib import Path

import pytest
from textual.screen import Screen

from loadbench.engine.catalog import Catalog
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui import messages
from loadbench.ui.messages import Broadcast, CatalogRead, Request, RunRead, StopRun, UserActive
from tests.support.builders import state_with

MESSAGES = [
    it
    for _, it in inspect.getmembers(messages, inspect.isclass)
    if issubclass(it, Request | messages.Report | Broadcast)
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda it: it.__name__)
def test_every_message_says_in_a_line_what_it_is(message: type) -> None:
    assert message.__doc__
    assert len(message.__doc__.strip().splitlines()) == 1


@pytest.mark.parametrize("message", MESSAGES, ids=lambda it: it.__name__)
def test_news_stay_at_the_screen_and_everything_else_goes_up(message: type) -> None:
    assert message.bubble is not issubclass(message, Broadcast)  # type: ignore[attr-defined]


def test_only_the_newest_of_what_was_read_counts() -> None:
    run = Run(Path("/nowhere"), state_with([]), RunStatus.LIVE)
    one, other = Screen[None](), Screen[None]()

    assert CatalogRead(Catalog()).can_replace(CatalogRead(Catalog()))
    assert UserActive().can_replace(UserActive())
    assert RunRead(one, run).can_replace(RunRead(one, run))
    assert not RunRead(one, run).can_replace(RunRead(other, run))
    assert not CatalogRead(Catalog()).can_replace(UserActive())
    assert not StopRun(Path("/a")).can_replace(StopRun(Path("/a")))
