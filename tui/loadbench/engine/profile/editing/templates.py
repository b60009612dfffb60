"""Templates of new profiles, and the layout of profile files."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadbench.engine.profile.driver_settings import DriverSettings, settings_of
from loadbench.engine.profile.editing.keys import (
    ProfileKey,
    profile_key,
    profile_keys,
    profile_sections,
)
from loadbench.engine.profile.editing.one_line_yaml import one_line_yaml
from loadbench.engine.profile.schema import SCHEMA_FILE

_COMMENT_COLUMN = 27
_SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}"
_RUN_COMMAND = "#   loadbench-tui run "
_HEADER = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\r\n]*)?\r?\n)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One way to start a new profile."""

    name: str
    title: str
    description: str
    """One line about the service that it measures."""
    first_keys: tuple[str, ...]
    """The keys to look at first."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Values that differ from the defaults, by dotted key."""


_GRID: Mapping[str, Any] = {
    "models": [1],
    "users": [10, 50, 100],
    "spawn_rates": [10],
    "run_time": "1m",
    "goals.p95_ms": 500,
    "goals.failure_ratio": 0.01,
}
_GRID_KEYS = ("models", "users", "spawn_rates", "run_time", "goals.p95_ms")

TEMPLATES: tuple[Template, ...] = (
    Template(
        name="bundled",
        title="Included service",
        description="The image classifier that ships with loadbench-tui",
        first_keys=("device", "batch_size", *_GRID_KEYS),
        values={**_GRID, "models": [1, 2]},
    ),
    Template(
        name="compose",
        title="Compose project",
        description="A service of your own Compose project, started and scaled for each run",
        first_keys=(
            *("stack.compose", "stack.service", "host", "stack.health", "load.locustfile"),
            *_GRID_KEYS,
        ),
        values={
            **_GRID,
            "models": [1, 2],
            "stack.driver": "compose",
            "stack.compose": ["compose.yaml"],
            "stack.service": "app",
        },
    ),
    Template(
        name="external",
        title="External service",
        description="A service that already runs at an address",
        first_keys=("host", "stack.health", "load.locustfile", *_GRID_KEYS),
        values={**_GRID, "stack.driver": "external", "host": "http://127.0.0.1:8000"},
    ),
)


def template_of(values: Mapping[str, Any]) -> Template:
    """Return the template that is closest to a profile.

    Args:
        values: Values by dotted key. Invalid values may be missing.
    """
    bundled, compose, external = TEMPLATES
    settings = settings_of(str(values.get("stack.driver")))
    if settings and not settings.starts_service:
        return external
    default = profile_key("stack.compose").default
    return bundled if values.get("stack.compose", default) == default else compose


def template_text(template: Template, name: str, values: Mapping[str, Any] | None = None) -> str:
    """Return the text of a new profile. It contains all keys that its driver supports.

    Args:
        template: The template.
        name: Name of the profile.
        values: Values that replace those of the template, by dotted key, such as the Compose files
            found in the workspace.

    Raises:
        ValueError: The name contains characters that cannot be printed.
    """
    return profile_text(
        name,
        {"description": template.title, **template.values, **(values or {})},
        header=[f"{template.description}."],
    )


def profile_text(name: str, values: Mapping[str, Any], *, header: Sequence[str]) -> str:
    """Return the text of a profile with a header, and a comment behind each key.

    Args:
        name: Name of the profile, for the command in the header.
        values: Values by dotted key. Other keys get their defaults; keys that the driver does not
            support are left out unless they have a value here.
        header: Lines about the profile.

    Raises:
        ValueError: The name contains characters that cannot be printed.
    """
    if not name.isprintable():
        raise ValueError(f"expected a printable name, got {name!r}")
    lines = [_SCHEMA_LINE, *(f"# {line}" for line in header)]
    lines.append(f"{_RUN_COMMAND}{shlex.quote(name)}")
    lines += _key_lines(values)
    return "\n".join(lines) + "\n"


def renamed_header(text: str, old: str, new: str) -> str:
    """Replace the name of a profile in the command of its header comment.

    Args:
        text: The text of the file.
        old: The name in the comment. If the comment does not contain it, the text is unchanged.
        new: The name to write.
    """
    header = _HEADER.match(text)
    end = header.end() if header else 0
    command = re.compile(
        rf"(?m)^(\ufeff?[ \t]*#.*\bloadbench-tui run ){re.escape(shlex.quote(old))}(?=\s|$)"
    )
    renamed = command.sub(lambda match: match[1] + shlex.quote(new), text[:end])
    return renamed + text[end:]


def _key_lines(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of all keys, with an empty line around each section."""
    settings = settings_of(values.get("stack.driver", "auto"))
    sections = {section.name: section for section in profile_sections()}
    current = ""
    for key in profile_keys():
        if key.name not in values and not _is_supported(key, settings):
            continue
        if key.section != current:
            yield ""
            if key.section:
                yield from _with_comment(f"{key.section}:", sections[key.section].comment)
            current = key.section
        indent = "  " if key.section else ""
        value = one_line_yaml(values.get(key.name, key.default))
        yield from _with_comment(f"{indent}{_last_part(key)}: {value}", key.comment)
        if key.name == "description":
            yield ""


def _is_supported(key: ProfileKey, settings: type[DriverSettings] | None) -> bool:
    return settings is None or key.section != "stack" or settings.supports(_last_part(key))


def _last_part(key: ProfileKey) -> str:
    return key.name.rpartition(".")[2]


def _with_comment(text: str, comment: str) -> Iterator[str]:
    for line in comment.splitlines():
        yield f"{text:<{_COMMENT_COLUMN - 2}}  # {line}"
        text = ""
    if not comment:
        yield text
