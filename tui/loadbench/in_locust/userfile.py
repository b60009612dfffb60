"""Loads the user's locustfile and reports an error in it as one sentence.

Locust prints a traceback and exits. No upstream issue known (searched 2026-11). Remove the patch
when Locust fires an event for a locustfile that fails to load.
"""

import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from locust import main as locust_main
from locust.util.load_locustfile import load_locustfile

from loadbench.in_locust.patches import replace_in
from loadbench.in_locust.settings import Settings


def report_errors(settings: Settings) -> None:
    """Patch Locust's loader of user files to report errors to the runner."""

    def load_or_report(path: str) -> tuple[dict[str, Any], list[Any]]:
        try:
            users, shapes = load_locustfile(path)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the user's code, all of it
            traceback.print_exc()
            _fail(settings, _describe(path, error))
        if not users:
            _fail(settings, f"{path}: no class derived from FastHttpUser or HttpUser")
        if shapes:
            name = type(shapes[0]).__name__
            _fail(
                settings,
                f"{path}: the load shape {name} would replace the profile's user counts; remove it",
            )
        return users, shapes

    replace_in(locust_main, "load_locustfile", load_or_report)


def _fail(settings: Settings, message: str) -> NoReturn:
    settings.notify_runner({"error": message})
    sys.exit(1)


def _describe(path: str, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    folder = Path(path).resolve().parent
    frames = traceback.extract_tb(error.__traceback__)
    user_frames = [frame for frame in frames if folder in Path(frame.filename).resolve().parents]
    location = f"{user_frames[-1].filename}:{user_frames[-1].lineno}" if user_frames else path
    return f"{location}: {type(error).__name__}: {error}"
