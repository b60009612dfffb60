"""The messages between the screens and the app."""

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
    message
    for _, message in inspect.getmembers(messages, inspect.isclass)
    if issubclass(message, Request | messages.Report | Broadcast)
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_every_message_has_a_one_line_docstring(message: type) -> None:
    assert message.__doc__
    assert len(message.__doc__.strip().splitlines()) == 1


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_only_broadcasts_do_not_bubble(message: type) -> None:
    assert message.bubble is not issubclass(message, Broadcast)  # type: ignore[attr-defined]


def test_only_the_newest_of_replaceable_messages_is_handled() -> None:
    run = Run(Path("/nowhere"), state_with([]), RunStatus.LIVE)
    one, other = Screen[None](), Screen[None]()

    assert CatalogRead(Catalog()).can_replace(CatalogRead(Catalog()))
    assert UserActive().can_replace(UserActive())
    assert RunRead(one, run).can_replace(RunRead(one, run))
    assert not RunRead(one, run).can_replace(RunRead(other, run))
    assert not CatalogRead(Catalog()).can_replace(UserActive())
    assert not StopRun(Path("/a")).can_replace(StopRun(Path("/a")))
