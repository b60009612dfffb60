"""Loading the user's locustfile, so that a mistake in it becomes one sentence.

Locust prints a traceback and exits. No upstream issue known (searched 2026-11). The replacement can
go when Locust fires an event for a locustfile that cannot be loaded.
"""

import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from locust import main as locust_main
from locust.util.load_locustfile import load_locustfile

from loadbench.in_locust.patches import replace_in
from loadbench.in_locust.settings import Settings


def report_mistakes(settings: Settings) -> None:
    """Have Locust load user files through a loader that tells the runner what is wrong."""

    def load_or_tell(path: str) -> tuple[dict[str, Any], list[Any]]:
        try:
            users, shapes = load_locustfile(path)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the user's code, all of it
            traceback.print_exc()
            _give_up(settings, _explain(path, error))
        if not users:
            _give_up(settings, f"{path}: it defines no class derived from FastHttpUser or HttpUser")
        if shapes:
            name = type(shapes[0]).__name__
            _give_up(
                settings,
                f"{path}: it defines a load shape, {name}, which would overrule the numbers of "
                "users in the profile; remove it",
            )
        return users, shapes

    replace_in(locust_main, "load_locustfile", load_or_tell)


def _give_up(settings: Settings, message: str) -> NoReturn:
    settings.tell_runner({"error": message})
    sys.exit(1)


def _explain(path: str, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    folder = Path(path).resolve().parent
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if folder in Path(frame.filename).resolve().parents]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else path
    return f"{place}: {type(error).__name__}: {error}"
