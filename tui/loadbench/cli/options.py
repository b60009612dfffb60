"""Help texts of options shared by several commands, and types of arguments."""

from pathlib import Path
from typing import Any

import click

from loadbench.errors import UsageError
from loadbench.paths import is_dir, resolved

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
        """Return the path.

        Raises:
            UsageError: The path is empty or a folder, its folder does not exist, or it contains a
                null character.
        """
        option = parameter.opts[0] if parameter else "FILE"
        if not str(value):
            raise UsageError(f"{option}: the path of the file is empty")
        path = Path(value)
        if is_dir(path):
            raise UsageError(f"{option}: {path} is a folder. Name a file in it")
        if not is_dir(resolved(path).parent):
            raise UsageError(f"{option}: the folder {path.parent} does not exist. Create it first")
        return path
