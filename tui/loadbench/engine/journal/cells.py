"""Cells as journals record them: models, the fields of the level, repeat. Pure."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from loadbench.engine.profile.levels import level_of
from loadbench.engine.profile.plan import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What a recorded cell says beside its level."""

    models: int
    repeat: int = 1
    recheck: bool = False


_PLACE = TypeAdapter(_Place)


def read_cell(fields: Any) -> Cell:
    """Return a recorded cell.

    Raises:
        ValueError: It is none that this version knows.
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
    """Return what a journal records of a cell."""
    return {
        "models": cell.models,
        **cell.level.fields,
        "repeat": cell.repeat,
        "recheck": cell.recheck,
    }


RecordedCell = Annotated[
    Cell, PlainValidator(read_cell), PlainSerializer(cell_fields, return_type=dict)
]
"""A cell as a field of an event."""
