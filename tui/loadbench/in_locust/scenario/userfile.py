"""Loads the locustfiles, and reports a mistake in them in one sentence.

Locust prints a traceback and exits. No upstream issue known (searched 2026-11). Remove the patch
when Locust fires an event for a locustfile that fails to load.
"""

import os
import sys
import traceback
from collections.abc import Collection
from importlib.machinery import SourceFileLoader
from typing import Any, NoReturn

from locust import main as locust_main
from locust.util.load_locustfile import load_locustfile_pytest

from loadbench.engine.load.wire import IMPORT
from loadbench.in_locust.clients.connections import replace_in
from loadbench.in_locust.scenario.mistakes import Mistakes
from loadbench.in_locust.scenario.places import UserCode
from loadbench.in_locust.scenario.status import Status
from loadbench.in_locust.settings import ScenarioSettings


def install(scenario: ScenarioSettings, status: Status, mistakes: Mistakes, code: UserCode) -> None:
    """Patch Locust's loader of locustfiles to report what it does and each mistake."""
    merge = locust_main.merge_locustfiles_content
    shown = ", ".join(scenario.files)

    def load_or_report(files: list[str]) -> tuple[Any, ...]:
        with status.during(IMPORT):
            try:
                loaded: tuple[Any, ...] = merge(files)
                # Locust removes it after the import, so that tasks could not import from there.
                folders = dict.fromkeys(os.path.dirname(file) for file in files)  # noqa: PTH120
                sys.path += [folder for folder in folders if folder not in sys.path]
            except ModuleNotFoundError as error:
                # Without user classes, Locust looks for test functions of pytest.
                if error.name in ("pytest", "_pytest") and not code_raised(error):
                    fail(status, f"{shown}: {_NO_CLASS}")
                report(error)
            except (Exception, SystemExit) as error:  # the user's code, all of it
                if isinstance(error, SystemExit) and not code_raised(error):
                    # Locust has printed why it exits.
                    raise
                report(error)
        classes, shapes, *_ = loaded
        if not classes:
            fail(status, f"{shown}: {_NO_CLASS}")
        if shapes:
            fail(
                status,
                f"{shown}: the load shape {next(iter(shapes))} would replace the profile's user "
                "counts; remove it",
            )
        _check_names(scenario, classes, status)
        return loaded

    def code_raised(error: BaseException) -> bool:
        return bool(code.place_of_error(error.__traceback__))

    def report(error: BaseException) -> NoReturn:
        traceback.print_exc()
        fail(status, mistakes.describe(error))

    # A list, because Locust splits the text of -f at commas.
    replace_in(locust_main, "get_locustfiles_locally", lambda _: list(scenario.files))
    replace_in(locust_main, "merge_locustfiles_content", load_or_report)
    replace_in(locust_main, "load_locustfile_pytest", _load_with_pytest)
    _leave_no_bytecode(code)


def fail(status: Status, message: str) -> NoReturn:
    """Report why Locust cannot start, unless it has been reported, and exit."""
    if not status.has_error:
        status.has_error = True
        status.send(error=message)
    sys.exit(1)


def _load_with_pytest(path: str) -> dict[str, Any]:
    # pytest writes bytecode of test files itself. It can stay: pytest reads this setting.
    sys.dont_write_bytecode = True
    try:
        classes: dict[str, Any] = load_locustfile_pytest(path)
    finally:
        sys.dont_write_bytecode = False
    return classes


def _check_names(scenario: ScenarioSettings, classes: Collection[str], status: Status) -> None:
    """Report names of user classes in the profile that the locustfiles do not define."""
    for key, names in (
        ("user_classes", scenario.user_classes),
        ("keep_host", scenario.keep_host),
    ):
        if unknown := [name for name in names if name not in classes]:
            fail(
                status,
                f"load.{key}: the locustfile has no user class {', '.join(unknown)}. It has "
                f"{', '.join(classes)}",
            )


def _leave_no_bytecode(code: UserCode) -> None:
    # A run must not leave __pycache__ in the user's folders. The options of Python would also
    # disable it for libraries, which would then be compiled at each start. It can stay: overriding
    # this method is the documented way.
    write = SourceFileLoader.set_data

    def set_data(self: SourceFileLoader, path: str, data: bytes, **kwargs: Any) -> None:
        if not code.contains(self.path):
            write(self, path, data, **kwargs)

    replace_in(SourceFileLoader, "set_data", set_data)


_NO_CLASS = "no user class. Define a class derived from HttpUser, FastHttpUser or User"
