"""What a request to run carries, checked in the runner's process before anything else is."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from loadbench.engine.profile.changes import differences, digest_of
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.recorded import read_recorded
from loadbench.engine.requests.launch import RunRequest
from loadbench.errors import ProfileError, RefusedError


def read_request(text: str) -> RunRequest:
    """Return a request from its JSON.

    Raises:
        RefusedError: It is none.
    """
    try:
        return TypeAdapter(RunRequest).validate_python(json.loads(text))
    except ValueError as error:
        raise RefusedError(
            f"the runner cannot read its request; nothing was started: {error}"
        ) from error


def requested_profile(request: RunRequest) -> Profile:
    """Return the profile that a request carries: the one that was looked at.

    Its file is read here only to find out whether it has changed since.

    Raises:
        RefusedError: The profile was damaged on its way here, or its file has changed.
    """
    carried = read_recorded(request.profile)
    profile = carried.profile
    if profile is None or carried.unknown or digest_of(profile.resolved()) != request.digest:
        raise RefusedError(
            f"the profile {request.profile_name} was damaged on its way to the runner: its digest "
            "does not match; nothing was started"
        )
    _refuse_if_changed(request, profile)
    return profile


def _refuse_if_changed(request: RunRequest, profile: Profile) -> None:
    file = Path(request.profile_file)
    try:
        now = load_profile(file, request.overrides)
    except ProfileError as error:
        if not file.exists():
            raise RefusedError(
                f"{file} was removed after it was read; restore it, or choose another profile"
            ) from error
        raise RefusedError(
            f"{file} has changed since it was read, and is not valid any more: {error}"
        ) from error
    if changes := differences(profile.resolved(), now.resolved()):
        raise RefusedError(
            f"{file} has changed since it was read: {'; '.join(changes)}; look at it again"
        )
