"""Background work in daemon threads, which never delay the exit of the program."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[[], Coroutine[None, None, None]]
"""Work that a screen starts without waiting for the result."""


async def in_background(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in a daemon thread and return its result, or raise its exception.

    Unlike with `asyncio.to_thread`, a function that is still running does not delay the exit of the
    program.
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
        except BaseException as error:  # noqa: BLE001  # raised again in the caller
            outcome = partial(done.set_exception, error)
        with suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(finish, outcome)

    threading.Thread(target=run, daemon=True).start()
    return await done


class BackgroundQueue:
    """Run calls in the background, one at a time, in the order in which they were added.

    Textual's workers are not suitable, because they are cancelled when the app exits.
    """

    def __init__(self) -> None:
        self._newest: asyncio.Task[object] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a call is running or waiting."""
        return self._newest is not None and not self._newest.done()

    def add(
        self, work: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[object]:
        """Queue a call and return its task."""
        call = partial(work, *args, **kwargs)
        task = self._newest = asyncio.create_task(self._run(self._newest, call))
        # At exit nothing awaits the task, and asyncio would print its exception.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def drain(self, *, timeout_s: float) -> None:
        """Wait until all added calls have ended, or until the timeout."""
        if self._newest:
            await asyncio.wait([self._newest], timeout=timeout_s)

    @staticmethod
    async def _run(before: "asyncio.Task[object] | None", call: Callable[[], object]) -> object:
        if before:
            await asyncio.wait([before])
        return await in_background(call)
