"""The profile model. Forms, help, docs and the JSON schema are generated from it.

Each key has a title, the label in forms; a description, for help and docs; and a comment, which
stands behind the key in profile files.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    TypeAdapter,
    model_validator,
)

from loadbench.engine.profile.driver_settings import check_driver_settings
from loadbench.engine.profile.duration import (
    AUTO,
    format_duration,
    format_run_time,
    is_auto,
    parse_run_time,
)
from loadbench.engine.profile.fields import (
    Duration,
    HttpUrl,
    InvalidKeyError,
    Names,
    PositiveInt,
    PositiveInts,
    PositiveRate,
    PositiveRates,
    Whole,
)
from loadbench.engine.profile.sections.base import Section
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.profile.sections.load import LoadSection
from loadbench.engine.profile.sections.search import GRID, Search
from loadbench.engine.profile.sections.stack import StackSection

DEFAULT_MAX_CELLS = 10_000
"""Default of `max_cells`. At half a minute per cell, they take more than three days."""

MAX_CELLS = 100_000
"""Largest `max_cells`. The first event of a journal lists all cells, with about 100 bytes each."""

SETTLE_WINDOWS = 3
"""Number of successive windows that must agree. Triton's perf_analyzer uses the same rule."""


class Settle(Section):
    """Criteria for steady numbers."""

    max: Annotated[Duration, Field(ge=0, le=86400)] = Field(
        30.0,
        title="Maximum settle time",
        description="Maximum time to wait for steady numbers before a cell is measured. If there "
        "are few responses, such as with think time, up to ten times as long. 0s: do not wait",
        json_schema_extra={"comment": "maximum time to wait for steady numbers; 0s: do not wait"},
    )
    window: Annotated[Duration, Field(ge=1, le=3600)] = Field(
        5.0,
        title="Settle window",
        description="Minimum length of a settle window. A cell is steady once three successive "
        "windows agree within 10 % in request rate and median latency. Windows are longer until "
        "each has 30 or more responses",
        json_schema_extra={"comment": "steady: three windows of this length agree within 10 %"},
    )

    @model_validator(mode="after")
    def _long_enough(self) -> "Settle":
        if 0 < self.max < SETTLE_WINDOWS * self.window:
            raise ValueError(
                f"max must be 0s or at least {SETTLE_WINDOWS} × window "
                f"({SETTLE_WINDOWS} × {format_duration(self.window)})"
            )
        return self


_RUN_TIME_LIMITS = Field(ge=1, le=86400)
_LIMITED_RUN_TIME: TypeAdapter[float] = TypeAdapter(
    Annotated[float, BeforeValidator(parse_run_time), _RUN_TIME_LIMITS], config=Section.model_config
)


def validate_run_time(value: Any) -> float | str:
    """Return a run time in seconds, or `AUTO`.

    Raises:
        ValueError: The value is neither a duration within the limits nor `auto`.
    """
    # A union would report its errors once for each of its types.
    return AUTO if is_auto(value) else _LIMITED_RUN_TIME.validate_python(value)


RunTime = Annotated[
    Annotated[float, _RUN_TIME_LIMITS] | Literal["auto"],
    BeforeValidator(validate_run_time),
    PlainSerializer(format_run_time, return_type=str),
]


