"""Read a profile's YAML: values with the location of each key, without validating them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from loadbench.engine.profile.error_messages import KeyPath, dotted, shown
from loadbench.errors import ProfileError

_YAML = "tag:yaml.org,2002:"
_COLLECTIONS = (f"{_YAML}map", f"{_YAML}seq")
_MAX_BITS = 64

MAX_VALUES = 10_000
"""Maximum number of values in a file. Nested YAML aliases could otherwise exhaust memory."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in a profile."""

    location: str
    """`FILE:LINE`, `FILE`, or `--set KEY=VALUE`."""
    key: str
    """The key in dotted notation, such as `users[1]`. Empty if the error concerns no key."""
    text: str
    """The problem and how to fix it, starting with the key."""


@dataclass(slots=True)
class Source:
    """The values of a file and its overrides, with the location of each key."""

    file: Path
    values: dict[str, Any] = field(default_factory=dict)
    locations: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def location(self, key: KeyPath) -> str:
        """Return the location of a key, or of the nearest section around it."""
        for length in range(len(key), 0, -1):
            if location := self.locations.get(key[:length]):
                return location
        return str(self.file)


def read_source(file: Path) -> Source:
    """Read a file.

    Raises:
        ProfileError: The file cannot be read, or is not a YAML mapping.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ProfileError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{file}: not UTF-8: invalid byte at offset {error.start}") from error
    return parse_source(file, text)


def parse_source(file: Path, text: str) -> Source:
    """Parse the text of a file.

    Args:
        file: The file, for messages.
        text: Its text.

    Raises:
        ProfileError: The text is not a YAML mapping.
    """
    source = Source(file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        # PyYAML raises the last two for escapes such as "\\UFFFFFFFF".
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


def parse_value(text: str) -> Any:
    """Parse the YAML text of a single value.

    Raises:
        YAMLError: The text is not valid YAML, or its value is not allowed in a profile.
        RecursionError: The value is nested too deeply.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return None if node is None else _construct(node, (), Source(Path()))


def _yaml_error(file: Path, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    location = f"{file}:{mark.line + 1}" if mark else str(file)
    problem = getattr(error, "problem", None) or str(error)
    if isinstance(error, RecursionError):
        problem = "nested too deeply"
    return f"{location}: invalid YAML: {problem}"


def _construct(node: yaml.Node, key: KeyPath, source: Source) -> Any:
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
            text = f"{dotted(inner)}: duplicate key"
            source.problems.append(Problem(location, dotted(inner), text))
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
