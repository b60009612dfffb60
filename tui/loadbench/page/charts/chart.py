"""A chart: the question that it answers, and a Vega-Lite specification."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loadbench.page.charts.palette import ChartPalette

Spec = dict[str, Any]
"""A Vega-Lite specification, https://vega.github.io/vega-lite/docs/spec.html."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageChart:
    """A chart that answers one question."""

    key: str
    """Unique in its page: the id of the figure, the prefix of ids in its SVG, and the file name."""
    title: str
    """Title in sentence case, such as `Latency against load`."""
    caption: str = ""
    """How to read the chart, in one or two sentences. Empty if the title is enough."""
    spec: Callable[[ChartPalette], Spec]
    """Returns the specification in some colours."""
