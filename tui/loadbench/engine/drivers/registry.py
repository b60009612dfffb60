"""Registry of the drivers: selects the driver of a profile and finds the leftovers of runs.

Code outside this package never branches on a driver's name. Differences between drivers are in
their settings, their preflight results and their methods.
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
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.sections.stack import StackSection
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import EngineError, RefusedError
from loadbench.workspace import Workspace

DRIVERS: Mapping[str, Driver] = {
    driver.name: driver for driver in (ComposeDriver(), LocalDriver(), ExternalDriver())
}
AUTOMATIC = (ComposeDriver.name, LocalDriver.name)
"""Drivers that `auto` tries, in this order."""

REQUESTED = "requested by the profile"


def get_driver(name: str) -> Driver:
    """Look up a driver by name.

    Raises:
        RefusedError: The name is unknown, for example because a run is from another version.
    """
    if name not in DRIVERS:
        raise RefusedError(f"unknown driver {name!r}; available drivers: {', '.join(DRIVERS)}")
    return DRIVERS[name]


def preflight(workspace: Workspace, profile: Profile, *, only: str | None = None) -> Preflight:
    """Select the driver of a profile on this machine and run its preflight.

    Args:
        workspace: Location of the profile's files.
        profile: The profile to run.
        only: Restrict `auto` to this driver.

    Raises:
        ProfileError: A file named in the profile cannot be used.
        RefusedError: This machine cannot run the profile. The message states the cause and a
            remedy.
    """
    requested = profile.stack.driver
    if requested == AUTO and not only:
        return _first_usable(workspace, profile)
    name = only if requested == AUTO and only else requested
    reason = REQUESTED if name == requested else f"the run was started with {name}"
    return replace(get_driver(name).preflight(workspace, profile), reason=reason)


def validate(workspace: Workspace, profile: Profile) -> list[str]:
    """Perform the checks of a profile that do not depend on the machine.

    Returns:
        Warnings about probably unintended settings and about skipped checks, one sentence each.

    Raises:
        ProfileError: The profile is invalid on every machine.
    """
    unchecked = []
    for name in _candidates(profile):
        try:
            return get_driver(name).validate(workspace, profile)
        except EngineError as error:
            unchecked.append(str(error))
    return unchecked[:1]


def find_leftovers(runs: Iterable[Run]) -> Leftovers:
    """Find containers left behind by runs that are no longer live."""
    by_driver: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.state.started:
            by_driver[run.state.started.driver].append(run)
    containers: dict[Path, tuple[str, ...]] = {}
    unknown: list[str] = []
    for name, started in by_driver.items():
        if driver := DRIVERS.get(name):
            found = driver.leftovers(started)
            containers |= found.containers
            unknown += found.unknown
    return Leftovers(containers, tuple(unknown))


def clear_leftovers(run: Run) -> str | None:
    """Remove the leftovers of a run that is no longer live.

    Returns:
        A sentence that describes what could not be removed, or None if nothing is left.

    Raises:
        RefusedError: A live run uses the same resources.
    """
    driver = DRIVERS.get(run.state.started.driver) if run.state.started else None
    return driver.clear_leftovers(run) if driver else None


def _first_usable(workspace: Workspace, profile: Profile) -> Preflight:
    """Return the preflight of the first `auto` driver that can run the profile."""
    refusals: dict[str, RefusedError] = {}
    for name in _candidates(profile):
        try:
            found = get_driver(name).preflight(workspace, profile)
        except RefusedError as error:
            refusals[name] = error
            continue
        if not refusals:
            return found
        name_refused, refusal = next(iter(refusals.items()))
        return replace(found, reason=f"{name_refused} is unavailable: {refusal}")
    *_, last = refusals.values()
    if len(refusals) == 1:
        raise RefusedError(f"{last}{_excluding_key(profile)}") from last
    listed = "".join(f"\n  {name}: {refusal}" for name, refusal in refusals.items())
    raise RefusedError(f"no driver can run this profile on this machine:{listed}") from last


def _candidates(profile: Profile) -> list[str]:
    """Return the requested driver or, for `auto`, the drivers that support all keys in use."""
    if profile.stack.driver != AUTO:
        return [profile.stack.driver]
    return [name for name in AUTOMATIC if not _unsupported_keys(name, profile)]


def _excluding_key(profile: Profile) -> str:
    """Return the key that excludes the other `auto` driver, in brackets, or an empty string."""
    for name in AUTOMATIC:
        for key in _unsupported_keys(name, profile):
            return f" (stack.{key} requires {SETTINGS[name].missing_feature})"
    return ""


def _unsupported_keys(name: str, profile: Profile) -> list[str]:
    return SETTINGS[name].unsupported_keys(profile.stack, StackSection())
