"""The section `search` of a profile."""

from typing import Annotated, Final, Literal

from pydantic import Field

from loadbench.engine.profile.fields import Duration
from loadbench.engine.profile.sections.base import Section

GRID: Final = "grid"
BISECTION: Final = "bisection"
"""Values of `search.strategy`."""


class Search(Section):
    """Which cells of the grid a run measures."""

    strategy: Literal["grid", "bisection"] = Field(
        GRID,
        title="Search strategy",
        description="grid: measure every cell. bisection: for each number of models, search the "
        "largest number of users that meets the goals; requires a goal",
        json_schema_extra={"comment": "grid: every cell; bisection: search the capacity"},
    )
    budget: Annotated[Duration, Field(ge=1, le=604800)] | None = Field(
        None,
        title="Search budget",
        description="Maximum time of a search, from its start or resumption to its last cell, "
        "without the teardown. null: no limit",
        json_schema_extra={"comment": "maximum time of a search, such as 45m; null: no limit"},
    )
