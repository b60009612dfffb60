"""The section `load` of a profile."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from loadbench.engine.profile.fields import (
    EVENT_NAME,
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
    joined_values,
    option_key,
    reason_against_option,
    reason_against_variable,
)
from loadbench.engine.profile.values.references import references_in

_OPTION = r"^-{0,2}[A-Za-z0-9][A-Za-z0-9_.-]*(?!\n)$"
_TAG = r"^(?!\s)[^,\x00-\x1f\x7f]+(?<!\s)(?!\n)$"
NAME_LISTS = ("load.tags", "load.exclude_tags", "load.user_classes", "load.keep_host")
"""Keys with lists of names that contain no commas, so that an override may separate them by one."""
GLOB_LISTS = ("load.measurements",)
"""Keys with lists of names with placeholders, which YAML cannot read without quotes."""

_REQUEST_NAME = rf"^(?![\s\S]*\$\{{){EVENT_NAME.removeprefix('^')}"
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
        case list() if all(
            isinstance(item, bool | int | float | str) and "\n" not in str(item) for item in value
        ):
            return joined_values([str(_option_text(item)) for item in value])
        case _:
            return value


def _options(options: dict[str, str]) -> dict[str, str]:
    for name, value in options.items():
        if not re.search(_OPTION, name):
            raise ValueError(
                f"{name!r} is not a valid name of an option: expected letters, digits, -, _ and "
                "., such as engine"
            )
        if reason := reason_against_option(name):
            raise ValueError(f"{name} cannot be set here: {reason}")
        if "\0" in value:
            raise ValueError(f"{name}: expected a value without NUL")
        check_references(name, value)
    if len({option_key(name) for name in options}) < len(options):
        raise ValueError("expected distinct options: in their names, - and _ are the same")
    return options


def _environment(variables: dict[str, str]) -> dict[str, str]:
    for name in variables:
        if reason := reason_against_variable(name):
            raise ValueError(f"{name} cannot be set here: {reason}")
        if name.startswith(_RESERVED):
            raise ValueError(
                f"{name} cannot be set here: names that start with {_RESERVED} are reserved"
            )
    return variables


def _tag(text: str) -> str:
    if not re.search(_TAG, text):
        raise ValueError("expected a tag without commas and spaces around it, such as fast")
    references_in(text)
    return text


def _request_name(text: str) -> str:
    # Reports look for the name as it is recorded, in which references are not resolved.
    if not re.search(_REQUEST_NAME, text):
        raise ValueError(
            "expected the name of requests, such as POST /predict, without references to variables"
        )
    return text


def _class_name(text: str) -> str:
    if not text.isidentifier():
        raise ValueError("expected the name of a user class, such as ChatUser")
    return text


def _glob(text: str) -> str:
    if not re.search(EVENT_NAME, text):
        raise ValueError("expected the type or the name of events, such as METRIC or *token*")
    references_in(text)
    return text


Globs = Annotated[
    tuple[Annotated[str, AfterValidator(_glob), Pattern(EVENT_NAME)], ...],
    BeforeValidator(as_texts),
]
RequestName = Annotated[str, AfterValidator(_request_name), Pattern(_REQUEST_NAME)]
Options = Annotated[
    dict[str, str],
    BeforeValidator(_option_values),
    AfterValidator(_options),
    Pattern("", names=_OPTION, accepts_lists=True),
]
Tags = Annotated[
    tuple[Annotated[str, AfterValidator(_tag), Pattern(_TAG)], ...], BeforeValidator(as_texts)
]
ClassNames = Annotated[
    tuple[Annotated[str, AfterValidator(_class_name), Pattern(r"^[^\W\d]\w*(?!\n)$")], ...],
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
        description="Locustfile that defines the behaviour of a user, a list of several, or a "
        "folder with all its Python files. Paths are absolute or relative to the workspace",
        json_schema_extra={"comment": "behaviour of a user; a file, several, or a folder"},
    )
    folder: PathText | None = Field(
        None,
        title="Working folder",
        description="Working folder of Locust, from which the locustfile imports modules and opens "
        "files. Its path is absolute or relative to the workspace. null: the folder of the "
        "locustfile, or the nearest one above it in which its imports are found",
        json_schema_extra={
            "comment": "working folder of Locust; null: where the imports are found"
        },
    )
    main: RequestName | None = Field(
        None,
        title="Main request",
        description="Method and name, or name, of the requests whose results table, sweep, "
        "bottleneck and recommendation show, such as POST /predict. null: all requests together",
        json_schema_extra={
            "comment": "requests whose results count, such as POST /predict; null: all"
        },
    )
    measurements: Globs = Field(
        (),
        title="Measurements",
        description="Types or names of events that are measurements instead of requests, such as "
        "first token. * stands for any characters. Events of the types METRIC and TTFT always are",
        json_schema_extra={
            "comment": 'events that are no requests: types or names, such as "*token*"'
        },
    )
    options: Options = Field(
        default_factory=dict,
        title="Options",
        description="Command-line options of the locustfile and of Locust, by name without dashes, "
        "such as {engine: vllm, stream: true, hosts: [a, b]}. true sets a flag, a list gives "
        "several values. Write secrets as ${NAME}",
        json_schema_extra={
            "comment": "options of the locustfile, such as {engine: vllm}; true: a flag"
        },
    )
    environment: LocustVariables = Field(
        default_factory=dict,
        title="Environment of Locust",
        description="Additional environment variables of Locust, which the locustfile can read. "
        "Write secrets as ${NAME}",
        json_schema_extra={"comment": "additional environment variables of the locustfile"},
    )
    tags: Tags = Field(
        (),
        title="Tags",
        description="Only tasks with one of these tags are executed. []: all tasks",
        json_schema_extra={"comment": "only tasks with one of these tags; []: all"},
    )
    exclude_tags: Tags = Field(
        (),
        title="Excluded tags",
        description="Tasks with one of these tags are not executed",
        json_schema_extra={"comment": "no tasks with one of these tags"},
    )
    user_classes: ClassNames = Field(
        (),
        title="User classes",
        description="Names of the user classes to use. []: all of the locustfile that are not "
        "abstract",
        json_schema_extra={"comment": "user classes of the locustfile to use; []: all"},
    )
    keep_host: ClassNames = Field(
        (),
        title="Classes with their own host",
        description="Names of user classes that send requests to the host that the locustfile sets "
        "for them. All others send them to the service under test",
        json_schema_extra={"comment": "user classes that keep their own host"},
    )
    start_timeout: Annotated[Duration, Field(gt=0, le=86400)] = Field(
        60.0,
        title="Start timeout of Locust",
        description="Maximum time for the import of the locustfile, for its init listeners, and "
        "for its test_start listeners before a cell, each",
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
