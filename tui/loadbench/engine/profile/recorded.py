"""Profiles recorded by runs, possibly of another version of this program."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from loadbench.engine.profile.error_messages import dotted, key_of
from loadbench.engine.profile.model import Profile


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded profile, as interpreted by this version."""

    profile: Profile | None
    """None if this version cannot read it."""
    invalid: tuple[str, ...] = ()
    """Keys whose values this version rejects."""
    unknown: tuple[str, ...] = ()
    """Keys unknown to this version. They are ignored, but prevent a resume."""


def read_recorded(fields: Mapping[str, Any]) -> Recorded:
    """Convert the recorded profile of a run to a `Profile`.

    Args:
        fields: All keys and values, as recorded by the run.
    """
    unknown: list[str] = []
    known = _known(fields, Profile, "", unknown)
    try:
        profile = Profile.model_validate(known)
    except ValidationError as error:
        invalid = tuple(dotted(key_of(detail)) for detail in error.errors())
        return Recorded(None, invalid, tuple(unknown))
    return Recorded(profile, (), tuple(unknown))


def _known(
    fields: Mapping[str, Any], section: type[BaseModel], prefix: str, unknown: list[str]
) -> dict[str, Any]:
    """Return the fields that a section defines, and add the names of the others to `unknown`."""
    known = {}
    for key, value in fields.items():
        if key not in section.model_fields:
            unknown.append(f"{prefix}{key}")
            continue
        inner = section.model_fields[key].annotation
        is_section = isinstance(inner, type) and issubclass(inner, BaseModel)
        if is_section and isinstance(value, Mapping):
            value = _known(value, inner, f"{prefix}{key}.", unknown)  # type: ignore[arg-type]  # is_section
        known[key] = value
    return known


def unreadable_profile(run: str, keys: Iterable[str]) -> str:
    """Return the error message for a profile that contains keys that this version cannot read."""
    return (
        f"run {run}: this version cannot read the profile ({', '.join(keys)}). "
        "Use the loadbench-tui version that recorded the run, or a newer one"
    )
