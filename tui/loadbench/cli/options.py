"""What several commands share: help texts, metadata, and types of arguments."""

from pathlib import Path
from typing import Any

import click

from loadbench.errors import UsageError

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
