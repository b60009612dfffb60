"""The JSON schema of profile files, for editors that complete and check YAML."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadbench.engine.profile.driver_settings import SETTINGS, DriverSettings
from loadbench.engine.profile.duration import DURATION_PATTERN
from loadbench.engine.profile.editing.keys import (
    KeyKind,
    ProfileKey,
    profile_keys,
    profile_sections,
)
from loadbench.engine.profile.fields import CONTAINERS, MAX_PORT, VARIABLE_NAME
from loadbench.engine.profile.model import ALIASES
from loadbench.engine.profile.sections.goals import FAILURE_RATIO

SCHEMA_FILE = "profile.schema.json"
"""Name of the schema beside the profiles."""

Schema = dict[str, Any]
"""A JSON schema."""

_DURATION = rf"(?=\d){DURATION_PATTERN}|\d+(?:\.\d+)?"
_WITHOUT_NUL = r"^[^\x00]*$"
_TYPES: Mapping[KeyKind, tuple[str, ...]] = {
    KeyKind.CHOICE: ("string",),
    KeyKind.BOOLEAN: ("boolean",),
    KeyKind.INTEGER: ("integer",),
    KeyKind.NUMBER: ("number",),
    KeyKind.DURATION: ("string", "number"),
    KeyKind.TEXT: ("string", "number"),
    KeyKind.INTEGERS: ("array", "integer"),
    KeyKind.NUMBERS: ("array", "number"),
    KeyKind.TEXTS: ("array", "string"),
    KeyKind.VARIABLES: ("object",),
    KeyKind.GOALS: ("object",),
}
"""Types of values that users write. A list may be a single value, and a text a number."""


def schema_text() -> str:
    """Return the JSON schema as the text of its file."""
    return json.dumps(profile_schema(), indent=2, ensure_ascii=False) + "\n"


def profile_schema() -> Schema:
    """Return the JSON schema (draft 2020-12) of a profile file as users write it.

    The schema cannot express, and accepts: durations with units outside of their limits, a
    `settle.max` that is too short for `settle.window`, a `max_run_time` below `min_run_time`, ports
    above 65535, spawn rates that differ only after the sixth digit, headers that differ only in
    case, options that differ only in - and _, options and variables of Locust that a profile must
    not set, names in both `secrets` and `not_secrets`, references to variables in other forms than
    `${NAME}`, and infinite numbers.
    """
    properties: dict[str, Schema] = {}
    sections = {section.name: section for section in profile_sections()}
    for key in profile_keys():
        name = key.name.rpartition(".")[2]
        if not key.section:
            properties[name] = _key_schema(key)
            continue
        section = sections[key.section]
        inner = properties.setdefault(
            section.name,
            {
                "title": section.heading,
                "description": section.help,
                "type": "object",
                "additionalProperties": False,
                "properties": {},
            },
        )
        inner["properties"][name] = _key_schema(key)
    for alias, name in ALIASES.items():
        properties[alias] = {**properties[name], "description": f"Alias of `{name}`"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Profile of loadbench-tui",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "allOf": [
            *(
                {"oneOf": [{"required": [name]}, {"required": [alias]}]}
                for alias, name in ALIASES.items()
            ),
            *(rule for settings in SETTINGS.values() if (rule := _driver_rule(settings))),
        ],
    }


def _key_schema(key: ProfileKey) -> Schema:
    schema: Schema = {"title": key.label, "description": key.help, **_value_schema(key)}
    if not key.is_required:
        schema["default"] = key.default
    return schema


def _value_schema(key: ProfileKey) -> Schema:
    if key.kind is KeyKind.CHOICE:
        return {"enum": list(key.choices)}
    types = [*_TYPES[key.kind], *(["null"] if key.is_optional else [])]
    if key.kind is KeyKind.TEXT and key.pattern:
        types.remove("number")
    if key.accepts_integers:
        types.append("integer")
    schema: Schema = {"type": types if len(types) > 1 else types[0]}
    if key.kind is KeyKind.VARIABLES:
        schema["propertyNames"] = {"pattern": key.name_pattern or VARIABLE_NAME}
        pattern = key.pattern or _WITHOUT_NUL
        value: Schema = {"type": ["string", "number"], "pattern": pattern}
        if key.accepts_lists:
            value["type"].append("boolean")
            value = {"anyOf": [value, {"type": "array", "items": value}]}
        schema["additionalProperties"] = value
        return schema
    if key.kind is KeyKind.GOALS:
        schema["propertyNames"] = {"pattern": key.name_pattern}
        schema["additionalProperties"] = {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {goal: _goal_schema(goal) for goal in key.goals},
        }
        return schema
    pattern = key.pattern
    if key.kind is KeyKind.DURATION:
        pattern = rf"^\s*(?:{'|'.join((*key.words, _DURATION))})\s*$"
    minimum = 1 if key.accepts_integers else key.minimum
    limits = {
        "pattern": pattern or None,
        "exclusiveMinimum" if key.is_minimum_excluded else "minimum": minimum,
        "maximum": MAX_PORT if key.accepts_integers else key.maximum,
    }
    constraints = {name: limit for name, limit in limits.items() if limit is not None}
    schema |= constraints
    if "array" in types:
        [item_type] = set(types) - {"array"}
        schema["items"] = {"type": item_type, **constraints}
        schema["minItems"] = 0 if key.allows_empty else 1
        schema["uniqueItems"] = key.kind is not KeyKind.TEXTS
    return schema


def _goal_schema(goal: str) -> Schema:
    limits = {"minimum": 0, "maximum": 1} if goal == FAILURE_RATIO else {"exclusiveMinimum": 0}
    return {"type": "number", **limits}


def _driver_rule(settings: type[DriverSettings]) -> Schema:
    """Return the schema of profiles that select a driver; empty if every profile is valid."""
    stack = {key.name.partition(".")[2]: key for key in profile_keys() if key.section == "stack"}
    allowed: dict[str, Schema] = {
        name: {"enum": _notations(key)}
        for name, key in stack.items()
        if not settings.supports(name)
    }
    if not settings.has_containers:
        checks = {"const": CONTAINERS}
        allowed["health"] = {"not": {"anyOf": [checks, {"type": "array", "contains": checks}]}}
    then: Schema = {}
    if allowed:
        then["properties"] = {"stack": {"properties": allowed}}
    if not settings.is_scalable:
        single = {name: {"maxItems": 1} for name in ("models", *_aliases_of("models"))}
        then["properties"] = {**single, **then.get("properties", {})}
    if settings.is_host_required:
        then["required"] = ["host"]
        then["properties"] = {"host": {"type": "string"}, **then.get("properties", {})}
    if not then:
        return {}
    driver = {"properties": {"driver": {"const": settings.name}}, "required": ["driver"]}
    return {"if": {"properties": {"stack": driver}, "required": ["stack"]}, "then": then}


def _notations(key: ProfileKey) -> list[Any]:
    """Return the ways to write the default of a key."""
    if key.kind is KeyKind.TEXTS and len(key.default) == 1:
        return [key.default, key.default[0]]
    return [key.default]


def _aliases_of(name: str) -> list[str]:
    return [alias for alias, key in ALIASES.items() if key == name]


def ensure_schema(folder: Path) -> None:
    """Write the schema into a folder of profiles, unless it has one. Editors use it, runs do not.

    Args:
        folder: The folder. If it is not writable, nothing happens.
    """
    with suppress(OSError), (folder / SCHEMA_FILE).open("x", encoding="utf-8") as file:
        file.write(schema_text())
