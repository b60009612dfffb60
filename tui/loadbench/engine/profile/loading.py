"""Load profiles from YAML files and report each error with its location."""

import copy
import difflib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from loadbench import paths
from loadbench.engine.bounds.connect import Trust, tls_context
from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.bounds.texts import shortened
from loadbench.engine.profile.editing.number_lists import expand_numbers
from loadbench.engine.profile.error_messages import (
    MAX_SHOWN_CHARACTERS,
    dotted,
    example_of,
    key_of,
    keyed_problem,
    problem_of,
    suggestion_for,
)
from loadbench.engine.profile.fields import InvalidKeyError
from loadbench.engine.profile.model import ALIASES, Point, Profile, known_keys
from loadbench.engine.profile.sections.goals import GOALS_BY_NAME
from loadbench.engine.profile.sections.load import GLOB_LISTS, NAME_LISTS
from loadbench.engine.profile.source import Problem, Source, parse_value, read_source
from loadbench.engine.profile.values.overrides import masked_override
from loadbench.engine.profile.values.secret_names import SecretNames
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace

SUFFIXES = (".yaml", ".yml")

MAX_PROBLEMS = 100
"""Maximum number of invalid values that are described. Describing one may take a millisecond."""

_WRONG_KEYS = ("missing", "extra_forbidden", "model_type")
"""Pydantic error types that concern keys rather than values."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A profile that may be invalid."""

    file: Path
    values: Mapping[str, Any]
    """The values as written, in the structure of a profile file, with overrides applied."""
    profile: Profile | None
    """None if the profile is invalid."""
    problems: tuple[Problem, ...]
    """The errors, in the order of the keys. Empty if the profile is valid."""
    hidden_problems: int = 0
    """Number of further errors, which are not described."""


def saved_profiles(folder: Path) -> list[Path]:
    """Return the profile files of a folder, sorted by name.

    Raises:
        ProfileError: The folder cannot be read.
    """
    if not paths.is_dir(folder):
        return []
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise ProfileError(f"{folder}: {error.strerror}") from error
    return sorted(path for path in entries if path.suffix in SUFFIXES and paths.is_file(path))


def find_profile(name: str, folder: Path) -> Path:
    """Return the file of a profile.

    Args:
        name: Name of a profile, or path of a YAML file.
        folder: The workspace's `profiles/`.

    Raises:
        ProfileError: No profile has this name. The message lists all and suggests a similar one.
    """
    if Path(name).suffix in SUFFIXES and paths.is_file(name):
        return Path(name)
    files = {path.stem: path for path in saved_profiles(folder)}
    stem = Path(name).stem if Path(name).suffix in SUFFIXES else name
    if stem in files:
        return files[stem]
    if paths.is_dir(Path(name)):
        raise ProfileError(
            f"{name} is a folder, not a profile. To write a profile for the Compose project in it: "
            f"loadbench-tui new {shlex.quote(name)}"
        )
    closest = difflib.get_close_matches(stem, files, n=1)
    hint = f" Did you mean {closest[0]}?" if closest else ""
    available = f"Available: {', '.join(files)}." if files else "The folder contains no profiles."
    raise ProfileError(f"no profile {name!r} in {folder}.{hint} {available}")


def load_profile(file: Path, overrides: Sequence[str] = ()) -> Profile:
    """Load a profile.

    Args:
        file: A YAML file.
        overrides: `KEY=VALUE` texts with dotted keys and comma-separated lists: `users=5,10`.

    Raises:
        ProfileError: The profile is invalid. The message lists every error with file, line, key,
            the problem and the expected value.
    """
    draft = read_draft(read_source(file), overrides)
    if draft.profile is None:
        raise ProfileError(_listing(draft))
    return draft.profile


def read_draft(source: Source, overrides: Sequence[str] = ()) -> Draft:
    """Validate the values of a file, with overrides applied.

    Args:
        source: The file. It remains unchanged.
        overrides: `KEY=VALUE` texts as for `load_profile`.
    """
    source = replace(
        source,
        values=copy.deepcopy(source.values),
        locations=dict(source.locations),
        problems=list(source.problems),
    )
    for text in overrides:
        _override(source, text)
    hidden = 0
    try:
        profile = Profile.model_validate(source.values)
    except ValidationError as error:
        details = error.errors()
        source.problems += [_describe(detail, source) for detail in details[:MAX_PROBLEMS]]
        hidden = len(details[MAX_PROBLEMS:])
    if source.problems:
        return Draft(source.file, source.values, None, tuple(source.problems), hidden)
    return Draft(source.file, source.values, profile, ())


def check_files(workspace: Workspace, profile: Profile) -> None:
    """Check that the images and the CA certificate of a profile exist.

    Raises:
        ProfileError: One of them is missing, or cannot be read.
    """
    errors = []
    images = workspace.root / profile.load.images
    if not paths.is_dir(images):
        errors.append(f"load.images: folder not found: {images}")
    if profile.stack.ca_file:
        file = workspace.root / profile.stack.ca_file
        if not paths.is_file(file):
            errors.append(f"stack.ca_file: file not found: {file}")
        else:
            try:
                tls_context(Trust(ca_file=str(file)))
            except OSError:
                errors.append(f"stack.ca_file: no certificate in PEM format: {file}")
    if errors:
        raise ProfileError("; ".join(errors))


