"""A profile as written, as resolved for a run, and as recorded."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from loadbench.engine.masking import MASK, MIN_CHARACTERS, MIN_DIGITS, Masker, reads_as_number
from loadbench.engine.profile.error_messages import keyed_problem
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.values.overrides import masked_override, may_contain_secrets
from loadbench.engine.profile.values.references import (
    FORMS,
    MissingVariableError,
    references_in,
    resolve_text,
)
from loadbench.engine.profile.values.secret_names import SecretNames
from loadbench.engine.profile.values.secrets import (
    LITERAL_KEYS,
    Secret,
    find_secrets,
    masked_data,
    masker_of,
)
from loadbench.errors import ProfileError


@dataclass(frozen=True)  # no slots: cached properties need a __dict__
class ResolvedProfile:
    """The profile of a run.

    Drivers and Locust get the resolved one. Everything that is recorded or shown comes from the
    recorded one, or passes the masker.
    """

    written: Profile
    """The profile with its references."""
    resolved: Profile
    """The profile with the values of its references."""
    secrets: tuple[Secret, ...]

    @cached_property
    def recorded(self) -> dict[str, Any]:
        """All keys and values, with references, and with literal secrets masked."""
        return masked_data(self.written.resolved(), self.secrets)

    @cached_property
    def masked_keys(self) -> tuple[str, ...]:
        """The keys whose values are not recorded, in dotted notation."""
        return tuple(dict.fromkeys(one.key for one in self.secrets if one.is_literal))

    @cached_property
    def masker(self) -> Masker:
        """Masks the secret values in texts."""
        return masker_of(self.secrets)

    def masked_overrides(self, overrides: Iterable[str]) -> tuple[str, ...]:
        """Return overrides with their secrets masked, as they are recorded."""
        names = SecretNames.of(self.written.resolved())
        masked = (masked_override(one, names) for one in overrides)
        # Also those that repeat a secret value of another key.
        return tuple(self.masker.text(one) if may_contain_secrets(one) else one for one in masked)

    def notes(self) -> Iterator[str]:
        """Yield what users should know about the secrets of the profile."""
        if keys := dict.fromkeys(one.key for one in self.secrets):
            yield f"Masked in all reports and logs: {', '.join(keys)}"
        short = dict.fromkeys(one.key for one in self.secrets if _is_too_short(one))
        if short:
            yield (
                f"warning: {', '.join(short)}: shorter than {MIN_CHARACTERS} characters, or a "
                f"number shorter than {MIN_DIGITS}, so not masked in log lines and messages"
            )
        if unknown := unknown_names(self.written.resolved()):
            yield f"warning: secrets: no variable is named {', '.join(unknown)}"


def resolve_profile(profile: Profile, environ: Mapping[str, str] = os.environ) -> ResolvedProfile:
    """Resolve the references of a profile.

    Args:
        profile: The profile as written.
        environ: The environment variables.

    Raises:
        ProfileError: A variable is not set, a value is a mask, or a resolved value is invalid. The
            message has one line per problem, and contains no secret values.
    """
    data = profile.resolved()
    missing = missing_variables(data, environ)
    if missing:
        raise ProfileError("\n".join(missing))
    secrets = find_secrets(data, environ)
    if masks := dict.fromkeys(one.key for one in secrets if one.is_mask):
        raise ProfileError(
            "\n".join(
                f"{key}: contains {MASK} in place of a secret value. Write the value, or refer to "
                f"an environment variable as {FORMS}"
                for key in masks
            )
        )
    resolved = {
        key: value if key in LITERAL_KEYS else _resolved(value, environ)
        for key, value in data.items()
    }
    try:
        return ResolvedProfile(profile, Profile.model_validate(resolved), secrets)
    except ValidationError as error:
        details = error.errors()
    problems = (f"{keyed_problem(one)}, after its references were resolved" for one in details)
    raise ProfileError(masker_of(secrets).text("\n".join(problems)))


def unknown_names(data: Mapping[str, Any]) -> list[str]:
    """Return the names in `secrets` that neither a variable nor a reference has.

    Args:
        data: All keys and values of the profile.
    """
    texts = list(_texts(data, ""))
    used = {key.rpartition(".")[2] for key, _ in texts}
    used |= {reference.name for _, text in texts for reference in references_in(text)}
    found = SecretNames.of({"secrets": list(used)})
    return [name for name in data["secrets"] if not found.is_listed(name)]


def missing_variables(data: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Return one error message for each variable that a profile refers to and that is not set.

    Args:
        data: All keys and values of the profile.
        environ: The environment variables.
    """
    messages = []
    for key, text in _texts(data, ""):
        for reference in references_in(text):
            try:
                reference.resolve(environ)
            except MissingVariableError as error:
                messages.append(
                    f"{key}: {error}. Set it, or write a default: ${{{error.name}:-default}}"
                )
    return list(dict.fromkeys(messages))


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield all texts that may contain references, with their keys in dotted notation."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if key or name not in LITERAL_KEYS:
                yield from _texts(inner, f"{key}.{name}" if key else name)


def _resolved(value: Any, environ: Mapping[str, str]) -> Any:
    match value:
        case str():
            return resolve_text(value, environ)
        case list():
            return [_resolved(inner, environ) for inner in value]
        case dict():
            return {name: _resolved(inner, environ) for name, inner in value.items()}
        case _:
            return value


def _is_too_short(secret: Secret) -> bool:
    """Return whether the masker does not look for a secret value because of its length."""
    return any(
        0 < len(value) < MIN_CHARACTERS and not reads_as_number(value) for value in secret.values
    ) or any(len(number) < MIN_DIGITS for number in secret.numbers)
