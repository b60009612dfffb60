"""What all screens have: they take no harm from what comes twice, or too late."""

from typing import ClassVar, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import Screen

from loadbench.ui.lines.text import Tone

T = TypeVar("T")


class SteadyScreen(Screen[T]):
    """Is closed once, takes no size but the newest, and has the styles of what its panels show."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone.value}" for tone in Tone}
    _closed_already = False

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close it, unless that was done: the key for it may come twice.

        Textual would pop whichever screen is on top: https://github.com/Textualize/textual/issues/2575.
        Can go when a second `dismiss` does nothing.
        """
        if self._closed_already:
            return AwaitComplete()
        self._closed_already = True
        return super().dismiss(result)

    async def on_event(self, event: events.Event) -> None:
        """Leave out a size that is old, and the begin where the end has come before it.

        Screens tell each other their size; with two sizes under way they would never come to rest.
        No upstream issue known (searched 2026-11). Can go when Textual drops outdated sizes,
        and the Mount event of a screen that is closed.
        """
        if isinstance(event, events.Resize) and event.size != self.app.size:
            return
        if isinstance(event, events.Mount) and not self.display:
            return
        await super().on_event(event)