def add_locations(file: Path, message: str) -> str:
    """Prefix each line of a message with the location of its key.

    Args:
        file: The profile file.
        message: Lines such as `stack.service: no such service`.
    """
    source = read_source(file)

    def add_location(line: str) -> str:
        key, colon, _ = line.partition(":")
        is_key = colon and any(f"{key}.".startswith(f"{known}.") for known in known_keys())
        return f"{source.location(tuple(key.split('.')) if is_key else ())}: {line}"

    return "\n".join(add_location(line) for line in message.splitlines())


def read_point(args: object) -> Point:
    """Parse a grid point.

    Args:
        args: The fields of a `Point` as numbers or as text.

    Raises:
        ProfileError: The point is invalid. The message lists every error with its key.
    """
    try:
        return Point.model_validate(args)
    except ValidationError as error:
        details = error.errors()
    if any(detail["type"] in _WRONG_KEYS for detail in details):
        raise ProfileError(f"expected one number for each of {', '.join(Point.model_fields)}")
    raise ProfileError("; ".join(map(keyed_problem, details)))


def _listing(draft: Draft) -> str:
    rows = [f"{problem.location}: {problem.text}" for problem in draft.problems]
    if len(rows) == 1:
        return rows[0]
    count = len(rows) + draft.hidden_problems
    more = [f"and {draft.hidden_problems} more"] if draft.hidden_problems else []
    return "\n  ".join((f"{draft.file}: {count} errors", *rows, *more))


def _override(source: Source, text: str) -> None:
    masked = masked_override(text, SecretNames.of(source.values))
    location = f"--set {shortened(masked, MAX_SHOWN_CHARACTERS)}"
    key, equals, value_text = text.partition("=")
    parts = [ALIASES.get(part, part) for part in key.strip().split(".")]
    name = ".".join(parts)
    if not equals or not all(parts):
        problem = "expected KEY=VALUE. Example: --set users=5,10"
        source.problems.append(Problem(location, "", problem))
        return
    try:
        value = _override_value(name, value_text)
    except BadInputError:
        problem = f"{name}: invalid YAML value. Example: --set users=5,10"
        source.problems.append(Problem(location, name, problem))
        return
    except ValueError as error:
        source.problems.append(Problem(location, name, f"{name}: {error}"))
        return
    path = _override_path(parts, value)
    source.locations = {
        known: place for known, place in source.locations.items() if known[: len(path)] != path
    }
    target = source.values
    for length, part in enumerate(path[:-1], start=1):
        if not isinstance(target.get(part), dict):
            target[part] = {}
        target = target[part]
        source.locations[path[:length]] = location
    for alias in [old for old, new in ALIASES.items() if (new,) == path]:
        source.values.pop(alias, None)
    target[path[-1]] = value
    source.locations[path] = location


def _override_path(parts: Sequence[str], value: object) -> tuple[str, ...]:
    """Return the path of the key that an override sets.

    Args:
        parts: The parts of its dotted key. Names of requests and measurements may contain dots.
        value: Its value, one goal or all of a name.
    """
    if ".".join(parts[:2]) not in GOALS_BY_NAME or len(parts) < 4:
        return tuple(parts)
    if isinstance(value, dict):
        return (*parts[:2], ".".join(parts[2:]))
    return (*parts[:2], ".".join(parts[2:-1]), parts[-1])


def _override_value(key: str, text: str) -> Any:
    if key in ALIASES.values():
        return expand_numbers(text)
    if key in GLOB_LISTS and text.strip()[:1] not in ("", "[", '"', "'"):
        return [name.strip() for name in text.split(",")]
    value = parse_value(text)
    if key in NAME_LISTS and isinstance(value, str):
        return [name.strip() for name in value.split(",")]
    return value


def _describe(detail: ErrorDetails, source: Source) -> Problem:
    """Return the problem that a pydantic error describes."""
    key, names = key_of(detail), SecretNames.of(source.values)
    location, name = source.location(key), dotted(key)
    canonical = dotted((ALIASES.get(str(key[0]), key[0]), *key[1:])) if key else ""
    match detail["type"]:
        case "extra_forbidden" if name in ALIASES:
            text = f"{name}: alias of {ALIASES[name]}, which is also set. Remove one of them"
            return Problem(location, canonical, text)
        case "extra_forbidden":
            return Problem(location, name, f"{name}: unknown key{suggestion_for(name)}")
        case "missing":
            alias = next((old for old, new in ALIASES.items() if new == name), None)
            hint = f" (alias: {alias})" if alias else ""
            text = f"{name}: required key is missing{hint}"
            return Problem(str(source.file), canonical, text)
        case "value_error" if isinstance(error := detail["ctx"]["error"], InvalidKeyError):
            name = dotted(error.key)
            return Problem(source.location(error.key), name, f"{name}: {error}")
        case _:
            text = f"{name}: {problem_of(detail, names)}{example_of(key, location)}"
            return Problem(location, canonical, text)
