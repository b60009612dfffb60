"""Passes the options of the profile to the locustfile, and explains wrong ones.

Locust reads its command line after it has imported the locustfile, which may add options.
"""

import argparse
import os
import sys
from typing import Any, NoReturn

from locust import events
from locust import main as locust_main
from locust.argument_parser import LocustArgumentParser, get_parser

from loadbench.in_locust.clients.connections import replace_in
from loadbench.in_locust.scenario.arguments import KEY, OptionError, arguments, required
from loadbench.in_locust.scenario.mistakes import Mistakes
from loadbench.in_locust.scenario.status import Status
from loadbench.in_locust.scenario.userfile import fail
from loadbench.in_locust.settings import ScenarioSettings


def install(scenario: ScenarioSettings, status: Status, mistakes: Mistakes) -> None:
    """Patch Locust's parser so that it parses the profile's options, and reports their errors."""
    own: list[argparse.Action] = []

    @events.init_command_line_parser.add_listener
    def on_parser(parser: argparse.ArgumentParser, **_: Any) -> None:
        # The first listener: the locustfile has not added its options yet.
        own.extend(parser._actions)  # noqa: SLF001  # no public access

    def get_parser_with_options(*args: Any, **kwargs: Any) -> LocustArgumentParser:
        own.clear()
        parser = get_parser(*args, **kwargs)
        if mistake := mistakes.first:
            # A listener has failed, and Locust would go on without its options.
            fail(status, mistake)
        added = [action for action in parser._actions if action not in own]  # noqa: SLF001
        try:
            sys.argv += arguments(scenario, parser._actions, added)  # noqa: SLF001
        except OptionError as error:
            fail(status, f"{KEY}.{error}")
        return parser

    def on_error(parser: LocustArgumentParser, message: str) -> NoReturn:
        missing = [one for one in parser._actions if _is_missing(one)]  # noqa: SLF001
        if missing and "required" in message:
            fail(status, "; ".join(required(one) for one in missing))
        fail(status, f"{KEY}: {' '.join(message.split())}")

    replace_in(locust_main, "get_parser", get_parser_with_options)
    replace_in(LocustArgumentParser, "error", on_error)


def _is_missing(action: argparse.Action) -> bool:
    given = {argument.partition("=")[0] for argument in sys.argv}
    variable = getattr(action, "env_var", None)
    return (
        action.required
        and given.isdisjoint(action.option_strings)
        and not (variable and variable in os.environ)
    )
