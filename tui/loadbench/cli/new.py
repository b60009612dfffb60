"""The command `new`: a first profile for a Compose project, or a copy of an example."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadbench.cli import output
from loadbench.cli.options import NewFolder
from loadbench.errors import ProfileError, WorkspaceError
from loadbench.paths import is_file, resolved
from loadbench.workspace import Workspace

if TYPE_CHECKING:
    from loadbench.engine.drivers.compose.first_profile.proposal import Proposal


@click.command(short_help="Write a first profile for a Compose project, or copy an example.")
@click.argument("folder", metavar="[FOLDER]", type=NewFolder(), required=False)
@click.option("--example", metavar="NAME", help="Copy an example instead, such as chat.")
@click.option(
    "--name",
    metavar="NAME",
    help="Name of the profile. Default: the name of FOLDER or of the example.",
)
@click.pass_obj
def new(workspace: Workspace, folder: Path | None, example: str | None, name: str | None) -> None:
    """Write a first profile for the Compose project in FOLDER. Nothing is started.

    Finds the compose file and the locustfile of the project, and guesses which service to scale,
    the port that receives the requests and the path of the health check. Comments in the profile
    state where each value was found, or why it was guessed. Existing profiles are never
    overwritten, and files of the project are not changed.

    With --example, copies the profile and the locustfile of an example into the workspace. The
    example `chat` measures OpenAI-compatible endpoints that stream their answers.

    The profile is then checked, as by `loadbench-tui validate`.

    \b
    Examples:
      loadbench-tui new ~/projects/shop
      loadbench-tui new . --name shop-api
      loadbench-tui new --example chat
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.engine.profile.editing.file import name_problem

    if (folder is None) == (example is None):
        raise click.UsageError("Expected either FOLDER or --example NAME.")
    if folder is not None and is_file(folder):
        raise ProfileError(f"{folder} is a file. Name its folder: {folder.parent}")
    if workspace.bundled:
        argument = "FOLDER" if example is None else f"--example {shlex.quote(example)}"
        raise WorkspaceError(
            "the bundled workspace is read-only. Create your own with `loadbench-tui init DIR`, "
            f"then run this command in it, or with `loadbench-tui --workspace DIR new {argument}`"
        )
    default = example or _name_of(resolved(folder or "."))
    chosen = default if name is None else name
    if problem := name_problem(chosen):
        raise ProfileError(f"{chosen!r} is not a valid name: {problem}. Use --name NAME")
    if example is not None:
        _copy_example(workspace, example, chosen)
    elif folder is not None:
        _propose(workspace, folder, chosen)


def _propose(workspace: Workspace, folder: Path, name: str) -> None:
    """Write a first profile for the Compose project in a folder."""
    from loadbench.engine.drivers.compose.first_profile.proposal import propose
    from loadbench.engine.profile.editing.file import check_new_file, create_profile_file

    file = workspace.profiles / f"{name}.yaml"
    with _with_advice_on_names():
        check_new_file(file)
    proposal = propose(workspace, folder)
    create_profile_file(file, proposal.text(name).encode("utf-8", "replace"))
    output.data(f"Created {file}\n")
    output.data("\n".join(_table(proposal)))
    for note in proposal.notes:
        output.message(note)
    _check(workspace, file, f"Check the values marked `guessed` in {file}.")


def _copy_example(workspace: Workspace, example: str, name: str) -> None:
    """Copy an example into the workspace."""
    from loadbench.engine.profile.examples import create_example

    with _with_advice_on_names():
        file, folder = create_example(workspace, example, name)
    for created in (file, *sorted(folder.iterdir())):
        output.data(f"Created {created}")
    _check(workspace, file, f"Set host and load.options in {file}.")


@contextmanager
def _with_advice_on_names() -> Iterator[None]:
    """Add the option `--name` to errors about the name of the profile."""
    try:
        yield
    except ProfileError as error:
        raise ProfileError(f"{error}. To choose a name, use --name NAME") from None


def _check(workspace: Workspace, file: Path, advice: str) -> None:
    """Check the new profile, and show the next commands.

    Args:
        workspace: The workspace.
        file: The profile.
        advice: What to do before them.

    Raises:
        ProfileError: The profile is invalid.
    """
    from loadbench.cli.profile_commands import check_profile

    checked = check_profile(workspace, file)
    if checked.problems:
        raise ProfileError("\n".join(checked.problems))
    name = file.stem
    output.data(f"\n{name}: valid, {checked.cells}{checked.note}")
    for warning in checked.warnings:
        output.message(f"{name}: warning: {warning}")
    argument = shlex.quote(name)
    output.message(
        f"{advice} Next:\n"
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
