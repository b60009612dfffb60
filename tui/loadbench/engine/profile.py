"""What a profile says. Every key is described here, where it is defined, and nowhere else."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from loadbench.engine.duration import parse_duration, write_duration

SETTLE_WINDOWS = 3
"""Successive windows that must agree: as in Triton perf_analyzer's stability rule."""

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, return_type=str),
]
"""Seconds; written as `90s`, `7m` or `1h20m`."""


class KeyMistakeError(ValueError):
    """Keys that do not fit each other.

    Args:
        key: The one that the message is about.
        message: What is wrong and what is allowed.
    """

    def __init__(self, key: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.key = key


def _no_truth_value(value: Any) -> Any:
    # YAML reads yes and no as truth values, which Python counts as 1 and 0.
    if isinstance(value, bool):
        raise ValueError("a number is needed")  # noqa: TRY004  # pydantic's word for a mistake
    return value


def _as_list(value: Any) -> Any:
    return [_no_truth_value(value)] if isinstance(value, int | float) else value


def _axis(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("a list such as [1, 2] is needed")
    # Cells and their reports are named by %g of the value, so that must tell them apart.
    if len({f"{value:g}" for value in values}) < len(values):
        raise ValueError("the same value is given twice")
    return values


def _path(path: str) -> str:
    if not path.strip() or "\0" in path:
        raise ValueError("a path is needed")
    return str(PurePosixPath(path))


def _as_paths(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    if not paths:
        raise ValueError("a file is needed, such as [stack/compose.yaml]")
    return paths


def _health(text: str) -> str:
    if not text.startswith("/"):
        _http_url(text, with_path=True)
    return text


def _variables(environment: dict[str, str]) -> dict[str, str]:
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"{name!r} cannot be an environment variable")
    return environment


def _http_url(url: str | None, *, with_path: bool = False) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        more = parts.path.strip("/") or parts.query or parts.fragment
    except ValueError:
        named, more = False, ""
    if with_path and not named:
        raise ValueError("a path such as /health, or a URL such as http://127.0.0.1:8000/health")
    if not with_path and (not named or more):
        raise ValueError("a URL such as http://127.0.0.1:8000 is needed, without a path")
    return url.rstrip("/")


Whole = Annotated[int, BeforeValidator(_no_truth_value)]
Rate = Annotated[float, BeforeValidator(_no_truth_value)]
PositiveInts = Annotated[
    tuple[Annotated[Whole, Field(ge=1, le=1_000_000)], ...],
    BeforeValidator(_as_list),
    AfterValidator(_axis),
]
PositiveRates = Annotated[
    tuple[Annotated[Rate, Field(ge=0.001, le=1000)], ...],
    BeforeValidator(_as_list),
    AfterValidator(_axis),
]


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
                f"max must hold {SETTLE_WINDOWS} windows of {write_duration(self.window)}, or be 0s"
            )
        return self


class Stack(Section):
    """How the service under test is started."""

    driver: Literal["auto", "compose", "local", "external"] = Field(
        "auto",
        description="compose: containers, by Docker Compose; local: broker, API and models as "
        "processes of this machine, no Docker needed; external: a service that is running already "
        "at `host`; auto: compose where a Docker engine answers, else local",
    )
    compose: Annotated[
        tuple[Annotated[str, AfterValidator(_path)], ...],
        BeforeValidator(_as_paths),
        AfterValidator(_paths),
    ] = Field(
        ("stack/compose.yaml",),
        description="compose files, relative to the workspace or absolute, later ones over "
        "earlier ones; those of any project will do",
    )
    service: str = Field("model", description="the service of the compose files that is scaled")
    health: Annotated[str, AfterValidator(_health)] = Field(
        "/health",
        description="what is asked whether the service is ready: a path on host, or a URL",
    )
    environment: Annotated[dict[str, str], AfterValidator(_variables)] = Field(
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

    def needs_containers(self) -> list[str]:
        """Return the keys that ask for what only containers can do."""
        return self._set(("compose", "service", "memory_mb"))

    def starts_something(self) -> list[str]:
        """Return the keys that ask for what only a started service can have."""
        return self._set(("compose", "service", "memory_mb", "environment", "gpu_memory_mb"))

    def _set(self, keys: tuple[str, ...]) -> list[str]:
        defaults = Stack()
        return [key for key in keys if getattr(self, key) != getattr(defaults, key)]


class Load(Section):
    """What one user does, and how its requests are made."""

    model: Literal["closed"] = Field(
        "closed", description="closed: a fixed number of users, each waits for its answer"
    )
    locustfile: Annotated[str, AfterValidator(_path)] = Field(
        "locustfile.py", description="the Locust file, relative to the workspace or absolute"
    )
    images: Annotated[str, AfterValidator(_path)] = Field(
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
        description="users started per second, in batches of whole seconds (also: spawn_rate_list)",
        validation_alias=AliasChoices("spawn_rates", "spawn_rate_list"),
    )
    run_time: Annotated[Duration, Field(ge=1, le=86400)] = Field(
        30.0, description="how long one cell is measured, ramp and settling not counted"
    )
    repeats: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        1, description="how often each cell is measured"
    )
    settle: Settle = Field(default_factory=Settle, description="when a cell counts as steady")
    host: Annotated[str | None, AfterValidator(_http_url)] = Field(
        None,
        description="the address that requests go to: where our stack is to listen, or where "
        "another project or an external service does. null: a free loopback port for our stack, "
        "the one published port of another project",
    )
    stack: Stack = Field(default_factory=Stack, description="how the service is started")
    load: Load = Field(default_factory=Load, description="what the users do")
    goals: Goals = Field(default_factory=Goals, description="what `--check` compares with")

    @model_validator(mode="after")
    def _fits_its_driver(self) -> "Profile":
        driver = self.stack.driver
        if driver == "external" and not self.host:
            raise KeyMistakeError(
                ("stack", "driver"), "external needs `host`: where the service runs already"
            )
        if driver == "external" and len(self.models) > 1:
            raise KeyMistakeError(
                ("models",), "one value with stack.driver external, a label: nothing is scaled"
            )
        for key in self.stack.needs_containers() if driver == "local" else ():
            raise KeyMistakeError(
                ("stack", key), "the local driver has no containers; driver compose has"
            )
        for key in self.stack.starts_something() if driver == "external" else ():
            raise KeyMistakeError(
                ("stack", key), "nothing is started with stack.driver external; remove it"
            )
        return self

    def resolved(self) -> dict[str, Any]:
        """Return every key with its value as plain data, as a profile file would hold it."""
        return self.model_dump(mode="json")


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
        case dict():
            return "{}"
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)
