"""Parsers of Locust's messages about its status and of the responses of its web API.

Each raises a ValueError for data that it does not expect. Use them with `bounds.parsing.parse`.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, FiniteFloat, TypeAdapter
from pydantic_core import from_json

from loadbench.engine.load.protocol import LoadState, Measured
from loadbench.engine.measure.sampling.backed import NameSamples


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A message of Locust about its status. Fields that it does not contain are None or empty."""

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of the web API, which is ready."""
    error: str | None = None
    """Why Locust does not start: a mistake in the locustfile."""
    failure: str | None = None
    """Why the cell with the tag `cell` cannot be measured: a mistake in the locustfile."""
    phase: str | None = None
    """What the locustfile does outside of users, as in `wire`. Empty: no longer anything."""
    cell: str = ""
    """Tag of the cell to which the phase or the failure belongs."""
    place: str = ""
    """Line of the locustfile that is executed."""
    hosts: dict[str, str] = field(default_factory=dict)
    """Hosts that user classes set, but do not keep."""
    notes: tuple[str, ...] | None = None
    """Messages for the user."""


@dataclass(frozen=True, slots=True)
class Swarm:
    """Response to `/swarm`."""

    success: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class _Result:
    """Response to `RESULT_PATH`."""

    window: dict[str, Any]
    exceptions: list[Any]
    user_classes: list[Any]


_REPORT = TypeAdapter(StatusReport)
_SWARM = TypeAdapter(Swarm)
_SECONDS: TypeAdapter[float] = TypeAdapter(FiniteFloat)
_SAMPLES = TypeAdapter(tuple[NameSamples, ...])
_STATE: TypeAdapter[LoadState] = TypeAdapter(LoadState)
_RESULT = TypeAdapter(_Result)
_MEASURED: TypeAdapter[Measured] = TypeAdapter(Measured)


def parse_report(data: bytes) -> StatusReport:
    """Parse a message about the status of Locust."""
    report = _REPORT.validate_python(_json(data))
    parts = report.port, report.error, report.failure, report.phase, report.notes
    if all(part is None for part in parts):
        raise ValueError("none of port, error, failure, phase and notes")
    return report


def parse_swarm(data: bytes) -> Swarm:
    """Parse the response to `/swarm`."""
    return _SWARM.validate_python(_json(data))


def parse_state(data: bytes) -> LoadState:
    """Parse the response to `STATE_PATH`."""
    return _STATE.validate_python(_json(data))


def parse_seconds(data: bytes) -> float:
    """Parse the response to `MEASURE_PATH` or `END_PATH`: start or length of the window."""
    return _SECONDS.validate_python(_json(data))


def parse_samples(data: bytes) -> tuple[NameSamples, ...]:
    """Parse the response to `SAMPLES_PATH`."""
    return _SAMPLES.validate_python(_json(data))


def parse_measured(data: bytes) -> Measured:
    """Parse the response to `RESULT_PATH`."""
    result = _RESULT.validate_python(_json(data))
    return _MEASURED.validate_python(
        {
            **result.window,
            "exceptions": result.exceptions,
            "user_classes": result.user_classes,
        }
    )


def _json(data: bytes) -> Any:
    return from_json(data, allow_inf_nan=False)
