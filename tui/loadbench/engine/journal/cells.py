"""Cells as recorded in a journal: models, the fields of the level, and repeat."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, TypeAdapter

from loadbench.engine.profile.levels import level_of
from loadbench.engine.profile.plan import Cell

_Positive = Annotated[int, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The fields of a recorded cell other than its load level."""

    models: _Positive
    repeat: _Positive = 1
    recheck: bool = False


_PLACE = TypeAdapter(_Place)


def read_cell(fields: Any) -> Cell:
    """Parse a recorded cell.

    Raises:
        ValueError: The fields are invalid, or this version does not know the level.
    """
    if isinstance(fields, Cell):
        return fields
    place = _PLACE.validate_python(fields)
    return Cell(
        models=place.models,
        level=level_of(fields),
        repeat=place.repeat,
        recheck=place.recheck,
    )


def cell_fields(cell: Cell) -> dict[str, Any]:
    """Return the fields that a journal records for a cell."""
    return {
        "models": cell.models,
        **cell.level.fields,
        "repeat": cell.repeat,
        "recheck": cell.recheck,
    }


RecordedCell = Annotated[
    Cell, PlainValidator(read_cell), PlainSerializer(cell_fields, return_type=dict)
]
"""Type of the event fields that hold a cell."""
