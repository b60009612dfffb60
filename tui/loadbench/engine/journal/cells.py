"""Cells as journals record them: models, the fields of the level, repeat. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

from loadbench.engine.profile.levels import level_of
from loadbench.engine.profile.plan import Cell


def read_cell(fields: Any) -> Cell:
    """Return a recorded cell.

    Raises:
        ValueError: It is none that this version knows.
    """
    if isinstance(fields, Cell):
        return fields
    if not isinstance(fields, Mapping) or not isinstance(fields.get("models"), int):
        raise ValueError("a cell has a number of models")  # noqa: TRY004  # pydantic's word for a mistake
    return Cell(
        models=fields["models"],
        level=level_of(fields),
        repeat=int(fields.get("repeat", 1)),
        recheck=bool(fields.get("recheck", False)),
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
