"""Ask for the name of a new profile, and check that the workspace is writable."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App

from loadbench.engine.profile.editing.file import name_problem
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.name import NameDialog


def is_writable(app: App[Any], context: UiContext, participle: str) -> bool:
    """Return whether the workspace can be changed. Otherwise show how to create one.

    Args:
        app: The app.
        context: The context of the screen.
        participle: What would happen to a profile, such as `edited`.
    """
    if not context.workspace.bundled:
        return True
    app.notify(
        f"Bundled profiles cannot be {participle}. "
        "Create your own workspace with `loadbench-tui init DIR`.",
        severity="warning",
        timeout=10,
    )
    return False


def ask_for_name(
    app: App[Any],
    context: UiContext,
    title: str,
    proposal: str,
    *,
    verb: str,
    then: Callable[[Path], object],
    note: str = "",
    keep_proposal: bool = False,
) -> None:
    """Ask for the name of a new profile, and call a function with its file.

    Args:
        app: The app.
        context: The context of the screen.
        title: The title of the dialog.
        proposal: The initial name. A number is appended if it is in use.
        verb: The action of Enter.
        then: Called with the file of the profile, unless the user cancels.
        note: A consequence that the dialog mentions.
        keep_proposal: Whether to propose a name that is in use.
    """
    folder = context.workspace.profiles
    existing = {saved.name for saved in context.catalog.newest.profiles}

    def chosen(name: str | None) -> None:
        if name is not None:
            then(folder / f"{name}.yaml")

    app.push_screen(
        NameDialog(
            title,
            proposal if keep_proposal else free_name(proposal, existing),
            verb=verb,
            note=note,
            validate=lambda name: name_error(name, existing),
        ),
        chosen,
    )


def free_name(proposal: str, existing: set[str]) -> str:
    """Return a name, with a number appended if it is in use."""
    if proposal not in existing:
        return proposal
    base = re.sub(r"_\d+$", "", proposal)
    number = 2
    while f"{base}_{number}" in existing:
        number += 1
    return f"{base}_{number}"


def name_error(name: str, existing: set[str]) -> str:
    """Return why a profile cannot have a name, or an empty text.

    Args:
        name: The name.
        existing: The names in use.
    """
    if problem := name_problem(name):
        return f"Invalid name: {problem}"
    if name in existing:
        return f"The profile {name} already exists. Enter another name."
    return ""
