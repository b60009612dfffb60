"""Render the templates of pages. All values are made printable and escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loadbench import __version__
from loadbench.page.charts.chart import PageChart
from loadbench.page.charts.palette import DARK, LIGHT
from loadbench.page.content.compare_page import ComparePage
from loadbench.page.content.run_page import RunPage
from loadbench.page.content.study_page import StudyPage
from loadbench.page.content.times import minute_text
from loadbench.printable import printable


@dataclass(frozen=True, slots=True)
class DrawnCharts:
    """The charts of a page."""

    charts: Sequence[PageChart] = ()
    drawn: Mapping[str, str] | None = None
    """SVG of each chart by its key. None if the charts were not drawn."""
    note: str = ""
    """Why they were not drawn. Empty if they were."""

    @property
    def figures(self) -> list[dict[str, Any]]:
        """The drawn charts for the template."""
        drawn = self.drawn or {}
        return [
            {
                "key": one.key,
                "title": one.title,
                "caption": one.caption,
                "svg": Markup(drawn[one.key]),  # noqa: S704  # `draw` escapes all texts in it
            }
            for one in self.charts
            if one.key in drawn
        ]


def load_run_templates() -> None:
    """Compile the templates of the page of a run before it is rendered."""
    for name in _environment().list_templates(["j2"]):
        if not name.startswith(("study", "compare")):
            _environment().get_template(name)


def render_run(page: RunPage, charts: DrawnCharts, now: datetime) -> str:
    """Return the page of a run as HTML.

    Args:
        page: Its content.
        charts: Its charts.
        now: When the page is written, in UTC.
    """
    return _render("run.html.j2", page=page, charts=charts, now=now)


def render_study(page: StudyPage, charts: DrawnCharts, now: datetime) -> str:
    """Return the page of a study as HTML. The arguments are those of `render_run`."""
    return _render("study.html.j2", page=page, charts=charts, now=now)


def render_comparison(page: ComparePage, charts: DrawnCharts, now: datetime) -> str:
    """Return a page of comparisons as HTML. The arguments are those of `render_run`."""
    return _render("compare.html.j2", page=page, charts=charts, now=now)


def _render(name: str, *, page: object, charts: DrawnCharts, now: datetime) -> str:
    return (
        _environment()
        .get_template(name)
        .render(
            page=page,
            charts=charts.figures,
            charts_note=charts.note,
            light=_variables(LIGHT),
            dark=_variables(DARK),
            version=__version__,
            written_at=minute_text(now),
        )
    )


def _variables(values: Mapping[str, str]) -> str:
    """Return CSS variables as declarations."""
    return " ".join(f"{name}: {value};" for name, value in values.items())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("loadbench.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalised,
    )
    # Unlike Jinja's own filter, it returns a text that is not escaped yet, which is finalised.
    environment.filters["joined"] = lambda texts, separator: separator.join(texts)
    return environment


def _finalised(value: Any) -> Any:
    """Return a value as text that can neither run nor reorder anything. Markup is kept."""
    return value if isinstance(value, Markup) else printable(str(value))
