"""Completion of names: profiles, runs and studies of the workspace.

Used as `shell_complete` of arguments and options. If the workspace cannot be read, there are no
names, and no message: a user is typing.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

import click
from click.shell_completion import CompletionItem

from loadbench.errors import LoadbenchError
from loadbench.workspace import Workspace

_PLAIN = re.compile(r"[\w./@%+-]+")
"""Names that no shell splits. Click separates fields by commas, bash splits words at : and =."""
MAX_RUNS = 20
"""Number of runs, the newest ones, that are completed beside their profiles."""


def complete_profile(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Return the names of saved profiles, or let the shell complete a path."""
    found = _starting_with(incomplete, _profiles(context))
    return found or [CompletionItem(incomplete, type="file")]


def complete_run(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Return profiles with runs, the newest runs and studies, or let the shell complete a path."""
    found = _starting_with(incomplete, _runs(context))
    return found or [CompletionItem(incomplete, type="dir")]


def complete_study(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Return the names of studies, without their folder."""
    return _starting_with(incomplete, (name.partition("/")[2] for name in _studies(context)))


def _starting_with(incomplete: str, names: Iterable[str]) -> list[CompletionItem[str]]:
    """Return the names that start with a text and need no quotes in any shell."""
    found: list[str] = []
    with suppress(LoadbenchError, OSError):
        found.extend(name for name in names if name.startswith(incomplete))
    return [CompletionItem(name) for name in found if _PLAIN.fullmatch(name)]


def _workspace(context: click.Context) -> Workspace:
    return Workspace.find(context.find_root().params.get("workspace"))


def _profiles(context: click.Context) -> Iterator[str]:
    from loadbench.engine.profile.loading import saved_profiles

    yield from (file.stem for file in saved_profiles(_workspace(context).profiles))


def _runs(context: click.Context) -> Iterator[str]:
    from loadbench.engine.run_lookup import run_folders

    folders = list(run_folders(_workspace(context).reports))
    yield from dict.fromkeys(folder.parent.name for folder in folders)
    yield from (f"{folder.parent.name}/{folder.name}" for folder in islice(folders, MAX_RUNS))
    yield from _studies(context)


def _studies(context: click.Context) -> Iterator[str]:
    from loadbench.engine.studies.model import STUDIES, study_folders

    for folder in study_folders(_workspace(context).reports):
        yield f"{STUDIES}/{folder.name}"
