"""The profile model. Help and docs are generated from the descriptions of its keys."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from loadbench.engine.profile.driver_settings import check_driver_settings
from loadbench.engine.profile.duration import format_duration
from loadbench.engine.profile.fields import (
    Duration,
    HealthText,
    HttpUrl,
    PathText,
    PathTexts,
    PositiveInt,
    PositiveInts,
    PositiveRate,
    PositiveRates,
    Variables,
    Whole,
)

SETTLE_WINDOWS = 3
"""Number of successive windows that must agree. Triton's perf_analyzer uses the same rule."""


class Section(BaseModel):
    """A section of a profile. Unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True
    )


class Settle(Section):
    """Criteria for steady numbers."""

    max: Annotated[Duration, Field(ge=0, le=86400)] = Field(
        30.0,
        description="Maximum time to wait for steady numbers before a cell is measured. 0s: do not "
        "wait",
    )
    window: Annotated[Duration, Field(ge=1, le=3600)] = Field(
        5.0,
        description="Length of a settle window. A cell is steady once three successive windows "
        "agree within 10 % in request rate and median latency, with 30 or more responses each",
    )

    @model_validator(mode="after")
    def _long_enough(self) -> "Settle":
        if 0 < self.max < SETTLE_WINDOWS * self.window:
            raise ValueError(
                f"max must be 0s or at least {SETTLE_WINDOWS} × window "
                f"({SETTLE_WINDOWS} × {format_duration(self.window)})"
            )
        return self


class StackSection(Section):
    """Settings for starting and scaling the service under test."""

    driver: Literal["auto", "compose", "local", "external"] = Field(
        "auto",
        description="How the service is started. compose: in containers, with Docker Compose; "
        "local: as processes on this machine, without Docker; external: not at all, because it "
        "already runs at `host`; auto: compose if a Docker engine responds, otherwise local",
    )
    compose: PathTexts = Field(
        ("stack/compose.yaml",),
        description="Compose files of the service. Any Compose project is supported. Paths are "
        "absolute or relative to the workspace; later files override earlier ones",
    )
    service: str = Field("model", description="Compose service to scale")
    health: HealthText = Field(
        "/health",
        description="Health check that responds with 2xx once the service is ready: a path on the "
        "host of the service, or a URL",
    )
    environment: Variables = Field(
        default_factory=dict,
        description="Additional environment variables of the API and the models. Other Compose "
        "projects must refer to them as ${NAME}. Saved with the run, so do not store secrets here",
    )
    startup_timeout: Annotated[Duration, Field(gt=0, le=86400)] = Field(
        180.0, description="Maximum time to wait until all models are ready"
    )
    model_threads: Annotated[Whole, Field(ge=1, le=1024)] = Field(
        1,
        description="ONNX Runtime threads per model. Keep models × threads within the number of "
        "CPU cores",
    )
    memory_mb: Annotated[Whole, Field(ge=6)] | None = Field(
        None,
        description="Memory limit of a model container in MB; null: no limit. Only with driver "
        "compose",
    )
    gpu_memory_mb: Annotated[Whole, Field(ge=1)] | None = Field(
        None, description="VRAM limit of a model in MB; null: allocated as needed"
    )


class LoadSection(Section):
    """Settings of the load generator."""

    model: Literal["closed"] = Field(
        "closed",
        description="Load model. closed: a fixed number of users, each waiting for its response "
        "before the next request",
    )
    locustfile: PathText = Field(
        "locustfile.py",
        description="Locustfile that defines the behaviour of a user. Its path is absolute or "
        "relative to the workspace",
    )
    images: PathText = Field(
        "images",
        description="Folder of the images to send. Its path is absolute or relative to the "
        "workspace",
    )
    timeout: Annotated[Duration, Field(gt=0, le=3600)] = Field(
        30.0, description="Request timeout. A request that times out counts as a failure"
    )


GoalMs = Annotated[float, Field(gt=0)] | None
"""Type of a goal for a percentile of latency in ms. None means no goal."""


class Goals(Section):
    """Goals for each cell. They decide the recommendation, and with `--check` the exit code."""

    p50_ms: GoalMs = Field(None, description="Maximum median latency in ms; null: no goal")
    p90_ms: GoalMs = Field(
        None, description="Maximum 90th percentile of latency in ms; null: no goal"
    )
    p95_ms: GoalMs = Field(
        None, description="Maximum 95th percentile of latency in ms; null: no goal"
    )
    p99_ms: GoalMs = Field(
        None, description="Maximum 99th percentile of latency in ms; null: no goal"
    )
    failure_ratio: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="Maximum ratio of failed to all requests, 0 to 1; null: no goal"
    )
    min_rps: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Minimum successful requests per second; null: no goal"
    )


class Profile(Section):
    """A profile: the service to start, the cells to measure, and for how long."""

    description: str = Field("", description="One line that describes the profile")
    device: Literal["cpu", "gpu"] = Field(
        "cpu", description="Device that runs the models: cpu or gpu"
    )
    batch_size: Annotated[Whole, Field(ge=1, le=4096)] = Field(
        1, description="Maximum number of requests that a model processes at once"
    )
    models: PositiveInts = Field(
        description="Numbers of model containers to measure (alias: num_models_list)",
        validation_alias=AliasChoices("models", "num_models_list"),
    )
    users: PositiveInts = Field(
        description="Numbers of concurrent users to measure (alias: num_users_list)",
        validation_alias=AliasChoices("users", "num_users_list"),
    )
    spawn_rates: PositiveRates = Field(
        description="Spawn rates to measure, in users per second (alias: spawn_rate_list)",
        validation_alias=AliasChoices("spawn_rates", "spawn_rate_list"),
    )
    run_time: Annotated[Duration, Field(ge=1, le=86400)] = Field(
        30.0, description="Length of the measurement window of a cell, without ramp and settle time"
    )
    repeats: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        1,
        description="Repeats per cell. With 2 or more, reports show the median and an interval",
    )
    recheck_first: bool = Field(
        False,
        description="Measure the first cell again at the end of the run and report the drift",
    )
    settle: Settle = Field(default_factory=Settle, description="Criteria for steady numbers")
    host: HttpUrl = Field(
        None,
        description="URL of the service under test. The bundled service listens on this address. "
        "Driver external requires it. null: a free loopback port for the bundled service, or the "
        "only published port of another project",
    )
    stack: StackSection = Field(
        default_factory=StackSection, description="Settings for starting and scaling the service"
    )
    load: LoadSection = Field(
        default_factory=LoadSection, description="Settings of the load generator"
    )
    goals: Goals = Field(
        default_factory=Goals, description="Goals for each cell, which decide the recommendation"
    )

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


def key_rows() -> list[tuple[str, str, str]]:
    """Return the dotted name, the default and the description of each key."""
    defaults = Profile(models=(1,), users=(1,), spawn_rates=(1.0,)).resolved()
    rows = []
    for key, description in known_keys().items():
        value: Any = defaults
        for part in key.split("."):
            value = value[part]
        default = "required" if key in ALIASES.values() else _yaml_text(value)
        rows.append((key, default, description))
    return rows


def key_reference() -> str:
    """Return a Markdown table of all keys, for the documentation."""
    rows = [f"| `{key}` | {default} | {meaning} |" for key, default, meaning in key_rows()]
    return "\n".join(("| key | default | meaning |", "|---|---|---|", *rows))


def _yaml_text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case "":
            return '""'
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(str, value))}]"
        case dict():
            return "{}"
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)
