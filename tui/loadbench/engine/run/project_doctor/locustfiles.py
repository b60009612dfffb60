"""Checks the locustfiles of a profile without executing them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from loadbench.engine.load.source.checks import check_locustfiles
from loadbench.engine.load.source.files import find_locustfiles
from loadbench.engine.profile.model import Profile
from loadbench.engine.run.doctor import Check
from loadbench.errors import ProfileError

_SUBJECT = "locustfile"


def locustfile_checks(root: Path, profile: Profile) -> Iterator[Check]:
    """Check that locustfiles are valid Python, define users, and find what they need.

    Args:
        root: Folder of the workspace.
        profile: The profile.
    """
    try:
        found = find_locustfiles(root, profile.load)
    except ProfileError as error:
        yield from (Check("problem", _SUBJECT, text) for text in str(error).split("; "))
        return
    report = check_locustfiles(found, profile.load, profile.host)
    if report.users:
        text = f"{_shown(found.paths)}, users: {', '.join(report.users)}"
        yield Check("ok", _SUBJECT, text)
    if found.reason:
        yield Check("ok", _SUBJECT, f"Locust runs in {found.folder}: {found.reason}")
    for one in (*report.listed("problem"), *report.listed("warning")):
        yield Check(one.level, _SUBJECT, str(one))


def locustfile_paths(root: Path, profile: Profile) -> Sequence[Path]:
    """Return the locustfiles of a profile; none if one of them is missing."""
    try:
        return find_locustfiles(root, profile.load).paths
    except ProfileError:
        return ()


def _shown(paths: Sequence[Path]) -> str:
    more = len(paths) - 1
    return f"{paths[0]} and {more} more" if more else str(paths[0])
