"""Describes and counts exceptions of the user's code, each with its place.

Locust logs them with a traceback, counts those of users without their place, and does not count
those of listeners. No upstream issue known (searched 2026-11). Remove the patch when Locust fires
an event for exceptions of listeners.
"""

import logging
import os
import sys
from collections import Counter
from types import TracebackType
from typing import Any

from locust import User, event
from locust.env import Environment

from loadbench.engine.profile.sections.locust_options import reason_against_variable
from loadbench.in_locust.clean import clean_error
from loadbench.in_locust.clients.connections import replace_in
from loadbench.in_locust.scenario.places import UserCode

MAX_MISTAKES = 50
"""Maximum number of distinct mistakes that are counted apart."""
_OTHERS = "other exceptions"

_MAX_PARENTS = 20
"""Maximum number of folders above the working folder in which a file is looked for."""


class Mistakes:
    """The exceptions of the user's code outside of requests since the start of the cell."""

    def __init__(self, code: UserCode) -> None:
        self.code = code
        self._counts: Counter[str] = Counter()
        self._setup: set[str] = set()
        self.first = ""
        """Description of the first exception. Empty if there is none."""
        self.is_setup = True
        """Whether listeners that prepare the start or a cell are executed."""

    def clear(self) -> None:
        """Forget all exceptions, for a new cell."""
        self._counts.clear()
        self._setup.clear()
        self.first = ""

    def add(self, error: BaseException, trace: TracebackType | None, *, setup: bool) -> None:
        """Count an exception.

        Args:
            error: The exception.
            trace: Its traceback.
            setup: Whether it was raised before the tasks, in a listener or in `on_start`. It is
                then listed first, because others may follow from it.
        """
        self.first = self.first or self.describe(error)
        text = self._described(error, trace, absolute=False)
        is_overflow = text not in self._counts and len(self._counts) >= MAX_MISTAKES
        self._counts[_OTHERS if is_overflow else text] += 1
        if setup and not is_overflow:
            self._setup.add(text)

    def counted(self) -> list[dict[str, Any]]:
        """Return the fields of one `ErrorCount` for each mistake.

        Those before the tasks come first, in order; then those of tasks, the most frequent first.
        """
        first = [(text, count) for text, count in self._counts.items() if text in self._setup]
        others = [one for one in self._counts.most_common() if one[0] not in self._setup]
        return [{"error": text, "count": count} for text, count in (*first, *others)]

    def watch_users(self, environment: Environment) -> None:
        """Count the exceptions of users."""

        @environment.events.user_error.add_listener
        def on_user_error(
            user_instance: object, exception: BaseException, tb: TracebackType | None, **_: Any
        ) -> None:
            # For exceptions of tasks, Locust passes the task set instead.
            self.add(exception, tb, setup=isinstance(user_instance, User))

    def watch_listeners(self) -> None:
        """Count the exceptions of listeners, which Locust only logs."""
        replace_in(event, "logging", _Logging(self))

    def describe(self, error: BaseException) -> str:
        """Return the place, type and message of an exception, and what to do if it is known."""
        return f"{self._described(error, error.__traceback__, absolute=True)}{_advice(error)}"

    def _described(
        self, error: BaseException, trace: TracebackType | None, *, absolute: bool
    ) -> str:
        place = self.code.place_of_error(trace, absolute=absolute)
        message = clean_error(error)
        name = type(error).__name__
        if isinstance(error, SyntaxError) and self.code.contains(error.filename or "<"):
            place, message = f"{error.filename}:{error.lineno}", error.msg
        text = name if message in ("", name) else f"{name}: {message}"
        return f"{place}: {text}" if place else text


class _Logging:
    """Counts the exception that `EventHook.fire` logs while it handles it."""

    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes

    def error(self, *args: Any, **kwargs: Any) -> None:
        _, error, trace = sys.exc_info()
        if error:
            self._mistakes.add(error, trace, setup=self._mistakes.is_setup)
        logging.error(*args, **kwargs)


def _advice(error: BaseException) -> str:
    """Return what to do about a common mistake, to follow its description."""
    match error:
        case ModuleNotFoundError(name=str(name)):
            return (
                f". Install the package that has {name.partition('.')[0]} in the environment of "
                "loadbench-tui, or set load.folder to the folder that contains it"
            )
        case KeyError(args=[str(name)]) if _is_environment(error.__traceback__):
            if reason := reason_against_variable(name):
                return f". This variable is not passed to Locust: {reason}"
            return f". Set this variable, or load.environment: {{{name}: …}}"
        case FileNotFoundError(filename=str(file)) if folder := _folder_above(file):
            return f". It is in {folder}: set load.folder to this folder"
        case _:
            return ""


def _is_environment(trace: TracebackType | None) -> bool:
    """Return whether an exception was raised by `os.environ`."""
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == os.__name__


def _folder_above(file: str) -> str:
    """Return the folder above the working folder that contains a relative path, if one does."""
    if os.path.isabs(file):  # noqa: PTH117  # a text of the user's code
        return ""
    folder = os.getcwd()  # noqa: PTH109
    for _ in range(_MAX_PARENTS):
        parent = os.path.dirname(folder)  # noqa: PTH120
        if parent == folder:
            return ""
        folder = parent
        if os.path.exists(f"{folder}/{file}"):  # noqa: PTH110
            return folder
    return ""
