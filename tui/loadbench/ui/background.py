"""Work that may take seconds, beside the screens: in threads that keep no program from ending."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[[], Coroutine[None, None, None]]
"""Work that a screen starts and does not wait for."""


async def in_background(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what the work returns, or raise what it raises, once it is done.

    The threads of asyncio's own pool are waited for when a program ends; this one is not.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(outcome: Callable[[], None]) -> None:
        if not done.done():
            outcome()

    def run() -> None:
        outcome: Callable[[], None]
        try:
            outcome = partial(done.set_result, work(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            outcome = partial(done.set_exception, error)
        with suppress(RuntimeError):  # the program has ended meanwhile
            loop.call_soon_threadsafe(finish, outcome)

    threading.Thread(target=run, daemon=True).start()
    return await done


class BackgroundQueue:
    """Runs calls in the background one at a time, in the order in which they were added.

    It belongs to no worker of Textual, which cancels all of them as the program ends.
    """

    def __init__(self) -> None:
        self._newest: asyncio.Task[object] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a call has not ended yet."""
        return self._newest is not None and not self._newest.done()

    def add(
        self, work: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[object]:
        """Add a call, and return the task that waits for its turn and its end."""
        call = partial(work, *args, **kwargs)
        task = self._newest = asyncio.create_task(self._run(self._newest, call))
        # As the program ends, no worker is left to take its error, which asyncio would then print.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def drain(self, *, timeout_s: float) -> None:
        """Wait until all calls that were added have ended, or for the timeout."""
        if self._newest:
            await asyncio.wait([self._newest], timeout=timeout_s)

    @staticmethod
    async def _run(before: "asyncio.Task[object] | None", call: Callable[[], object]) -> object:
        if before:
            await asyncio.wait([before])
        return await in_background(call)
