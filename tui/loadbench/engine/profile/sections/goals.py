"""The section `goals` of a profile."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from loadbench.engine.profile.fields import EVENT_NAME, EventName, Pattern, Rate
from loadbench.engine.profile.sections.base import Section

FAILURE_RATIO = "failure_ratio"
REQUEST_GOALS = ("p50", "p90", "p95", "p99", FAILURE_RATIO, "min_rps")
"""Keys of the goals for requests with one name. Percentiles are in ms."""
MEASUREMENT_GOALS = ("p50", "p90", "p95", "p99", "min_p50", "min_p10", "min_p5", "min_p1")
"""Keys of the goals for one measurement, in its unit: maximum and minimum percentiles."""

GOALS_BY_NAME = ("goals.requests", "goals.measurements")
"""Keys with goals by name."""


@dataclass(frozen=True, slots=True)
class GoalsByName:
    """Marks the type of goals by name."""

    goals: tuple[str, ...]
    """The goals that a name may have."""


_EXAMPLE = "{NAME: {p95: 400}}"


def _check_names(keys: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return a function that checks that a value consists of goals with names around them."""

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"expected goals by name: {_EXAMPLE}")  # noqa: TRY004  # pydantic expects ValueError
        for name, goals in value.items():
            if name in keys and not isinstance(goals, dict):
                raise ValueError(f"{name} stands outside of a name. Write it as in {_EXAMPLE}")
        return value

    return check


def _check_mapping(goals: Any) -> Any:
    if not isinstance(goals, dict):
        raise ValueError("expected goals such as {p95: 400}")  # noqa: TRY004  # pydantic expects ValueError
    if not goals:
        raise ValueError("there is no goal below this name. Add one, or remove the name")
    return goals


def _check_goals(keys: tuple[str, ...]) -> Callable[[dict[str, float]], dict[str, float]]:
    """Return a function that checks the keys and limits of the goals of one name."""

    def check(goals: dict[str, float]) -> dict[str, float]:
        errors = [
            InitErrorDetails(type=problem, loc=(key,), input=limit, ctx=context)
            for key, limit in goals.items()
            for problem, context in _errors(key, limit, keys)
        ]
        if errors:
            raise ValidationError.from_exception_data("goals", errors)
        return goals

    return check


def _errors(
    key: str, limit: float, keys: tuple[str, ...]
) -> Iterator[tuple[str | PydanticCustomError, dict[str, float]]]:
    """Yield the types of the errors of a goal, with their contexts."""
    is_ratio = key == FAILURE_RATIO
    if key not in keys:
        yield PydanticCustomError("unknown_goal", f"unknown goal. Goals: {', '.join(keys)}"), {}
    elif is_ratio and limit < 0:
        yield "greater_than_equal", {"ge": 0}
    elif is_ratio and limit > 1:
        yield "less_than_equal", {"le": 1}
    elif not is_ratio and limit <= 0:
        yield "greater_than", {"gt": 0}


RequestGoals = Annotated[
    dict[
        EventName,
        Annotated[
            dict[str, Rate],
            BeforeValidator(_check_mapping),
            AfterValidator(_check_goals(REQUEST_GOALS)),
        ],
    ],
    BeforeValidator(_check_names(REQUEST_GOALS)),
    GoalsByName(REQUEST_GOALS),
    Pattern("", names=EVENT_NAME),
]
MeasurementGoals = Annotated[
    dict[
        EventName,
        Annotated[
            dict[str, Rate],
            BeforeValidator(_check_mapping),
            AfterValidator(_check_goals(MEASUREMENT_GOALS)),
        ],
    ],
    BeforeValidator(_check_names(MEASUREMENT_GOALS)),
    GoalsByName(MEASUREMENT_GOALS),
    Pattern("", names=EVENT_NAME),
]
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
        description="Goals for requests by method and name, or by name, such as "
        "{POST /predict: {p95: 400}}. Goals: p50, p90, p95 and p99 (maximum latency in ms), "
        "failure_ratio and min_rps; {}: no goal",
        json_schema_extra={"comment": "goals by request, such as {POST /predict: {p95: 400}}"},
    )
    measurements: MeasurementGoals = Field(
        default_factory=dict,
        title="Goals by measurement",
        description="Goals for measurements by name, such as {first token: {p95: 400}}, in their "
        "unit. Goals: p50, p90, p95 and p99 (maximum); min_p50, min_p10, min_p5 and min_p1 "
        "(minimum); {}: no goal",
        json_schema_extra={"comment": "goals by measurement, such as {first token: {p95: 400}}"},
    )
