"""What several commands share: help texts, metadata, and types of arguments."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from loadbench.errors import UsageError
from loadbench.paths import exists, is_dir, is_file, resolved

F = TypeVar("F", bound=Callable[..., Any])

TERMINAL_OPTIONS = "loadbench.options"
"""Key of the `TerminalOptions` in the metadata of click's context."""

SET_HELP = (
    "Override a profile key for this run. Can be repeated. Separate list values with commas, and "
    "a section from its key with a dot: --set users=5,10 --set stack.driver=local. Lists of "
    "numbers take ranges: --set 'users=10..100 step 10'."
)


class NewFolder(click.Path):
    """A folder to create. Shells complete it as a path."""

    def convert(self, value: Any, _parameter: object, _context: object) -> Path:
        """Return the path. Click's own checks raise an error for a null character.

        Raises:
            UsageError: The path is empty, as from an empty shell variable.
        """
        if not str(value):
            raise UsageError("the path of the folder is empty")
        return Path(value)


class NewFile(click.Path):
    """A file to write, in a folder that exists. Shells complete it as a path."""

    def convert(self, value: Any, parameter: click.Parameter | None, _context: object) -> Path:
        """Return the path, of a symbolic link that of its target: a file is replaced as a whole.

        Raises:
            UsageError: The path is empty or exists as something other than a regular file, its
                folder does not exist, or it contains a null character.
        """
        option = parameter.opts[0] if parameter else "FILE"
        if not str(value):
            raise UsageError(f"{option}: the path of the file is empty")
        path = Path(value)
        if is_dir(path):
            raise UsageError(f"{option}: {path} is a folder. Name a file in it")
        target = resolved(path)
        if not is_dir(target.parent):
            raise UsageError(f"{option}: the folder {path.parent} does not exist. Create it first")
        if exists(target) and not is_file(target):
            raise UsageError(f"{option}: {path} is not a regular file. Name another file")
        is_link = os.path.islink(path)  # noqa: PTH114  # `Path.is_symlink` raises errors
        return target if is_link else path


def junit_option(contents: str) -> Callable[[F], F]:
    """Return a decorator that adds the option `--junit` to a command.

    Args:
        contents: What the file contains, for the help text.
    """
    return click.option(
        "--junit",
        metavar="FILE",
        type=NewFile(),
        help=f"Write {contents} to FILE as JUnit XML, which CI systems show.",
    )


def search_options(command: F) -> F:
    """Add the options of a search for the capacity to a command; see `search_overrides`."""
    command = click.option(
        "--budget",
        metavar="TIME",
        help="With a search: end after this time, such as 45m. The result names what is left out. "
        "The same as --set search.budget=TIME.",
    )(command)
    return click.option(
        "--find-capacity",
        is_flag=True,
        help="Measure only the cells that a search for the capacity needs. For each number of "
        "models, it finds the largest of the users in the profile that meets the goals. The same "
        "as --set search.strategy=bisection.",
    )(command)


def search_overrides(*, find_capacity: bool, budget: str | None) -> tuple[str, ...]:
    """Return the overrides that the options of a search stand for."""
    from loadbench.engine.profile.sections.search import BISECTION

    strategy = (f"search.strategy={BISECTION}",) if find_capacity else ()
    return (*strategy, *(() if budget is None else (f"search.budget={budget}",)))
