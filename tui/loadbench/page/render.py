"""Render the templates of pages. All values are made printable and escaped."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loadbench.engine.run_reader import Run
from loadbench.printable import printable


def render_run(run: Run, charts: Mapping[str, str], now: datetime) -> str:
    """Return the page of a run.

    Args:
        run: The run.
        charts: SVG text of each chart by its key.
        now: When the page is written, in UTC.
    """
    return _environment().get_template("run.html.j2").render(run=run, charts=charts, now=now)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("loadbench.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalised,
    )


def _finalised(value: Any) -> Any:
    """Return a value as text that can neither run nor reorder anything. Markup is kept."""
    return value if isinstance(value, Markup) else printable(str(value))
