"""Load profiles from YAML files and report each error with its location."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from loadbench.engine.profile.error_messages import (
    KeyPath,
    dotted,
    example_of,
    problem_of,
    shown,
    suggestion_for,
)
from loadbench.engine.profile.fields import InvalidKeyError
from loadbench.engine.profile.model import ALIASES, Point, Profile, known_keys
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace

SUFFIXES = (".yaml", ".yml")

_YAML = "tag:yaml.org,2002:"
_COLLECTIONS = (f"{_YAML}map", f"{_YAML}seq")
_MAX_BITS = 64
_WRONG_KEYS = ("missing", "extra_forbidden", "model_type")
"""Pydantic error types that concern keys rather than values."""

MAX_VALUES = 10_000
"""Maximum number of values in a file. Nested YAML aliases could otherwise exhaust memory."""


@dataclass(slots=True)
class _Source:
    """The values of a file and its overrides, with the location of each key."""

    file: Path
    values: dict[str, Any] = field(default_factory=dict)
    locations: dict[KeyPath, str] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0

    def location(self, key: KeyPath) -> str:
        """Return the location of a key, or of the nearest section around it."""
        for length in range(len(key), 0, -1):
            if location := self.locations.get(key[:length]):
                return location
        return str(self.file)


def saved_profiles(folder: Path) -> list[Path]:
    """Return the profile files of a folder, sorted by name.

    Raises:
        ProfileError: The folder cannot be read.
    """
    if not folder.is_dir():
        return []
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise ProfileError(f"{folder}: {error.strerror}") from error
    return sorted(path for path in paths if path.suffix in SUFFIXES and path.is_file())


def find_profile(name: str, folder: Path) -> Path:
    """Return the file of a profile.

    Args:
        name: Name of a profile, or path of a YAML file.
        folder: The workspace's `profiles/`.

    Raises:
        ProfileError: No profile has this name. The message lists all and suggests a similar one.
    """
    if Path(name).suffix in SUFFIXES and Path(name).is_file():
        return Path(name)
    files = {path.stem: path for path in saved_profiles(folder)}
    stem = Path(name).stem if Path(name).suffix in SUFFIXES else name
    if stem in files:
        return files[stem]
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
    source = _read(file)
    for text in overrides:
        _override(source, text)
    try:
        profile = Profile.model_validate(source.values)
    except ValidationError as error:
        errors = source.errors + [_describe(detail, source) for detail in error.errors()]
        raise ProfileError(_listing(file, errors)) from None
    if source.errors:
        raise ProfileError(_listing(file, source.errors))
    return profile


def plain_values(text: str) -> dict[str, Any]:
    """Return the keys and values of a profile's text as plain data, without validation.

    Raises:
        ProfileError: The text is not YAML with `key: value` lines.
    """
    file = Path("profile")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = None if root is None else _construct(root, (), _Source(file))
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        # PyYAML raises the last two for escapes such as "\\UFFFFFFFF".
        raise ProfileError(_yaml_error(file, error)) from None
    if not isinstance(values, dict):
        raise ProfileError(f"{file}:1: expected `key: value` lines")
    return values


def check_files(workspace: Workspace, profile: Profile) -> None:
    """Check that the locustfile and the images of a profile exist.

    Raises:
        ProfileError: One of them is missing.
    """
    errors = []
    locustfile = workspace.root / profile.load.locustfile
    if not locustfile.is_file():
        errors.append(f"load.locustfile: file not found: {locustfile}")
    images = workspace.root / profile.load.images
    if not images.is_dir():
        errors.append(f"load.images: folder not found: {images}")
    if errors:
        raise ProfileError("; ".join(errors))


def add_locations(file: Path, message: str) -> str:
    """Prefix each line of a message with the location of its key.

    Args:
        file: The profile file.
        message: Lines such as `stack.service: no such service`.
    """
    source = _read(file)

    def add_location(line: str) -> str:
        key, colon, _ = line.partition(":")
        is_key = colon and key in known_keys()
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
    raise ProfileError("; ".join(f"{dotted(item['loc'])}: {problem_of(item)}" for item in details))


def _listing(file: Path, errors: Iterable[tuple[str, str]]) -> str:
    rows = [f"{location}: {text}" for location, text in errors]
    if len(rows) == 1:
        return rows[0]
    return "\n  ".join((f"{file}: {len(rows)} errors", *rows))


def _read(file: Path) -> _Source:
    source = _Source(file)
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ProfileError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{file}: not UTF-8: invalid byte at offset {error.start}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ProfileError(_yaml_error(file, error)) from None
    if root is None:
        raise ProfileError(f"{file}: empty file. Required keys: models, users, spawn_rates")
    if not isinstance(root, yaml.MappingNode):
        raise ProfileError(f"{file}:1: expected `key: value` lines")
    try:
        source.values = _construct(root, (), source)
    except (yaml.YAMLError, RecursionError) as error:
        raise ProfileError(_yaml_error(file, error)) from None
    return source


def _yaml_error(file: Path, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    location = f"{file}:{mark.line + 1}" if mark else str(file)
    problem = getattr(error, "problem", None) or str(error)
    if isinstance(error, RecursionError):
        problem = "nested too deeply"
    return f"{location}: invalid YAML: {problem}"


def _construct(node: yaml.Node, key: KeyPath, source: _Source) -> Any:
    """Return the value of a node; record key locations and errors for duplicate keys."""
    source.locations.setdefault(key, f"{source.file}:{node.start_mark.line + 1}")
    source.count += 1
    if source.count > MAX_VALUES:
        raise _yaml_problem(node, f"more than {MAX_VALUES} values")
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if node.tag not in _COLLECTIONS:
        raise _yaml_problem(node, f"unsupported tag {node.tag.replace(_YAML, '!!')}")
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*key, i), source) for i, item in enumerate(node.value)]
    values: dict[str, Any] = {}
    for name_node, value_node in node.value:
        if not isinstance(name_node, yaml.ScalarNode):
            raise _yaml_problem(name_node, "keys must be plain text")
        name = _text(name_node)
        location = f"{source.file}:{name_node.start_mark.line + 1}"
        inner = (*key, name)
        if name in values:
            source.errors.append((location, f"{dotted(inner)}: duplicate key"))
        source.locations[inner] = location
        values[name] = _construct(value_node, inner, source)
    return values


def _scalar(node: yaml.ScalarNode) -> Any:
    _text(node)
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (ValueError, LookupError, AttributeError):
        # Raised by PyYAML if a text does not match its tag, as in `!!int x`.
        kind = node.tag.removeprefix(_YAML)
        raise _yaml_problem(node, f"{shown(node.value)} is not a valid {kind}") from None
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise _yaml_problem(node, "number too large")
    return value


def _text(node: yaml.ScalarNode) -> str:
    text = str(node.value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _yaml_problem(
            node, f"{shown(text)} contains an unpaired surrogate, which UTF-8 cannot encode"
        )
    return text


def _yaml_problem(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _override(source: _Source, text: str) -> None:
    location = f"--set {text}"
    key, equals, value_text = text.partition("=")
    parts = [ALIASES.get(part, part) for part in key.strip().split(".")]
    if not equals or not all(parts):
        source.errors.append((location, "expected KEY=VALUE. Example: --set users=5,10"))
        return
    try:
        value = _override_value(".".join(parts), value_text)
    except (yaml.YAMLError, RecursionError):
        source.errors.append(
            (location, f"{'.'.join(parts)}: invalid YAML value. Example: --set users=5,10")
        )
        return
    path = tuple(parts)
    source.locations = {
        known: place for known, place in source.locations.items() if known[: len(path)] != path
    }
    target = source.values
    for length, part in enumerate(parts[:-1], start=1):
        if not isinstance(target.get(part), dict):
            target[part] = {}
        target = target[part]
        source.locations[tuple(parts[:length])] = location
    for alias in [old for old, new in ALIASES.items() if (new,) == path]:
        source.values.pop(alias, None)
    target[parts[-1]] = value
    source.locations[path] = location


def _override_value(key: str, text: str) -> Any:
    if key in ALIASES.values():
        return [part.strip() for part in text.strip("[] ").split(",") if part.strip()]
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return None if node is None else _construct(node, (), _Source(Path()))


def _describe(detail: ErrorDetails, source: _Source) -> tuple[str, str]:
    """Return the location and the message of a pydantic error."""
    key = tuple(detail["loc"])
    location, name = source.location(key), dotted(key)
    match detail["type"]:
        case "extra_forbidden" if name in ALIASES:
            text = f"{name}: alias of {ALIASES[name]}, which is also set. Remove one of them"
            return location, text
        case "extra_forbidden":
            return location, f"{name}: unknown key{suggestion_for(name)}"
        case "missing":
            alias = next((old for old, new in ALIASES.items() if new == name), None)
            hint = f" (alias: {alias})" if alias else ""
            return str(source.file), f"{name}: required key is missing{hint}"
        case "value_error" if isinstance(error := detail["ctx"]["error"], InvalidKeyError):
            return source.location(error.key), f"{dotted(error.key)}: {error}"
        case _:
            return location, f"{name}: {problem_of(detail)}{example_of(key, location)}"
