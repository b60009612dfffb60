"""Parsers of Locust's startup message and of the responses of its web API.

Each raises a ValueError for data that it does not expect. Use them with `bounds.parsing.parse`.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, FiniteFloat, TypeAdapter
from pydantic_core import from_json

from loadbench.engine.load.protocol import LoadState, Measured


@dataclass(frozen=True, slots=True)
class Started:
    """Startup message: the port of the web API, or an error in the user file."""

    port: Annotated[int, Field(ge=1, le=65535)] = 0
    error: str | None = None


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


_STARTED = TypeAdapter(Started)
_SWARM = TypeAdapter(Swarm)
_BEGIN: TypeAdapter[float] = TypeAdapter(FiniteFloat)
_STATE: TypeAdapter[LoadState] = TypeAdapter(LoadState)
_RESULT = TypeAdapter(_Result)
_MEASURED: TypeAdapter[Measured] = TypeAdapter(Measured)


def parse_started(data: bytes) -> Started:
    """Parse the startup message."""
    started = _STARTED.validate_python(_json(data))
    if started.error is None and not started.port:
        raise ValueError("neither a port nor an error")
    return started


def parse_swarm(data: bytes) -> Swarm:
    """Parse the response to `/swarm`."""
    return _SWARM.validate_python(_json(data))


def parse_state(data: bytes) -> LoadState:
    """Parse the response to `STATE_PATH`."""
    return _STATE.validate_python(_json(data))


def parse_begin(data: bytes) -> float:
    """Parse the response to `MEASURE_PATH`: the start of the window in seconds."""
    return _BEGIN.validate_python(_json(data))


def parse_measured(data: bytes) -> Measured:
    """Parse the response to `RESULT_PATH`."""
    result = _RESULT.validate_python(_json(data))
    return _MEASURED.validate_python({**result.window, "exceptions": result.exceptions})


def _json(data: bytes) -> Any:
    return from_json(data, allow_inf_nan=False)
