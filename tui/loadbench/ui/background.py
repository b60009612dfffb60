"""Work that may take seconds, beside the screens: in threads that keep no program from ending."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


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
