"""The keys of a profile as forms, editors and the JSON schema need them, derived from the model."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from loadbench.engine.profile.duration import format_duration, parse_duration
from loadbench.engine.profile.fields import NotEmpty, Pattern
from loadbench.engine.profile.model import Profile, validate_run_time
from loadbench.engine.profile.sections.goals import Goals, GoalsByName

GENERAL = "general"
"""Name of the group of the keys outside of sections."""


class KeyKind(StrEnum):
    """Kinds of values."""

    CHOICE = "choice"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    DURATION = "duration"
    TEXT = "text"
    INTEGERS = "integers"
    NUMBERS = "numbers"
    TEXTS = "texts"
    VARIABLES = "variables"
    GOALS = "goals"
    """Goals by name: a mapping from names to mappings from keys to limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileKey:
    """A key of a profile."""

    name: str
    """Dotted name: `stack.driver`."""
    label: str
    """Noun for forms: `Batch size`."""
    help: str
    """The description."""
    comment: str
    """The comment behind the key in profile files. Empty if the key needs none."""
    kind: KeyKind
    choices: tuple[str, ...]
    """The allowed values of a choice. Empty for other kinds."""
    words: tuple[str, ...]
    """Words that may be written instead of a value, such as `auto`."""
    goals: tuple[str, ...]
    """The goals that a name may have. Empty for other kinds."""
    minimum: float | None
    """Smallest value, in seconds for durations; for lists, of each item. None: no limit."""
    maximum: float | None
    """Largest value, in seconds for durations; for lists, of each item. None: no limit."""
    is_minimum_excluded: bool
    """Whether values must be greater than the minimum."""
    pattern: str
    """A regular expression that valid texts match; for lists and mappings, each item. Empty: any
    text."""
    name_pattern: str
    """A regular expression that the names in a mapping match. Empty: any name of a variable."""
    accepts_integers: bool
    """Whether a text may be written as a positive integer, without quotes."""
    accepts_lists: bool
    """Whether values of a mapping may be booleans and lists, too."""
    allows_empty: bool
    """Whether a list may be empty."""
    default: Any
    """Plain data, as in `Profile.resolved`. None if the key is required."""
    is_required: bool
    is_optional: bool
    """Whether null is allowed."""

    @property
    def section(self) -> str:
        """The section that contains the key. Empty for a key outside of sections."""
        return self.name.rpartition(".")[0]

    @property
    def unit(self) -> str:
        """The unit in the label: `ms`. Empty if there is none."""
        return self.label.partition("(")[2].removesuffix(")")

    @property
    def limits(self) -> str:
        """The limits for display: `1 to 4096`, `1s to 24h or auto`, `at least 6`; may be empty."""
        return " or ".join(filter(None, (self._range, *self.words)))

    @property
    def _range(self) -> str:
        lowest = self._limit_text(self.minimum)
        highest = self._limit_text(self.maximum)
        match lowest, highest, self.is_minimum_excluded:
            case "", "", _:
                return ""
            case "", _, _:
                return f"at most {highest}"
            case _, "", excluded:
                return f"above {lowest}" if excluded else f"at least {lowest}"
            case _, _, excluded:
                return f"above {lowest}, up to {highest}" if excluded else f"{lowest} to {highest}"

    def _limit_text(self, limit: float | None) -> str:
        if limit is None:
            return ""
        return format_duration(limit) if self.kind is KeyKind.DURATION else f"{limit:.10g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSection:
    """A section of a profile."""

    name: str
    heading: str
    help: str
    comment: str
    """The comment behind the section in profile files. Empty if it needs none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGroup:
    """Keys below one heading of a form."""

    name: str
    """The section, or `general`."""
    heading: str
    keys: tuple[ProfileKey, ...]


@cache
def profile_keys() -> tuple[ProfileKey, ...]:
    """Return all keys in the order of the model."""
    defaults = Profile(models=(1,), users=(1,), spawn_rates=(1.0,)).resolved()
    return tuple(_key(name, field, defaults) for name, field in profile_fields().items())


@cache
def profile_fields() -> Mapping[str, FieldInfo]:
    """Return the field of the model for each key, by dotted name."""
    return dict(_fields(Profile, ""))


@cache
def profile_sections() -> tuple[ProfileSection, ...]:
    """Return all sections in the order of the model."""
    return tuple(
        ProfileSection(
            name=name,
            heading=field.title or "",
            help=field.description or "",
            comment=_comment(field),
        )
        for name, field in Profile.model_fields.items()
        if _section_of(field)
    )


def profile_key(name: str) -> ProfileKey:
    """Return the key with a dotted name.

    Raises:
        KeyError: There is no such key.
    """
    return _by_name()[name]


FIRST_KEYS: tuple[str, ...] = (
    *("device", "batch_size", "models", "users", "spawn_rates", "run_time"),
    *(f"goals.{name}" for name in Goals.model_fields),
)
"""The keys that decide what a run measures. Forms show them first."""


@cache
def key_groups() -> tuple[KeyGroup, ...]:
    """Return the keys that are not in `FIRST_KEYS`, in groups."""
    headings = {"": "General", **{item.name: item.heading for item in profile_sections()}}
    groups = (
        KeyGroup(
            name=section or GENERAL,
            heading=heading,
            keys=tuple(
                key
                for key in profile_keys()
                if key.section == section and key.name not in FIRST_KEYS
            ),
        )
        for section, heading in headings.items()
    )
    return tuple(group for group in groups if group.keys)


@cache
def _by_name() -> Mapping[str, ProfileKey]:
    return {key.name: key for key in profile_keys()}


def _fields(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in section.model_fields.items():
        if inner := _section_of(field):
            yield from _fields(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a section, or None for a key."""
    inner = field.annotation
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _comment(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra.get("comment", "")) if isinstance(extra, dict) else ""


