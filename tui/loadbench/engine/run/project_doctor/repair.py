"""Finds the profile lines that would correct what is wrong with a profile."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from loadbench.engine.drivers.compose.deployment import Deployment, deploy
from loadbench.engine.drivers.compose.first_profile.evidence import ProjectEvidence
from loadbench.engine.drivers.compose.first_profile.port import guess_port
from loadbench.engine.drivers.compose.first_profile.service import guess_service
from loadbench.engine.drivers.compose.project.services import Role
from loadbench.engine.profile.driver_settings import AUTO, ComposeSettings
from loadbench.engine.profile.loading import Draft
from loadbench.engine.profile.model import Profile
from loadbench.errors import ProfileError

_MAX_REPAIRS = 6
_MAX_REMOVED = 50
_REQUIRED: Mapping[str, Any] = {"models": [1], "users": [1], "spawn_rates": [1]}

_STARTING_VALUES = {"models": "[1, 2, 4]", "users": "[10, 50]", "spawn_rates": "[10]"}


@dataclass(slots=True)
class Repaired:
    """What a run with a corrected profile would start."""

    deployment: Deployment | None
    """None if the profile could not be corrected."""
    problems: list[str] = field(default_factory=list)
    """The errors of the profile as it is, each starting with a key."""
    lines: list[str] = field(default_factory=list)
    """The lines that correct it, such as `stack.port: api:8000`."""


def usable_profile(draft: Draft) -> Profile | None:
    """Return a profile, with defaults for invalid keys; None if nothing of it is usable."""
    if draft.profile:
        return draft.profile
    values = copy.deepcopy(dict(draft.values))
    for _ in range(_MAX_REMOVED):
        try:
            return Profile.model_validate(values)
        except ValidationError as error:
            for detail in error.errors():
                _correct(values, detail["type"], detail["loc"])
    return None


def missing_keys(draft: Draft) -> dict[str, str]:
    """Return the required keys that a profile does not set, with values to start with."""
    problems = {one.key for one in draft.problems if "required key is missing" in one.text}
    return {key: value for key, value in _STARTING_VALUES.items() if key in problems}


def repaired(evidence: ProjectEvidence, profile: Profile, *, is_remote: bool) -> Repaired:
    """Decide what a run would start. If that is not possible, correct the profile first.

    Args:
        evidence: The project.
        profile: The profile, without references.
        is_remote: Whether the Docker engine is on another machine.
    """
    result = Repaired(None)
    files = evidence.files
    for _ in range(_MAX_REPAIRS):
        try:
            result.deployment = deploy(files, profile, is_remote=is_remote)
            break
        except ProfileError as error:
            result.problems += str(error).splitlines()
        try:
            changes = _changes(result.problems[-1], evidence, profile)
        except ProfileError as error:
            result.problems.append(str(error))
            break
        if not changes:
            break
        profile = _changed(profile, changes)
        files = replace(files, scaled=profile.stack.service)
        result.lines += [f"{key}: {_shown(value)}" for key, value in changes.items()]
    return result


def _changes(problem: str, evidence: ProjectEvidence, profile: Profile) -> dict[str, Any]:
    """Return the keys that correct a problem, with their values."""
    key = problem.partition(":")[0]
    settings = ComposeSettings.from_profile(profile)
    services = evidence.files.services
    match key:
        case "stack.service" if "cannot be scaled" in problem:
            return {"models": (1,)}
        case "stack.service":
            names = [name for name, one in services.items() if one.role is not Role.LOAD_GENERATOR]
            similar = get_close_matches(settings.service, names, 1)
            return {"stack.service": similar[0] if similar else guess_service(evidence).value}
        case "stack.port":
            changes = {"stack.port": guess_port(evidence, replace(settings, port=None)).value}
            return {**changes, "host": None} if profile.host else changes
        case "stack.balance":
            return {"stack.balance": AUTO}
        case "stack.without":
            scaled = settings.service
            known = [name for name in settings.without if name in (AUTO, *services)]
            return {"stack.without": tuple(name for name in known if name != scaled) or (AUTO,)}
        case "host":
            return {"host": None}
        case _:
            return {}


def _changed(profile: Profile, changes: Mapping[str, Any]) -> Profile:
    stack = {
        key.removeprefix("stack."): value
        for key, value in changes.items()
        if key.startswith("stack.")
    }
    top = {key: value for key, value in changes.items() if "." not in key}
    section = profile.stack.model_copy(update=stack)
    return profile.model_copy(update={**top, "stack": section})


def _shown(value: object) -> str:
    match value:
        case None:
            return "null"
        case tuple():
            return f"[{', '.join(map(str, value))}]"
        case _:
            return str(value)


def _correct(values: dict[str, Any], kind: str, path: tuple[int | str, ...]) -> None:
    """Remove an invalid value, so that its default is used, or add a missing one."""
    keys = [str(part) for part in path]
    if kind == "missing" and len(keys) == 1:
        values[keys[0]] = _REQUIRED.get(keys[0])
        return
    target: Any = values
    for key in keys[:-1]:
        inner = target.get(key) if isinstance(target, dict) else None
        if not isinstance(inner, dict):
            break
        target = inner
    last = next((key for key in reversed(keys) if isinstance(target, dict) and key in target), "")
    if last:
        del target[last]
    elif keys:
        values.pop(keys[0], None)
    else:
        values.clear()
