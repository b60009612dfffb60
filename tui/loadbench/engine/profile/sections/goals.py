"""The section `goals` of a profile."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from loadbench.engine.profile.fields import Rate
from loadbench.engine.profile.sections.base import Section

REQUEST_GOALS = ("p50", "p90", "p95", "p99", "failure_ratio", "min_rps")
"""Keys of the goals for requests with one name. Percentiles are in ms."""
MEASUREMENT_GOALS = ("p50", "p90", "p95", "p99", "min_p50", "min_p10", "min_p5", "min_p1")
"""Keys of the goals for one measurement, in its unit: maximum and minimum percentiles."""


def _goals_by_name(keys: tuple[str, ...]) -> BeforeValidator:
    """Return a validator of goals by name: a mapping from names to mappings from keys to limits."""

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"expected goals by name, such as {{NAME: {{{keys[2]}: 400}}}}")  # noqa: TRY004  # pydantic expects ValueError
        return {name: _checked_goals(str(name), goals, keys) for name, goals in value.items()}

    return BeforeValidator(check)


def _checked_goals(name: str, goals: Any, keys: tuple[str, ...]) -> dict[str, float]:
    if not name.strip() or not name.isprintable():
        raise ValueError("expected printable names that are not empty")
    if not isinstance(goals, dict) or not goals:
        raise ValueError(f"{name}: expected goals such as {{{keys[2]}: 400}}")
    found: dict[str, float] = {}
    for written, limit in goals.items():
        key = str(written)
        if keys is REQUEST_GOALS:
            key = key.removesuffix("_ms")
        if key not in keys:
            raise ValueError(f"{name}: unknown goal {written}. Known goals are {', '.join(keys)}")
        if key in found:
            raise ValueError(f"{name}: {key} is set twice")
        is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
        if not is_number or not (0 <= limit <= 1 if key == "failure_ratio" else limit > 0):
            raise ValueError(f"{name}: {key}: expected a positive number")
        found[key] = float(limit)
    return found


RequestGoals = Annotated[dict[str, dict[str, float]], _goals_by_name(REQUEST_GOALS)]
MeasurementGoals = Annotated[dict[str, dict[str, float]], _goals_by_name(MEASUREMENT_GOALS)]
GoalMs = Annotated[Rate, Field(gt=0)] | None
"""Type of a goal for a percentile of latency in ms. None means no goal."""


class Goals(Section):
    """Goals for each cell. They decide the recommendation, and with `--check` the exit code."""

    p50_ms: GoalMs = Field(
        None,
        title="p50 (ms)",
        description="Maximum median latency in ms; null: no goal",
        json_schema_extra={"comment": "maximum median latency in ms"},
    )
    p90_ms: GoalMs = Field(
        None,
        title="p90 (ms)",
        description="Maximum 90th percentile of latency in ms; null: no goal",
        json_schema_extra={"comment": "maximum 90th percentile of latency in ms"},
    )
    p95_ms: GoalMs = Field(
        None,
        title="p95 (ms)",
        description="Maximum 95th percentile of latency in ms; null: no goal",
        json_schema_extra={"comment": "maximum 95th percentile of latency in ms"},
    )
    p99_ms: GoalMs = Field(
        None,
        title="p99 (ms)",
        description="Maximum 99th percentile of latency in ms; null: no goal",
        json_schema_extra={"comment": "maximum 99th percentile of latency in ms"},
    )
    failure_ratio: Annotated[Rate, Field(ge=0, le=1)] | None = Field(
        None,
        title="Failure ratio",
        description="Maximum ratio of failed to all requests, 0 to 1; null: no goal",
        json_schema_extra={"comment": "maximum ratio of failed to all requests, 0 to 1"},
    )
    min_rps: Annotated[Rate, Field(gt=0)] | None = Field(
        None,
        title="Minimum throughput (req/s)",
        description="Minimum successful requests per second; null: no goal",
        json_schema_extra={"comment": "minimum successful requests per second"},
    )
    requests: RequestGoals = Field(
        default_factory=dict,
        title="Goals by request",
        description="Goals for requests with one name, such as {POST /predict: {p95: 400}}. Keys: "
        "p50, p90, p95 and p99 (maximum latency in ms), failure_ratio and min_rps",
        json_schema_extra={"comment": "by name of requests, such as {POST /predict: {p95: 400}}"},
    )
    measurements: MeasurementGoals = Field(
        default_factory=dict,
        title="Goals by measurement",
        description="Goals for measurements, such as {first token: {p95: 400}}, in their unit. "
        "Keys: p50, p90, p95 and p99 (maximum); min_p50, min_p10, min_p5 and min_p1 (minimum)",
        json_schema_extra={
            "comment": "by name of a measurement, such as {first token: {p95: 400}}"
        },
    )
