"""From a YAML file to a `Profile`, with the place of every mistake."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from loadbench.engine.profile.fields import KeyMistakeError
from loadbench.engine.profile.model import ALIASES, Point, Profile, known_keys
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace

SUFFIXES = (".yaml", ".yml")
Place = tuple[str | int, ...]

_YAML = "tag:yaml.org,2002:"
_COLLECTIONS = (f"{_YAML}map", f"{_YAML}seq")
_MAX_BITS = 64
_MAX_SHOWN_CHARACTERS = 80
_OTHER_KEYS = ("missing", "extra_forbidden", "model_type")
MAX_VALUES = 10_000
"""More than any profile holds; aliases of aliases can stand for more than the memory does."""


@dataclass(slots=True)
class _Source:
    """What a file and the overrides said, and where each key was said."""

    file: Path
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Place, str] = field(default_factory=dict)
    mistakes: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0

    def place(self, key: Place) -> str:
        """Return where a key, or the nearest part of it, was said."""
        for length in range(len(key), 0, -1):
            if found := self.places.get(key[:length]):
                return found
        return str(self.file)


def saved_profiles(folder: Path) -> list[Path]:
    """Return the profile files of a folder, by name."""
    if not folder.is_dir():
        return []
    try:
        there = list(folder.iterdir())
    except OSError as error:
        raise ProfileError(f"{folder}: {error.strerror}") from error
    return sorted(path for path in there if path.suffix in SUFFIXES and path.is_file())


def find_profile(name: str, folder: Path) -> Path:
    """Return the file of a profile.

    Args:
        name: A profile's name, or the path of a YAML file.
        folder: The workspace's `profiles/`.

    Raises:
        ProfileError: There is none; the message names the nearest one and all there are.
    """
    if Path(name).suffix in SUFFIXES and Path(name).is_file():
        return Path(name)
    found = {path.stem: path for path in saved_profiles(folder)}
    wanted = Path(name).stem if Path(name).suffix in SUFFIXES else name
    if wanted in found:
        return found[wanted]
    near = difflib.get_close_matches(wanted, found, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    there = f"There are: {', '.join(found)}." if found else "That folder holds no profile."
    raise ProfileError(f"no profile {name!r} in {folder}.{hint} {there}")


def load_profile(file: Path, overrides: Sequence[str] = ()) -> Profile:
    """Read a profile.

    Args:
        file: A YAML file.
        overrides: `KEY=VALUE` texts, keys dotted, lists with commas: `users=5,10`.

    Raises:
        ProfileError: Something in it is not valid; every mistake with file, line, key, what is
            wrong and what is allowed.
    """
    source = _read(file)
    for text in overrides:
        _override(source, text)
    try:
        profile = Profile.model_validate(source.values)
    except ValidationError as error:
        mistakes = source.mistakes + [_explain(detail, source) for detail in error.errors()]
        raise ProfileError(_listing(file, mistakes)) from None
    if source.mistakes:
        raise ProfileError(_listing(file, source.mistakes))
    return profile


def check_files(workspace: Workspace, profile: Profile) -> None:
    """Raise unless the locustfile and the images of a profile are there.

    Raises:
        ProfileError: One of them is not.
    """
    mistakes = []
    locustfile = workspace.root / profile.load.locustfile
    if not locustfile.is_file():
        mistakes.append(f"load.locustfile: {locustfile} is not a file")
    images = workspace.root / profile.load.images
    if not images.is_dir():
        mistakes.append(f"load.images: {images} is not a folder")
    if mistakes:
        raise ProfileError("; ".join(mistakes))


def placed(file: Path, message: str) -> str:
    """Return a message about keys of a profile, a line each, with the place of each key.

    Args:
        file: The profile.
        message: Lines such as `stack.service: no such service`.
    """
    source = _read(file)

    def place(line: str) -> str:
        key, colon, _ = line.partition(":")
        known = colon and key in known_keys()
        return f"{source.place(tuple(key.split('.')) if known else ())}: {line}"

    return "\n".join(place(line) for line in message.splitlines())


def read_point(args: object) -> Point:
    """Return the point of the grid that somebody asks for.

    Args:
        args: A mapping from the fields of a `Point` to numbers, or to texts of them.

    Raises:
        ProfileError: A profile could not have such a point; every mistake with its key.
    """
    try:
        return Point.model_validate(args)
    except ValidationError as error:
        details = error.errors()
    if any(detail["type"] in _OTHER_KEYS for detail in details):
        raise ProfileError(f"a cell is asked for by {', '.join(Point.model_fields)}, a number each")
    raise ProfileError("; ".join(f"{dotted(it['loc'])}: {_wrong(it)}" for it in details))


def _listing(file: Path, mistakes: Iterable[tuple[str, str]]) -> str:
    rows = [f"{place}: {text}" for place, text in mistakes]
    if len(rows) == 1:
        return rows[0]
    return "\n  ".join((f"{file}: {len(rows)} mistakes", *rows))


def _read(file: Path) -> _Source:
    source = _Source(file)
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ProfileError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{file}: not UTF-8 text (byte {error.start})") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ProfileError(_yaml_mistake(file, error)) from None
    if root is None:
        raise ProfileError(
            f"{file}: the file is empty; `models`, `users`, `spawn_rates` are needed"
        )
    if not isinstance(root, yaml.MappingNode):
        raise ProfileError(f"{file}:1: a profile is a list of `key: value` lines")
    try:
        source.values = _construct(root, (), source)
    except (yaml.YAMLError, RecursionError) as error:
        raise ProfileError(_yaml_mistake(file, error)) from None
    return source


def _yaml_mistake(file: Path, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f"{file}:{mark.line + 1}" if mark else str(file)
    problem = getattr(error, "problem", None) or str(error)
    if isinstance(error, RecursionError):
        problem = "nested too deeply"
    return f"{place}: not valid YAML: {problem}"


def _construct(node: yaml.Node, key: Place, source: _Source) -> Any:
    """Return a node's value, noting where each key stands and which are given twice."""
    source.places.setdefault(key, f"{source.file}:{node.start_mark.line + 1}")
    source.count += 1
    if source.count > MAX_VALUES:
        raise _fault(node, f"more than {MAX_VALUES} values")
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if node.tag not in _COLLECTIONS:
        raise _fault(node, f"{node.tag.replace(_YAML, '!!')} means nothing here")
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*key, i), source) for i, item in enumerate(node.value)]
    values: dict[str, Any] = {}
    for name_node, value_node in node.value:
        if not isinstance(name_node, yaml.ScalarNode):
            raise _fault(name_node, "a key must be plain text")
        name = _written(name_node)
        place = f"{source.file}:{name_node.start_mark.line + 1}"
        inner = (*key, name)
        if name in values:
            source.mistakes.append((place, f"{dotted(inner)}: given twice"))
        source.places[inner] = place
        values[name] = _construct(value_node, inner, source)
    return values