class Profile(Section):
    """A profile: the service to start, the cells to measure, and for how long."""

    description: str = Field(
        "",
        title="Description",
        description="One line that describes the profile",
    )
    device: Literal["cpu", "gpu"] = Field(
        "cpu",
        title="Device",
        description="Device that runs the models: cpu or gpu",
        json_schema_extra={"comment": "device that runs the models: cpu | gpu"},
    )
    batch_size: Annotated[Whole, Field(ge=1, le=4096)] = Field(
        1,
        title="Batch size",
        description="Maximum number of requests that a model processes at once",
        json_schema_extra={"comment": "maximum number of requests that a model processes at once"},
    )
    models: PositiveInts = Field(
        title="Models",
        description="Numbers of model containers to measure (alias: num_models_list)",
        validation_alias=AliasChoices("models", "num_models_list"),
        json_schema_extra={
            "comment": "numbers of model containers to measure (alias: num_models_list)"
        },
    )
    users: PositiveInts = Field(
        title="Users",
        description="Numbers of concurrent users to measure (alias: num_users_list)",
        validation_alias=AliasChoices("users", "num_users_list"),
        json_schema_extra={
            "comment": "numbers of concurrent users to measure (alias: num_users_list)"
        },
    )
    spawn_rates: PositiveRates = Field(
        title="Spawn rates (users/s)",
        description="Spawn rates to measure, in users per second (alias: spawn_rate_list)",
        validation_alias=AliasChoices("spawn_rates", "spawn_rate_list"),
        json_schema_extra={"comment": "users started per second (alias: spawn_rate_list)"},
    )
    run_time: RunTime = Field(
        30.0,
        title="Run time",
        description="Length of the measurement window of a cell, without ramp and settle time. "
        "auto: until there are enough requests for p95 and for the percentiles of all goals, "
        "within min_run_time and max_run_time",
        json_schema_extra={
            "comment": "length of the measurement window; auto: as long as percentiles need"
        },
    )
    min_run_time: Annotated[Duration, Field(ge=1, le=86400)] = Field(
        10.0,
        title="Minimum run time",
        description="Minimum length of the measurement window with run_time: auto",
        json_schema_extra={"comment": "minimum length with run_time: auto"},
    )
    max_run_time: Annotated[Duration, Field(ge=1, le=86400)] = Field(
        600.0,
        title="Maximum run time",
        description="Maximum length of the measurement window with run_time: auto",
        json_schema_extra={"comment": "maximum length with run_time: auto"},
    )
    repeats: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        1,
        title="Repeats",
        description="Repeats per cell. With 2 or more, reports show the median and an interval",
        json_schema_extra={"comment": "repeats per cell; with 2 or more: median and interval"},
    )
    recheck_first: bool = Field(
        False,
        title="Recheck of the first cell",
        description="Measure the first cell again at the end of the run and report the drift",
        json_schema_extra={
            "comment": "true: measure the first cell again at the end and report the drift"
        },
    )
    max_cells: Annotated[Whole, Field(ge=1, le=MAX_CELLS)] = Field(
        DEFAULT_MAX_CELLS,
        title="Maximum cells",
        description="Maximum number of cells, with repeats and added cells. A profile with more is "
        "refused",
        json_schema_extra={"comment": "maximum number of cells; a profile with more is refused"},
    )
    settle: Settle = Field(
        default_factory=Settle,
        title="Settling",
        description="Criteria for steady numbers",
    )
    host: HttpUrl = Field(
        None,
        title="Host",
        description="URL of the service under test, which may have a path that all requests share. "
        "The bundled service, which has no such path, listens on this address. Driver external "
        "requires it. null: a free loopback port, of the bundled service or of the service that "
        "stack.port names",
        json_schema_extra={
            "comment": "URL of the service; null: bundled service on a free local port"
        },
    )
    secrets: Names = Field(
        (),
        title="Secret variables",
        description="Further environment variables whose values are masked in reports and logs. "
        "Names that end in _KEY, _TOKEN, _SECRET, _PASSWORD or _CREDENTIALS need not be listed",
        json_schema_extra={
            "comment": "further variables to mask; *_KEY, *_TOKEN, *_SECRET, *_PASSWORD\n"
            "and *_CREDENTIALS are always masked"
        },
    )
    not_secrets: Names = Field(
        (),
        title="Public variables",
        description="Environment variables that are never masked",
        json_schema_extra={"comment": "variables that are never masked"},
    )
    stack: StackSection = Field(
        default_factory=StackSection,
        title="Service under test",
        description="Settings for starting and scaling the service",
    )
    load: LoadSection = Field(
        default_factory=LoadSection,
        title="Load generator",
        description="Settings of the load generator",
    )
    goals: Goals = Field(
        default_factory=Goals,
        title="Goals",
        description="Goals for each cell, which decide the recommendation",
        json_schema_extra={"comment": "limits that each cell should meet; null: no goal"},
    )
    search: Search = Field(
        default_factory=Search,
        title="Search",
        description="Which cells of the grid a run measures",
    )

    @model_validator(mode="after")
    def _check_size(self) -> "Profile":
        lists = (self.models, self.users, self.spawn_rates)
        cells = math.prod(map(len, lists)) * self.repeats + self.recheck_first
        if cells > self.max_cells:
            raise InvalidKeyError(
                ("users",),
                f"{cells} cells exceed the limit of {self.max_cells}. Shorten the lists, or raise "
                f"max_cells (at most {MAX_CELLS})",
            )
        return self

    @model_validator(mode="after")
    def _check_run_times(self) -> "Profile":
        if self.min_run_time > self.max_run_time:
            raise InvalidKeyError(
                ("max_run_time",),
                f"expected at least min_run_time ({format_duration(self.min_run_time)})",
            )
        return self

    @model_validator(mode="after")
    def _check_secrets(self) -> "Profile":
        if both := set(self.secrets) & set(self.not_secrets):
            raise InvalidKeyError(
                ("not_secrets",), f"{', '.join(sorted(both))}: also in secrets. Remove one of them"
            )
        return self

    @model_validator(mode="after")
    def _check_search(self) -> "Profile":
        if self.is_search and self.goals == Goals():
            raise InvalidKeyError(
                ("search", "strategy"),
                "a search for the capacity requires a goal, such as goals.p95_ms: 500",
            )
        return self

    @model_validator(mode="after")
    def _check_driver(self) -> "Profile":
        check_driver_settings(
            self.stack.driver,
            section=self.stack,
            defaults=StackSection(),
            host=self.host,
            models=len(self.models),
        )
        return self

    @property
    def is_run_time_auto(self) -> bool:
        """Whether the results decide the length of the measurement window."""
        return self.run_time == AUTO

    @property
    def is_search(self) -> bool:
        """Whether a run measures only the cells that its search for the capacity chooses."""
        return self.search.strategy != GRID

    @property
    def max_window_s(self) -> float:
        """Maximum length of the measurement window in seconds."""
        return self.max_run_time if isinstance(self.run_time, str) else self.run_time

    def resolved(self) -> dict[str, Any]:
        """Return all keys and values as plain data, in the structure of a profile file."""
        return self.model_dump(mode="json")


class Point(Section):
    """A grid point that can be added to a run."""

    models: PositiveInt
    users: PositiveInt
    spawn_rate: PositiveRate


ALIASES = {
    "num_models_list": "models",
    "num_users_list": "users",
    "spawn_rate_list": "spawn_rates",
}
"""Alternative names of keys, and the keys they stand for."""


def known_keys(section: type[BaseModel] = Profile, prefix: str = "") -> dict[str, str]:
    """Return the description of each key by its dotted name, in the order of definition."""
    keys: dict[str, str] = {}
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys.update(known_keys(inner, f"{prefix}{name}."))
        else:
            keys[prefix + name] = field.description or ""
    return keys
