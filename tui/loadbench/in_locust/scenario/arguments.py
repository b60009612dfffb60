"""Converts the options of a profile to command-line arguments."""

import argparse
import difflib
from collections.abc import Iterable, Iterator, Sequence

from loadbench.engine.profile.sections.locust_options import option_key, split_values
from loadbench.in_locust.settings import ScenarioSettings

KEY = "load.options"
"""Key of the profile with the options."""

_MAX_NAMES = 20
"""Maximum number of options that a message lists."""


class OptionError(Exception):
    """An option of the profile does not fit the locustfile."""


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
    by_name = {
        option_key(text): (action, text) for action in actions for text in action.option_strings
    }
    for name, value in scenario.options.items():
        if option_key(name) not in by_name:
            raise OptionError(f"{name}: {_unknown(name, own)}")
        action, text = by_name[option_key(name)]
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
        for item in _split(value) if value.endswith("\n") else [value]:
            yield from _with_value(option, item)
    else:
        yield from _with_value(option, value)


def _flag(action: argparse.Action, option: str, value: str) -> Iterator[str]:
    match value.lower():
        case "true" | "yes" | "on":
            yield option
        case "false" | "no" | "off":
            if isinstance(action, argparse.BooleanOptionalAction):
                yield _opposite(action, option)
        case number if number.isdecimal() and isinstance(action, argparse._CountAction):  # noqa: SLF001
            yield from [option] * int(number)
        case _:
            raise ValueError("expected true or false, because the option has no value")


def _opposite(action: argparse.BooleanOptionalAction, option: str) -> str:
    """Return the option that sets the other value: `--no-cache` for `--cache`, and vice versa."""
    plain = option.removeprefix("--no-")
    other = f"--{plain}" if plain != option else f"--no-{option.removeprefix('--')}"
    return other if other in action.option_strings else option


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
        return split_values(value)
    except ValueError as error:
        raise ValueError(f"{str(error).lower()} in {value!r}") from None


def _unknown(name: str, own: Iterable[argparse.Action]) -> str:
    names = [_name(action) for action in own if action.option_strings]
    if not names:
        return "the locustfile has no options"
    close = difflib.get_close_matches(option_key(name), names, n=1)
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    hint = f"Did you mean {close[0]}?" if close else f"It has {', '.join(names[:_MAX_NAMES])}{more}"
    return f"the locustfile has no such option. {hint}"


def required(action: argparse.Action) -> str:
    """Return what to do about a required option that is not given."""
    name = _name(action)
    text = f"the locustfile requires the option {name}. Set {KEY}: {{{name}: …}}"
    return f"{text}, one of {', '.join(map(str, action.choices))}" if action.choices else text


def _name(action: argparse.Action) -> str:
    """Return the longest name of an option."""
    return option_key(max(action.option_strings, key=len))
