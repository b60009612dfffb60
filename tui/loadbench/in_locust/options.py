"""Passes the options of the profile to the locustfile, and explains wrong ones.

Locust reads its command line after it has imported the locustfile, which may add options.
"""

import argparse
import difflib
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from locust import events
from locust import main as locust_main
from locust.argument_parser import LocustArgumentParser, get_parser

from loadbench.in_locust.mistakes import Mistakes
from loadbench.in_locust.patches import replace_in
from loadbench.in_locust.settings import ScenarioSettings
from loadbench.in_locust.status import Status
from loadbench.in_locust.userfile import fail

_KEY = "load.options"


class OptionError(Exception):
    """An option of the profile does not fit the locustfile."""


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
            fail(status, f"{_KEY}.{error}")
        return parser

    def on_error(parser: LocustArgumentParser, message: str) -> NoReturn:
        missing = [one for one in parser._actions if _is_missing(one)]  # noqa: SLF001
        if missing and "required" in message:
            fail(status, "; ".join(map(_required, missing)))
        fail(status, f"{_KEY}: {' '.join(message.split())}")

    replace_in(locust_main, "get_parser", get_parser_with_options)
    replace_in(LocustArgumentParser, "error", on_error)


def arguments(
    scenario: ScenarioSettings, actions: Sequence[argparse.Action], own: Iterable[argparse.Action]
) -> list[str]:
    """Return the command-line arguments for Locust.

    Args:
        scenario: The profile's user classes, tags and options.
        actions: All options of the parser.
        own: Those that the locustfile has added.

    Raises:
        OptionError: An option does not exist, or cannot have its value.
    """
    found = [*scenario.user_classes]
    for option, tags in (("--tags", scenario.tags), ("--exclude-tags", scenario.exclude_tags)):
        found += [option, *tags] if tags else []
    by_name = {_plain(text): (action, text) for action in actions for text in action.option_strings}
    for name, value in scenario.options.items():
        if _plain(name) not in by_name:
            raise OptionError(f"{name}: {_unknown(name, own)}")
        action, text = by_name[_plain(name)]
        try:
            found += _arguments(action, text, value)
        except ValueError as error:
            raise OptionError(f"{name}: {error}") from None
    return found


def _arguments(action: argparse.Action, option: str, value: str) -> Iterator[str]:
    """Yield the arguments that give an option a value.

    Raises:
        ValueError: The option cannot have this value.
    """
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        yield from _flag(action, option, value)
    elif isinstance(action.nargs, int) or action.nargs in ("*", "+"):
        yield from (option, *_split(value))
    elif isinstance(action, argparse._AppendAction):  # noqa: SLF001  # no public name
        for item in _split(value):
            yield from _with_value(option, item)
    else:
        yield from _with_value(option, value)


def _flag(action: argparse.Action, option: str, value: str) -> Iterator[str]:
    match value.lower():
        case "true" | "yes" | "on":
            yield next(text for text in action.option_strings if not text.startswith("--no-"))
        case "false" | "no" | "off":
            yield from [text for text in action.option_strings if text.startswith("--no-")][:1]
        case number if number.isdecimal() and isinstance(action, argparse._CountAction):  # noqa: SLF001
            yield from [option] * int(number)
        case _:
            raise ValueError("expected true or false, because the option has no value")


def _with_value(option: str, value: str) -> Iterator[str]:
    """Yield an option and its value, which may start with a dash."""
    if option.startswith("--"):
        yield f"{option}={value}"
    elif value:
        yield f"{option}{value}"
    else:
        yield from (option, value)


def _split(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError as error:
        raise ValueError(f"{str(error).lower()} in {value!r}") from None


def _unknown(name: str, own: Iterable[argparse.Action]) -> str:
    names = [text for action in own for text in action.option_strings]
    if not names:
        return "the locustfile has no options"
    close = difflib.get_close_matches(name, [_plain(text) for text in names], n=1)
    hint = f". Did you mean {close[0]}?" if close else f". It has {', '.join(names)}"
    return f"the locustfile has no such option{hint}"


def _is_missing(action: argparse.Action) -> bool:
    given = {argument.partition("=")[0] for argument in sys.argv}
    variable = getattr(action, "env_var", None)
    return (
        action.required
        and given.isdisjoint(action.option_strings)
        and not (variable and variable in os.environ)
    )


def _required(action: argparse.Action) -> str:
    name = _plain(max(action.option_strings, key=len, default=action.dest))
    text = f"the locustfile requires the option {name}. Set {_KEY}: {{{name}: …}}"
    return f"{text}, one of {', '.join(map(str, action.choices))}" if action.choices else text


def _plain(option: str) -> str:
    """Return the name of an option without leading dashes, in one spelling."""
    return option.lstrip("-").replace("_", "-")
