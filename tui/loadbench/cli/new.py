"""The command `new`, which writes a first profile for a Compose project."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadbench.cli import output
from loadbench.cli.options import NewFolder
from loadbench.errors import ProfileError, WorkspaceError
from loadbench.workspace import Workspace

if TYPE_CHECKING:
    from loadbench.engine.drivers.compose.first_profile.proposal import Proposal


@click.command(short_help="Write a first profile for a Compose project.")
@click.argument("folder", metavar="FOLDER", type=NewFolder())
@click.option("--name", metavar="NAME", help="Name of the profile. Default: the name of FOLDER.")
@click.pass_obj
def new(workspace: Workspace, folder: Path, name: str | None) -> None:
    """Write a first profile for the Compose project in FOLDER. Nothing is started.

    Finds the compose file and the locustfile of the project, and guesses which service to scale,
    the port that receives the requests and the path of the health check. Comments in the profile
    state where each value was found, or why it was guessed. Existing profiles are never
    overwritten, and files of the project are not changed.

    The profile is then checked, as by `loadbench-tui validate`.

    \b
    Examples:
      loadbench-tui new ~/projects/shop
      loadbench-tui new . --name shop-api
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench import wording
    from loadbench.cli.profile_commands import check_profile
    from loadbench.engine.drivers.compose.first_profile.proposal import propose
    from loadbench.engine.profile.editing.file import check_new_file, create_profile_file
    from loadbench.paths import is_file, resolved

    if is_file(folder):
        raise ProfileError(f"{folder} is a file. Name its folder: {folder.parent}")
    if workspace.bundled:
        raise WorkspaceError(
            "the bundled workspace is read-only. Create your own with `loadbench-tui init DIR`, "
            "then run this command in it, or with `loadbench-tui --workspace DIR new FOLDER`"
        )
    chosen = _name_of(resolved(folder)) if name is None else name
    file = workspace.profiles / f"{chosen}.yaml"
    try:
        check_new_file(file)
    except ProfileError as error:
        raise ProfileError(f"{error}. To choose a name, use --name NAME") from None
    proposal = propose(workspace, folder)
    create_profile_file(file, proposal.text(chosen).encode("utf-8", "replace"))
    output.data(f"Created {file}\n")
    output.data("\n".join(_table(proposal)))
    for note in proposal.notes:
        output.message(note)
    checked = check_profile(workspace, file)
    if checked.problems:
        raise ProfileError("\n".join(checked.problems))
    output.data(f"\n{chosen}: valid, {wording.counted(checked.cells, 'cell')}{checked.note}")
    for warning in checked.warnings:
        output.message(f"{chosen}: warning: {warning}")
    argument = shlex.quote(chosen)
    output.message(
        f"Check the values marked `guessed` in {file}. Next:\n"
        f"  loadbench-tui doctor {argument}\n"
        f"  loadbench-tui plan {argument}\n"
        f"  loadbench-tui run {argument}"
    )


def _table(proposal: "Proposal") -> list[str]:
    from loadbench import wording

    rows = [(key.name, key.shown, key.comment) for key in proposal.keys if key.is_of_project]
    return wording.table(("key", "value", "source "), rows, left=2)


def _name_of(folder: Path) -> str:
    """Return the name of a folder with only characters that need no quotes in commands."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-.") or "project"
