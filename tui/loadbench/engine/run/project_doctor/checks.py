"""Checks a profile and everything it refers to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.drivers import registry
from loadbench.engine.drivers.compose.first_profile.search import ProjectFiles, text_of
from loadbench.engine.drivers.health import health_url
from loadbench.engine.masking import NO_SECRETS
from loadbench.engine.profile.driver_settings import ComposeSettings, settings_of
from loadbench.engine.profile.loading import add_locations, find_profile, read_draft
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.profile.source import read_source
from loadbench.engine.profile.values.resolving import resolve_profile
from loadbench.engine.run.doctor import Check
from loadbench.engine.run.project_doctor.compose import ComposeChecks
from loadbench.engine.run.project_doctor.locustfiles import (
    locustfile_checks,
    locustfile_paths,
)
from loadbench.engine.run.project_doctor.repair import missing_keys, usable_profile
from loadbench.errors import LoadbenchError, ProfileError
from loadbench.paths import is_dir
from loadbench.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ProjectReport:
    """The result of all checks of a profile."""

    file: Path
    checks: tuple[Check, ...]
    lines: tuple[str, ...]
    """Profile lines that would correct what is wrong, such as `stack.port: api:8000`."""


def check_project(workspace: Workspace, name: str) -> ProjectReport:
    """Check a profile, its locustfile and its Compose project. Nothing is started.

    Args:
        workspace: The workspace.
        name: Name of a profile, or path of a YAML file.

    Raises:
        ProfileError: There is no such profile.
    """
    file = find_profile(name, workspace.profiles)
    try:
        draft = read_draft(read_source(file))
    except ProfileError as error:
        return ProjectReport(file, (Check("problem", "profile", str(error)),), ())
    checks = [Check("problem", "profile", f"{one.location}: {one.text}") for one in draft.problems]
    profile = usable_profile(draft)
    if profile is None:
        return ProjectReport(file, tuple(checks), ())
    if draft.profile:
        cells = len(plan_cells(profile))
        text = f"{file}, {cells} {'cell' if cells == 1 else 'cells'}"
        checks.append(Check("ok", "profile", text))
    masker, used = NO_SECRETS, profile
    try:
        resolved = resolve_profile(profile)
        masker, used = resolved.masker, resolved.resolved
    except ProfileError as error:
        checks += _problems(file, str(error))
    lines = [f"{key}: {value}" for key, value in missing_keys(draft).items()]
    locustfiles = locustfile_paths(workspace.root, used)
    if not locustfiles:
        lines += _other_locustfile(workspace, used)
    checks += locustfile_checks(workspace.root, used)
    checks += _images(workspace, used)
    # The value `auto`, for which there are no settings, prefers containers.
    if settings_of(used.stack.driver) in (None, ComposeSettings):
        compose = ComposeChecks(workspace, used, "\n".join(map(text_of, locustfiles)))
        compose.run()
        checks += [_located(file, check) for check in compose.checks]
        lines += compose.lines
    else:
        checks += _other_driver(workspace, file, used)
    if draft.profile and not any(check.level == "problem" for check in checks):
        checks += _preflight(workspace, used)
    masked = (Check(one.level, one.subject, masker.text(one.text)) for one in checks)
    return ProjectReport(file, tuple(masked), tuple(map(masker.text, dict.fromkeys(lines))))


def _other_locustfile(workspace: Workspace, profile: Profile) -> list[str]:
    """Return the profile line with a locustfile next to the compose file, if there is one."""
    folder = (workspace.root / profile.stack.compose[0]).absolute().parent
    if not is_dir(folder) or folder == workspace.stack:
        return []
    found = ProjectFiles(folder, skipped=(workspace.reports,)).locustfiles
    return [f"load.locustfile: {found[0]}"] if found else []


def _images(workspace: Workspace, profile: Profile) -> Iterator[Check]:
    images = workspace.root / profile.load.images
    if not is_dir(images):
        yield Check("problem", "images to send", f"load.images: folder not found: {images}")


def _other_driver(workspace: Workspace, file: Path, profile: Profile) -> Iterator[Check]:
    driver = profile.stack.driver
    try:
        warnings = registry.validate(workspace, profile)
    except ProfileError as error:
        yield from _problems(file, str(error))
        return
    checked = (health_url(one, profile.host or "") for one in profile.stack.health)
    address = f", {' and '.join(checked)}" if profile.host else ""
    yield Check("ok", "driver", f"{driver}{address}")
    for warning in warnings:
        yield Check("warning", "driver", warning)


def _preflight(workspace: Workspace, profile: Profile) -> Iterator[Check]:
    """Check what only the preflight of the driver knows, such as whether there is a GPU."""
    try:
        found = registry.preflight(workspace, profile)
    except LoadbenchError as error:
        yield Check("problem", "preflight", str(error))
        return
    yield Check("ok", "preflight", f"driver {found.driver}: {found.reason}")


def _problems(file: Path, message: str) -> list[Check]:
    lines = add_locations(file, message).splitlines()
    return [Check("problem", "profile", line) for line in lines]


def _located(file: Path, check: Check) -> Check:
    """Add the location of the key with which the text of a problem starts, if there is one."""
    is_keyed = check.level == "problem" and check.text.startswith(("stack.", "host:", "models:"))
    text = add_locations(file, check.text) if is_keyed else check.text
    return Check(check.level, check.subject, text)
