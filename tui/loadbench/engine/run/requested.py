"""Validate a run request in the runner process, before all other checks."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from loadbench.engine.profile.changes import digest_of
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.recorded import read_recorded
from loadbench.engine.profile.values.resolving import ResolvedProfile, resolve_profile
from loadbench.engine.profile.values.restoring import changes_between
from loadbench.engine.requests.launch import RunRequest
from loadbench.errors import ProfileError, RefusedError
from loadbench.paths import exists


def read_request(text: str) -> RunRequest:
    """Parse a request from JSON.

    Raises:
        RefusedError: The text is not a valid request.
    """
    try:
        return TypeAdapter(RunRequest).validate_python(json.loads(text))
    except ValueError as error:
        raise RefusedError(
            f"internal error: invalid request to the runner. Nothing was started. Details: {error}"
        ) from error


def requested_profile(request: RunRequest) -> ResolvedProfile:
    """Return the profile contained in a request, with its references resolved.

    Reads the file of the profile only to check that it has not changed since the request.

    Raises:
        RefusedError: The digest of the profile does not match, or its file has changed.
        ProfileError: A reference cannot be resolved.
    """
    recorded = read_recorded(request.profile)
    profile = recorded.profile
    if profile is None or recorded.unknown or digest_of(profile.resolved()) != request.digest:
        raise RefusedError(
            f"internal error: the profile {request.profile_name} was corrupted in transit to the "
            "runner (digest mismatch). Nothing was started"
        )
    _refuse_if_changed(request, profile)
    return resolve_profile(profile)


def _refuse_if_changed(request: RunRequest, profile: Profile) -> None:
    file = Path(request.profile_file)
    try:
        now = load_profile(file, request.overrides)
    except ProfileError as error:
        if not exists(file):
            raise RefusedError(
                f"{file} was removed after it was read. Restore it, or choose another profile"
            ) from error
        raise RefusedError(
            f"{file} has changed since it was read and is no longer valid: {error}"
        ) from error
    if changes := changes_between(profile.resolved(), now.resolved()):
        raise RefusedError(
            f"{file} has changed since it was read: {'; '.join(changes)}. "
            "Review the changes and try again"
        )
