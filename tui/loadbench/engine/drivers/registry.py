"""The drivers by name: which one a profile gets on this machine and why, and their leftovers.

Nothing outside asks which driver it is; what differs between them is in their settings, in what
their preflight found, and in what they do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from loadbench.engine.drivers.compose.driver import ComposeDriver
from loadbench.engine.drivers.external.driver import ExternalDriver
from loadbench.engine.drivers.local.driver import LocalDriver
from loadbench.engine.drivers.protocol import Driver, Leftovers
from loadbench.engine.profile.driver_settings import AUTO, SETTINGS
from loadbench.engine.profile.model import Profile, StackSection
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import EngineError, RefusedError
from loadbench.workspace import Workspace

DRIVERS: Mapping[str, Driver] = {
    driver.name: driver for driver in (ComposeDriver(), LocalDriver(), ExternalDriver())
}
AUTOMATIC = (ComposeDriver.name, LocalDriver.name)
"""What `auto` tries, in this order."""

ASKED_FOR = "the profile asks for it"


def driver_named(name: str) -> Driver:
    """Return a driver.

    Raises:
        RefusedError: There is none of that name, as in a run of another version.
    """
    if name not in DRIVERS:
        raise RefusedError(f"no driver {name!r} in this version; there are: {', '.join(DRIVERS)}")
    return DRIVERS[name]


def preflight(workspace: Workspace, profile: Profile, *, only: str | None = None) -> Preflight:
    """Return which driver runs a profile here, and what it found.

    Args:
        workspace: Where its files are.
        profile: What is to be run.
        only: The one driver that will do, where `auto` is asked for.

    Raises:
        ProfileError: Its files cannot be used.
        RefusedError: It cannot run here; the message says why and what to do.
    """
    asked = profile.stack.driver
    if asked == AUTO and not only:
        return _first_that_can(workspace, profile)
    name = only if asked == AUTO and only else asked
    reason = ASKED_FOR if name == asked else f"the run was begun with {name}"
    return replace(driver_named(name).preflight(workspace, profile), reason=reason)


def validate(workspace: Workspace, profile: Profile) -> list[str]:
    """Check a profile as far as that is possible on any machine.

    Returns:
        Valid but probably unintended settings, and what could not be checked, a sentence each.

    Raises:
        ProfileError: The profile cannot be used anywhere.
    """
    unchecked = []
    for name in _candidates(profile):
        try:
            return driver_named(name).validate(workspace, profile)
        except EngineError as error:
            unchecked.append(str(error))
    return unchecked[:1]


def find_leftovers(runs: Iterable[Run]) -> Leftovers:
    """Look for what runs that have ended have left behind, each by its own driver."""
    by_driver: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.state.started:
            by_driver[run.state.started.driver].append(run)
    containers: dict[Path, tuple[str, ...]] = {}
    unknown: list[str] = []
    for name, begun in by_driver.items():
        if driver := DRIVERS.get(name):
            found = driver.leftovers(begun)
            containers |= found.containers
            unknown += found.unknown
    return Leftovers(containers, tuple(unknown))


def clear_leftovers(run: Run) -> str | None:
    """Remove what a run that has ended has left behind.

    Returns:
        What could not be removed, as a sentence; None: nothing is left.

    Raises:
        RefusedError: A live run uses it.
    """
    driver = DRIVERS.get(run.state.started.driver) if run.state.started else None
    return driver.clear_leftovers(run) if driver else None


def _first_that_can(workspace: Workspace, profile: Profile) -> Preflight:
    """Try the drivers that `auto` stands for."""
    refusals: dict[str, RefusedError] = {}
    for name in _candidates(profile):
        try:
            found = driver_named(name).preflight(workspace, profile)
        except RefusedError as error:
            refusals[name] = error
            continue
        if not refusals:
            return found
        first = next(iter(refusals.values()))
        return replace(found, reason=f"no {SETTINGS[name].lacks}: {first}")
    *_, last = refusals.values()
    if len(refusals) == 1:
        raise RefusedError(f"{last}{_why_no_other(profile)}") from last
    listed = "".join(f"\n  {name}: {refusal}" for name, refusal in refusals.items())
    raise RefusedError(f"no driver can run this here{listed}") from last


def _candidates(profile: Profile) -> list[str]:
    """Return the drivers that take all keys of a profile: the one it names, or some of `auto`'s."""
    if profile.stack.driver != AUTO:
        return [profile.stack.driver]
    return [name for name in AUTOMATIC if not _foreign_keys(name, profile)]


def _why_no_other(profile: Profile) -> str:
    """Return which key keeps `auto` from trying another driver, in brackets."""
    for name in AUTOMATIC:
        for key in _foreign_keys(name, profile):
            return f" (stack.{key} needs {SETTINGS[name].lacks})"
    return ""


def _foreign_keys(name: str, profile: Profile) -> list[str]:
    return SETTINGS[name].foreign_keys(profile.stack, StackSection())
