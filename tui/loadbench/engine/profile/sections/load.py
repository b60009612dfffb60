"""The section `load` of a profile."""

import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from loadbench.engine.profile.fields import (
    Duration,
    PathText,
    PathTexts,
    Pattern,
    Variables,
    as_texts,
    check_references,
)
from loadbench.engine.profile.sections.base import Section
from loadbench.engine.profile.sections.locust_options import (
    plain_option,
    reason_against_option,
    reason_against_variable,
)

_OPTION = r"^-{0,2}[A-Za-z0-9][A-Za-z0-9_.-]*(?!\n)$"
_RESERVED = "LOADBENCH_"
"""Prefix of the variables that the tool itself sets."""


def _option_values(options: Any) -> Any:
    """Write flags, numbers and lists as texts, as on a command line."""
    if not isinstance(options, dict):
        return options
    return {name: _option_text(value) for name, value in options.items()}


def _option_text(value: Any) -> Any:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list() if all(isinstance(item, bool | int | float | str) for item in value):
            return shlex.join(str(_option_text(item)) for item in value)
        case _:
            return value


def _options(options: dict[str, str]) -> dict[str, str]:
    for name, value in options.items():
        if not re.search(_OPTION, name):
            raise ValueError(f"{name!r} is not a valid name of an option, such as engine")
        if reason := reason_against_option(name):
            raise ValueError(f"{name} is not available: {reason}")
        if "\0" in value:
            raise ValueError(f"{name}: expected a value without NUL")
        check_references(name, value)
    if len({plain_option(name).replace("_", "-") for name in options}) < len(options):
        raise ValueError("expected distinct options")
    return options


def _environment(variables: dict[str, str]) -> dict[str, str]:
    for name in variables:
        if reason := reason_against_variable(name):
            raise ValueError(f"{name} is not available: {reason}")
        if name.startswith(_RESERVED):
            raise ValueError(f"{name} is not available: names that start with {_RESERVED} are used")
    return variables


def _tag(text: str) -> str:
    if not text or not text.isprintable() or text != text.strip():
        raise ValueError("expected a tag, such as fast")
    return text


def _class_name(text: str) -> str:
    if not text.isidentifier():
        raise ValueError("expected the name of a user class, such as ChatUser")
    return text


Options = Annotated[
    dict[str, str],
    BeforeValidator(_option_values),
    AfterValidator(_options),
    Pattern("", names=_OPTION),
]
Tags = Annotated[
    tuple[Annotated[str, AfterValidator(_tag), Pattern(r"\S")], ...], BeforeValidator(as_texts)
]
ClassNames = Annotated[
    tuple[Annotated[str, AfterValidator(_class_name), Pattern(r"^[^\W\d]\w*$")], ...],
    BeforeValidator(as_texts),
]
LocustVariables = Annotated[Variables, AfterValidator(_environment)]


class LoadSection(Section):
    """Settings of the load generator."""

    model: Literal["closed"] = Field(
        "closed",
        title="Load model",
        description="Load model. closed: a fixed number of users, each waiting for its response "
        "before the next request",
        json_schema_extra={"comment": "fixed number of users, each waiting for its response"},
    )
    locustfile: PathTexts = Field(
        ("locustfile.py",),
        title="Locustfile",
        description="Locustfile that defines the behaviour of a user; several files, or a folder "
        "with all its Python files, are possible. Paths are absolute or relative to the workspace",
        json_schema_extra={"comment": "behaviour of a user; a file, several, or a folder"},
    )
    folder: PathText | None = Field(
        None,
        title="Working folder",
        description="Folder in which Locust runs: the locustfile can import modules and open "
        "files that are in it. null: the folder of the locustfile, or the nearest one above it in "
        "which its imports are found",
        json_schema_extra={
            "comment": "working folder of Locust; null: where the imports are found"
        },
    )
    options: Options = Field(
        default_factory=dict,
        title="Options",
        description="Command-line options of the locustfile and of Locust, by name without dashes, "
        "such as {engine: vllm, stream: true, hosts: [a, b]}. Write secrets as ${NAME}",
        json_schema_extra={"comment": "command-line options of the locustfile: {engine: vllm}"},
    )
    environment: LocustVariables = Field(
        default_factory=dict,
        title="Environment of Locust",
        description="Additional environment variables of the locustfile. Write secrets as ${NAME}",
        json_schema_extra={"comment": "additional environment variables of the locustfile"},
    )
    tags: Tags = Field(
        (),
        title="Tags",
        description="Tags of the tasks to execute. []: all tasks",
        json_schema_extra={"comment": "only tasks with one of these tags; []: all"},
    )
    exclude_tags: Tags = Field(
        (),
        title="Excluded tags",
        description="Tags of the tasks that are not executed",
        json_schema_extra={"comment": "no tasks with one of these tags"},
    )
    user_classes: ClassNames = Field(
        (),
        title="User classes",
        description="User classes of the locustfile to use. []: all that are not abstract",
        json_schema_extra={"comment": "user classes of the locustfile to use; []: all"},
    )
    keep_host: ClassNames = Field(
        (),
        title="User classes with their own host",
        description="User classes that send their requests to the host that the locustfile sets. "
        "All others send them to the service under test",
        json_schema_extra={"comment": "user classes that keep their own host"},
    )
    start_timeout: Annotated[Duration, Field(gt=0, le=86400)] = Field(
        60.0,
        title="Start timeout of Locust",
        description="Maximum time for each of: importing the locustfile, its init listeners, and "
        "its test_start listeners before a cell",
        json_schema_extra={
            "comment": "maximum time for import, init and test_start of the locustfile"
        },
    )
    images: PathText = Field(
        "images",
        title="Image folder",
        description="Folder of the images to send. Its path is absolute or relative to the "
        "workspace",
        json_schema_extra={"comment": "folder of the images to send"},
    )
    timeout: Annotated[Duration, Field(gt=0, le=3600)] = Field(
        30.0,
        title="Request timeout",
        description="Request timeout. A request that times out counts as a failure",
        json_schema_extra={"comment": "request timeout; counts as a failure"},
    )

    @property
    def shown_locustfile(self) -> str:
        """The locustfiles as written, for display."""
        return ", ".join(self.locustfile)