def _scalar(node: yaml.ScalarNode) -> Any:
    _written(node)
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (ValueError, LookupError, AttributeError):
        # What PyYAML lets through where a text does not fit its tag, as in `!!int x`.
        kind = node.tag.removeprefix(_YAML)
        raise _fault(node, f"{_shown(node.value)} is no {kind}") from None
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise _fault(node, "a number too large for anything")
    return value


def _written(node: yaml.ScalarNode) -> str:
    text = str(node.value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _fault(node, f"{_shown(text)} is half a character, which no file can hold")
    return text


def _fault(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _override(source: _Source, text: str) -> None:
    place = f"--set {text}"
    dotted, equals, value = text.partition("=")
    keys = [ALIASES.get(part, part) for part in dotted.strip().split(".")]
    if not equals or not all(keys):
        source.mistakes.append((place, "KEY=VALUE is needed, as in --set users=5,10"))
        return
    try:
        given = _override_value(".".join(keys), value)
    except (yaml.YAMLError, RecursionError):
        source.mistakes.append((place, f"{'.'.join(keys)}: not a YAML value"))
        return
    said = tuple(keys)
    source.places = {key: at for key, at in source.places.items() if key[: len(said)] != said}
    target = source.values
    for length, part in enumerate(keys[:-1], start=1):
        if not isinstance(target.get(part), dict):
            target[part] = {}
        target = target[part]
        source.places[tuple(keys[:length])] = place
    for alias in [old for old, new in ALIASES.items() if (new,) == said]:
        source.values.pop(alias, None)
    target[keys[-1]] = given
    source.places[said] = place


def _override_value(key: str, text: str) -> Any:
    if key in ALIASES.values():
        return [part.strip() for part in text.strip("[] ").split(",") if part.strip()]
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return None if node is None else _construct(node, (), _Source(Path()))


def _explain(detail: ErrorDetails, source: _Source) -> tuple[str, str]:
    key = tuple(detail["loc"])
    place, name = source.place(key), dotted(key)
    match detail["type"]:
        case "extra_forbidden" if name in ALIASES:
            return place, f"{name}: another name for {ALIASES[name]}, which is given too"
        case "extra_forbidden":
            return place, f"{name}: unknown key{_nearest(name)}"
        case "missing":
            alias = next((old for old, new in ALIASES.items() if new == name), None)
            return str(source.file), f"{name}: missing" + (f" (also: {alias})" if alias else "")
        case "value_error" if isinstance(error := detail["ctx"]["error"], KeyMistakeError):
            return source.place(error.key), f"{dotted(error.key)}: {error}"
        case _:
            return place, f"{name}: {_wrong(detail)}"


def _wrong(detail: ErrorDetails) -> str:
    """Return what was given for a key, and what is needed."""
    given = _shown(detail.get("input"))
    match detail["type"]:
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{given}: a whole number is needed"
        case "float_parsing" | "float_type":
            return f"{given}: a number is needed"
        case "literal_error":
            return f"{given} is not one of {detail['ctx']['expected']}"
        case "value_error":
            return f"{given}: {detail['ctx']['error']}"
        case "tuple_type":
            return f"{given}: a list such as [1, 2] is needed"
        case "model_type":
            return f"{given}: keys of its own are needed, indented below it"
        case _:
            return f"{given}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "{…}"
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}…"


def _nearest(name: str) -> str:
    candidates = [*known_keys(), *ALIASES, *sorted({key.split(".")[0] for key in known_keys()})]
    near = difflib.get_close_matches(name, candidates, n=1, cutoff=0.5)
    if not near:
        last = {key.rpartition(".")[2]: key for key in known_keys()}
        near = [last[hit] for hit in difflib.get_close_matches(name.rpartition(".")[2], last, n=1)]
    return f"; did you mean {near[0]}?" if near else ""


def dotted(key: Place) -> str:
    """Return a key as people write it: `stack.compose[0]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
