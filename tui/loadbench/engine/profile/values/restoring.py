"""The secret values of a run that is resumed, which its journal does not contain.

They come from the profile file, or else from environment variables.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from loadbench.engine.masking import MASK
from loadbench.engine.profile.changes import differences
from loadbench.engine.profile.error_messages import keyed_problem
from loadbench.engine.profile.loading import read_draft
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.source import read_source
from loadbench.engine.profile.values.resolving import missing_variables
from loadbench.engine.profile.values.secrets import (
    ENVIRONMENTS,
    MAPPINGS,
    OPTIONS,
    Path,
    find_secrets,
    is_masked_like,
    masked_data,
    replaced,
)
from loadbench.errors import RefusedError

_PREFIX = "LOADBENCH_"
_ABSENT = object()


def changes_between(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return one message per key whose value differs, without secret values.

    Args:
        before: All keys and values of the earlier profile.
        now: All keys and values of the later profile.
    """
    messages = differences(masked_data(before), masked_data(now))
    later = {one.path: one.written for one in find_secrets(now) if one.is_literal}
    for one in find_secrets(before):
        if one.is_literal and later.get(one.path, one.written) != one.written:
            messages.append(f"{one.key} has changed")
    return messages


def changes_since(
    recorded: Mapping[str, Any], masked: Collection[str], now: Mapping[str, Any]
) -> list[str]:
    """Return one message per key whose value differs from the recorded one.

    Values that were masked are not compared, except for the part that was not masked.

    Args:
        recorded: All keys and values as recorded by the run.
        masked: The keys with masked values, in dotted notation.
        now: All keys and values as of now.
    """
    current = dict(now)
    for path in _paths(recorded, masked):
        old, new = _at(recorded, path), _at(now, path)
        is_item_removed = new is _ABSENT and isinstance(path[-1], int)
        if not is_item_removed and (new is _ABSENT or is_masked_like(old, new)):
            # A variable that is absent now may be in the environment.
            current = replaced(current, {path: old})
    return differences(masked_data(recorded), masked_data(current))


def overridden_keys(overrides: Iterable[str], masked: Collection[str]) -> dict[str, str]:
    """Return the masked keys that an override of a run has set, with the last such override.

    Args:
        overrides: The overrides as recorded.
        masked: The keys with masked values, in dotted notation.
    """
    found: dict[str, str] = {}
    for text in overrides:
        name = text.partition("=")[0].strip()
        found |= {key: text for key in masked if f"{key}.".startswith(f"{name}.")}
    return found


def written_values(
    file: FilePath, overrides: Iterable[str], masked: Collection[str]
) -> dict[str, Any]:
    """Return the values of keys in a profile file, as far as it has them.

    Args:
        file: The file.
        overrides: The overrides as recorded. Those with masks are ignored.
        masked: The keys with masked values, in dotted notation.
    """
    overrides = tuple(overrides)
    without_values = overridden_keys(overrides, masked).values()
    kept = [one for one in overrides if one not in without_values]
    values = read_draft(read_source(file), kept).values
    found = {key: _at(values, path) for key in masked for path in _paths_of(key)}
    return {key: value for key, value in found.items() if value is not _ABSENT}


def restored(
    recorded: Profile,
    masked: Collection[str],
    *,
    file: FilePath,
    written: Mapping[str, Any],
    overridden: Collection[str],
    environ: Mapping[str, str],
) -> Profile:
    """Return the profile of a run with its secret values.

    Args:
        recorded: The profile as recorded by the run.
        masked: The keys with masked values, in dotted notation.
        file: The profile file, for messages.
        written: Values of these keys in the file.
        overridden: Keys that an override of the run has set. For them, the environment comes before
            the file, which may have another value.
        environ: The environment variables.

    Raises:
        RefusedError: A value is missing. The message names all of them and says what to do.
    """
    data = recorded.resolved()
    values, missing = {}, []
    # A run does not need its description.
    for path in _paths(data, [key for key in masked if key != "description"]):
        key, variable = ".".join(map(str, path)), _variable(path)
        candidates = [_item(written, path), environ.get(variable)]
        if _named(path) in overridden:
            candidates.reverse()
        old = _at(data, path)
        usable = [
            value
            for value in candidates
            if value not in (None, "", old) and is_masked_like(old, value)
        ]
        if usable:
            # An option may have several values.
            values[path] = usable[0] if path[:-1] == OPTIONS else str(usable[0])
        else:
            missing.append(f"{key}: set the environment variable {variable}, or the key in {file}")
    complete = replaced(data, values)
    missing += missing_variables(complete, environ)
    if missing:
        listed = "".join(f"\n  {line}" for line in missing)
        raise RefusedError(f"the run needs values that are not recorded:{listed}")
    try:
        return Profile.model_validate(complete)
    except ValidationError as error:
        details = error.errors()
    raise RefusedError(f"a secret value is invalid: {'; '.join(map(keyed_problem, details))}")


def _variable(path: Path) -> str:
    """Return the environment variable that can hold a masked value."""
    if path[:-1] in ENVIRONMENTS:
        return str(path[-1])
    # The first item of a list is usually the only one.
    parts = path[:-1] if path[-1] == 0 else path
    return _PREFIX + re.sub(r"\W", "_", "_".join(map(str, parts))).upper()


def _named(path: Path) -> str:
    """Return the key in dotted notation, without indices."""
    return ".".join(part for part in path if isinstance(part, str))


def _item(written: Mapping[str, Any], path: Path) -> Any:
    """Return the value of a key, or the item of a list, as far as a file has it."""
    value = written.get(_named(path))
    if not path or not isinstance(path[-1], int):
        return value
    items = value if isinstance(value, list) else [value]
    return items[path[-1]] if path[-1] < len(items) else None


def _paths(data: Mapping[str, Any], keys: Collection[str]) -> Iterator[Path]:
    """Yield the paths of keys in dotted notation that data contains."""
    for key in keys:
        for path in _paths_of(key):
            value = _at(data, path)
            if isinstance(value, list):
                yield from ((*path, index) for index, one in enumerate(value) if MASK in str(one))
            elif value is not _ABSENT:
                yield path


def _paths_of(key: str) -> Iterator[Path]:
    """Yield the path of a key in dotted notation. Names of variables may contain dots."""
    for mapping in MAPPINGS:
        prefix = ".".join(mapping) + "."
        if key.startswith(prefix):
            yield (*mapping, key.removeprefix(prefix))
            return
    yield tuple(key.split("."))


def _at(data: Any, path: Path) -> Any:
    part: Any
    for part in path:
        if (isinstance(data, list) and isinstance(part, int) and part < len(data)) or (
            isinstance(data, Mapping) and part in data
        ):
            data = data[part]
        else:
            return _ABSENT
    return data
