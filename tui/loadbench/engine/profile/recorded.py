"""A profile as a run recorded it, perhaps by another version of this program. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from loadbench.engine.profile.loading import dotted
from loadbench.engine.profile.model import Profile


@dataclass(frozen=True, slots=True)
class Recorded:
    """What this version makes of a recorded profile."""

    profile: Profile | None
    """None: it cannot be read."""
    invalid: tuple[str, ...] = ()
    """Keys whose values this version does not take."""
    unknown: tuple[str, ...] = ()
    """Keys that this version does not have. Reading ignores them, resuming must not."""


def read_recorded(fields: Mapping[str, Any]) -> Recorded:
    """Type the profile of a run.

    Args:
        fields: Every key with its value, as the run recorded them.
    """
    unknown: list[str] = []
    known = _known(fields, Profile, "", unknown)
    try:
        profile = Profile.model_validate(known)
    except ValidationError as error:
        invalid = tuple(dotted(tuple(detail["loc"])) for detail in error.errors())
        return Recorded(None, invalid, tuple(unknown))
    return Recorded(profile, (), tuple(unknown))


def _known(
    fields: Mapping[str, Any], section: type[BaseModel], prefix: str, unknown: list[str]
) -> dict[str, Any]:
    """Return the fields that a section has, and note the names of all others."""
    known = {}
    for key, value in fields.items():
        if key not in section.model_fields:
            unknown.append(f"{prefix}{key}")
            continue
        inner = section.model_fields[key].annotation
        is_section = isinstance(inner, type) and issubclass(inner, BaseModel)
        if is_section and isinstance(value, Mapping):
            value = _known(value, inner, f"{prefix}{key}.", unknown)  # type: ignore[arg-type]  # a section, as asked above
        known[key] = value
    return known