def _key(name: str, field: FieldInfo, defaults: Mapping[str, Any]) -> ProfileKey:
    value: Any = defaults
    for part in name.split("."):
        value = value[part]
    plain, constraints, is_optional = _unwrapped(field.annotation, field.metadata)
    kind = _kind(plain, constraints)
    allows_empty = not any(isinstance(item, NotEmpty) for item in constraints)
    if get_origin(plain) is tuple:
        _, constraints, _ = _unwrapped(get_args(plain)[0], ())
    limits = {
        limit: getattr(constraint, limit)
        for constraint in constraints
        for limit in ("ge", "gt", "le")
        if hasattr(constraint, limit)
    }
    patterns = [item for item in constraints if isinstance(item, Pattern)]
    by_name = [item for item in constraints if isinstance(item, GoalsByName)]
    return ProfileKey(
        name=name,
        label=field.title or "",
        help=field.description or "",
        comment=_comment(field),
        kind=kind,
        choices=get_args(plain) if kind is KeyKind.CHOICE else (),
        words=tuple(word for item in constraints for word in _words(item)),
        goals=tuple(goal for item in by_name for goal in item.goals),
        minimum=limits.get("ge", limits.get("gt")),
        maximum=limits.get("le"),
        is_minimum_excluded="gt" in limits,
        pattern="".join(item.text for item in patterns),
        name_pattern="".join(item.names for item in patterns),
        accepts_integers=any(item.accepts_integers for item in patterns),
        accepts_lists=any(item.accepts_lists for item in patterns),
        allows_empty=allows_empty,
        default=None if field.is_required() else value,
        is_required=field.is_required(),
        is_optional=is_optional,
    )


def _unwrapped(annotation: Any, metadata: Iterable[object]) -> tuple[Any, list[object], bool]:
    """Return a type without `Annotated` and None, its constraints, and whether None is allowed."""
    constraints = [
        constraint
        for item in metadata
        for constraint in (item.metadata if isinstance(item, FieldInfo) else [item])
    ]
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        plain, found, is_optional = _unwrapped(inner, more)
        return plain, constraints + found, is_optional
    if get_origin(annotation) in (Union, UnionType):
        items = get_args(annotation)
        literals = [item for item in items if get_origin(item) is Literal]
        [inner] = [item for item in items if item is not NoneType and item not in literals]
        plain, found, _ = _unwrapped(inner, ())
        return plain, [*constraints, *found, *literals], NoneType in items
    return annotation, constraints, False


def _words(constraint: object) -> tuple[str, ...]:
    """Return the words of a literal beside another type."""
    return get_args(constraint) if get_origin(constraint) is Literal else ()


def _kind(plain: Any, constraints: Iterable[object]) -> KeyKind:
    """Return the kind of an unwrapped type.

    Raises:
        TypeError: There is no kind for the type.
    """
    validators = [item.func for item in constraints if isinstance(item, BeforeValidator)]
    if parse_duration in validators or validate_run_time in validators:
        return KeyKind.DURATION
    if any(isinstance(item, GoalsByName) for item in constraints):
        return KeyKind.GOALS
    if get_origin(plain) is Literal:
        return KeyKind.CHOICE
    if get_origin(plain) is tuple:
        item, _, _ = _unwrapped(get_args(plain)[0], ())
        kind = _LIST_KINDS.get(item)
    else:
        kind = _KINDS.get(plain)
    if kind is None:
        raise TypeError(f"no kind of key for {plain}")
    return kind


_KINDS: Mapping[Any, KeyKind] = {
    bool: KeyKind.BOOLEAN,
    int: KeyKind.INTEGER,
    float: KeyKind.NUMBER,
    str: KeyKind.TEXT,
    dict[str, str]: KeyKind.VARIABLES,
}
_LIST_KINDS: Mapping[Any, KeyKind] = {
    int: KeyKind.INTEGERS,
    float: KeyKind.NUMBERS,
    str: KeyKind.TEXTS,
}
"""Kinds of lists by the type of their items."""
