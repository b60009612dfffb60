"""Read a profile's YAML: values with the location of each key, without validating them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.profile.error_messages import KeyPath, dotted, shown
from loadbench.errors import ProfileError

_YAML = "tag:yaml.org,2002:"
_COLLECTIONS = (f"{_YAML}map", f"{_YAML}seq")
_NUMBERS = (f"{_YAML}int", f"{_YAML}float")
_MAX_BITS = 64

MAX_BYTES = 1_000_000
"""Maximum size of a file in bytes. PyYAML needs a few seconds for a file of this size."""

MAX_VALUES = 10_000
"""Maximum number of values in a file. Nested YAML aliases could otherwise exhaust memory."""

_TOO_MANY = f"more than {MAX_VALUES} values"

MAX_DEPTH = 50
"""Maximum nesting of lists and mappings. PyYAML's time is quadratic in the depth of lists."""

MAX_NUMBER_CHARACTERS = 400
"""Maximum length of a number. PyYAML's time for numbers such as `1:30` is quadratic in length."""


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
        text = read_file(file, max_bytes=MAX_BYTES).decode()
    except OSError as error:
        raise ProfileError(f"{file}: {error.strerror}") from error
    except BadInputError as error:
        raise ProfileError(f"{file}: {error}") from error
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
    try:
        return parse(text, lambda whole: _source_of(file, whole), max_bytes=MAX_BYTES)
    except BadInputError as error:
        line, problem = yaml_problem(error)
        raise ProfileError(f"{file}:{line}: {problem}" if line else f"{file}: {problem}") from None


def parse_value(text: str) -> Any:
    """Parse the YAML text of a single value.

    Raises:
        BadInputError: The text is not valid YAML, or its value is not allowed in a profile.
    """
    return parse(text, _value_of, max_bytes=MAX_BYTES)


class _Loader(yaml.SafeLoader):
    """Stops at the maximum number and depth of values, instead of reading the rest of the text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._nodes += 1
        self._depth += 1
        is_too_deep = self._depth > MAX_DEPTH
        if is_too_deep or self._nodes > 2 * MAX_VALUES:  # keys and values
            problem = "nested too deeply" if is_too_deep else _TOO_MANY
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _source_of(file: Path, text: str) -> Source:
    source = Source(file)
    root = yaml.compose(text, Loader=_Loader)
    if root is None:
        raise ProfileError(f"{file}: empty file. Required keys: models, users, spawn_rates")
    if not isinstance(root, yaml.MappingNode):
        raise ProfileError(f"{file}:1: expected `key: value` lines")
    source.values = _construct(root, (), source)
    return source


def _value_of(text: str) -> Any:
    node = yaml.compose(text, Loader=_Loader)
    if node is None:
        return None
    source = Source(Path())
    value = _construct(node, (), source)
    if source.problems:
        raise _marked(node, source.problems[0].text)
    return value


def yaml_problem(error: BadInputError) -> tuple[int | None, str]:
    """Return the line, from 1, and the problem of a text that is not YAML.

    Args:
        error: The error of `parse` with a parser of PyYAML.

    Returns:
        The line is None if the problem concerns the whole text.
    """
    if error.__cause__ is None:
        return None, str(error)
    mark = getattr(error.__cause__, "problem_mark", None)
    problem = getattr(error.__cause__, "problem", None) or str(error).partition("\n")[0]
    if "alias" in f"{getattr(error.__cause__, 'context', '')} {problem}":
        problem += '. Write a text that starts with * in quotes, such as "*token*"'
    return mark.line + 1 if mark else None, f"invalid YAML: {problem}"


def _construct(node: yaml.Node, key: KeyPath, source: Source) -> Any:
    """Return the value of a node; record key locations and errors for duplicate keys."""
    source.locations.setdefault(key, f"{source.file}:{node.start_mark.line + 1}")
    source.count += 1
    if source.count > MAX_VALUES:
        raise _marked(node, _TOO_MANY)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if node.tag not in _COLLECTIONS:
        raise _marked(node, f"unsupported tag {node.tag.replace(_YAML, '!!')}")
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*key, i), source) for i, item in enumerate(node.value)]
    values: dict[str, Any] = {}
    for name_node, value_node in node.value:
        if not isinstance(name_node, yaml.ScalarNode):
            raise _marked(name_node, "keys must be plain text")
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
    if node.tag in _NUMBERS and len(node.value) > MAX_NUMBER_CHARACTERS:
        raise _marked(node, "number too long")
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (ValueError, LookupError, AttributeError):
        # Raised by PyYAML if a text does not match its tag, as in `!!int x`.
        kind = node.tag.removeprefix(_YAML)
        raise _marked(node, f"{shown(node.value)} is not a valid {kind}") from None
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise _marked(node, "number too large")
    return value


def _text(node: yaml.ScalarNode) -> str:
    text = str(node.value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _marked(
            node, f"{shown(text)} contains an unpaired surrogate, which UTF-8 cannot encode"
        )
    return text


def _marked(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
