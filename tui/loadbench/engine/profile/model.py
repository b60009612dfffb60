"""What a profile says. Every key is described here, where it is defined, and nowhere else."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from loadbench.engine.profile.driver_settings import refuse_misfit
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
"""Successive windows that must agree: as in Triton perf_analyzer's stability rule."""


class Section(BaseModel):
    """Keys that belong together. Unknown ones are mistakes."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True
    )


class Settle(Section):
    """When a cell counts as steady."""

    max: Annotated[Duration, Field(ge=0, le=86400)] = Field(
        30.0, description="give up waiting for steady numbers after this long; 0s: do not wait"
    )
    window: Annotated[Duration, Field(ge=1, le=3600)] = Field(
        5.0,
        description="three windows of this length, one after the other, "
        "must agree within 10 % in rate and in median latency, with 30 answers each",
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
    """How the service under test is started."""

    driver: Literal["auto", "compose", "local", "external"] = Field(
        "auto",
        description="compose: containers, by Docker Compose; local: broker, API and models as "
        "processes of this machine, no Docker needed; external: a service that is running already "
        "at `host`; auto: compose where a Docker engine answers, else local",
    )
    compose: PathTexts = Field(
        ("stack/compose.yaml",),
        description="compose files, relative to the workspace or absolute, later ones over "
        "earlier ones; those of any project will do",
    )
    service: str = Field("model", description="the service of the compose files that is scaled")
    health: HealthText = Field(
        "/health",
        description="what is asked whether the service is ready: a path on host, or a URL",
    )
    environment: Variables = Field(
        default_factory=dict,
        description="more environment variables for the API and the models; with compose files of "
        "your own, values for the ${NAME} in them. They are saved with the run, so no secrets",
    )
    startup_timeout: Annotated[Duration, Field(gt=0, le=86400)] = Field(
        180.0, description="how long the stack may take until all models are ready"
    )
    model_threads: Annotated[Whole, Field(ge=1, le=1024)] = Field(
        1, description="ONNX Runtime threads of one model; models × threads should fit the cores"
    )
    memory_mb: Annotated[Whole, Field(ge=6)] | None = Field(
        None,
        description="memory that one model container may take, in MB, enforced by the kernel; "
        "null: no limit. Compose alone can set one",
    )
    gpu_memory_mb: Annotated[Whole, Field(ge=1)] | None = Field(
        None, description="VRAM that one model may take, in MB; null: grows by need"
    )


class LoadSection(Section):
    """What one user does, and how its requests are made."""

    model: Literal["closed"] = Field(
        "closed", description="closed: a fixed number of users, each waits for its answer"
    )
    locustfile: PathText = Field(
        "locustfile.py", description="the Locust file, relative to the workspace or absolute"
    )
    images: PathText = Field(
        "images", description="the folder of images to send, relative to the workspace or absolute"
    )
    timeout: Annotated[Duration, Field(gt=0, le=3600)] = Field(
        30.0, description="a request without an answer for this long has failed"
    )


class Goals(Section):
    """What a cell must reach; only `--check` acts on it."""

    p95_ms: Annotated[float, Field(gt=0)] | None = Field(
        None, description="the 95th percentile of latency, in ms, at the most; null: no goal"
    )
    failure_ratio: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="failed requests / requests, 0 to 1, at the most; null: no goal"
    )


class Profile(Section):
    """One saved benchmark: what is started, which cells are measured, for how long."""

    description: str = Field("", description="one line for people")
    device: Literal["cpu", "gpu"] = Field("cpu", description="where the models compute: cpu or gpu")
    batch_size: Annotated[Whole, Field(ge=1, le=4096)] = Field(
        1, description="requests that a model takes at once, at the most"
    )
    models: PositiveInts = Field(
        description="numbers of model containers to measure (also: num_models_list)",
        validation_alias=AliasChoices("models", "num_models_list"),
    )
    users: PositiveInts = Field(
        description="numbers of concurrent users to measure (also: num_users_list)",
        validation_alias=AliasChoices("users", "num_users_list"),
    )
    spawn_rates: PositiveRates = Field(
        description="users started per second; Locust starts whole batches, about once a second: "
        "10 are 10 at the same instant each second, 2.5 are 2 every 0.8 s, 0.5 are 1 every 2 s "
        "(also: spawn_rate_list)",
        validation_alias=AliasChoices("spawn_rates", "spawn_rate_list"),
    )
    run_time: Annotated[Duration, Field(ge=1, le=86400)] = Field(
        30.0, description="how long one cell is measured, ramp and settling not counted"
    )
    repeats: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        1,
        description="how often each cell is measured; from 2 on, the medians of its repeats are "
        "told, with their intervals",
    )
    recheck_first: bool = Field(
        False,
        description="measure the first cell once more at the very end, and tell how far its "
        "numbers have drifted",
    )
    settle: Settle = Field(default_factory=Settle, description="when a cell counts as steady")
    host: HttpUrl = Field(
        None,
        description="the address that requests go to: where our stack is to listen, or where "
        "another project or an external service does. null: a free loopback port for our stack, "
        "the one published port of another project",
    )
    stack: StackSection = Field(
        default_factory=StackSection, description="how the service is started"
    )
    load: LoadSection = Field(default_factory=LoadSection, description="what the users do")
    goals: Goals = Field(default_factory=Goals, description="what `--check` compares with")

    @model_validator(mode="after")
    def _fits_its_driver(self) -> "Profile":
        refuse_misfit(
            self.stack.driver,
            section=self.stack,
            defaults=StackSection(),
            host=self.host,
            models=len(self.models),
        )
        return self

    def resolved(self) -> dict[str, Any]:
        """Return every key with its value as plain data, as a profile file would hold it."""
        return self.model_dump(mode="json")


class Point(Section):
    """One point of the grid, asked for by itself."""

    models: PositiveInt
    users: PositiveInt
    spawn_rate: PositiveRate


ALIASES = {
    "num_models_list": "models",
    "num_users_list": "users",
    "spawn_rate_list": "spawn_rates",
}
"""Names that the original script used, and the keys that they stand for."""


def known_keys(section: type[BaseModel] = Profile, prefix: str = "") -> dict[str, str]:
    """Return the description of every key, sections as dotted names, in the order of definition."""
    keys: dict[str, str] = {}
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys.update(known_keys(inner, f"{prefix}{name}."))
        else:
            keys[prefix + name] = field.description or ""
    return keys


def key_reference() -> str:
    """Return a Markdown table of every key: name, default, meaning."""
    defaults: dict[str, Any] = {}
    blank = Profile(models=(1,), users=(1,), spawn_rates=(1.0,)).resolved()
    for key in known_keys():
        value: Any = blank
        for part in key.split("."):
            value = value[part]
        defaults[key] = "required" if key in ALIASES.values() else _yaml_scalar(value)
    rows = [f"| `{key}` | {defaults[key]} | {text} |" for key, text in known_keys().items()]
    return "\n".join(("| key | default | meaning |", "|---|---|---|", *rows))


def _yaml_scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case "":
            return '""'
        case bool():
            return str(value).lower()
        case dict():
            return "{}"
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)
