"""Write the page of a run, of a study or of comparisons."""

import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadbench.engine.comparison.model import Comparison
from loadbench.engine.crash import describe_crash, save_traceback
from loadbench.engine.files import write_atomically
from loadbench.engine.requests.measuring import measuring_run
from loadbench.engine.requests.pages import PAGE_NAME, BuiltPage, is_current, is_study, sources_ns
from loadbench.engine.run_reader import RunStatus, read_run
from loadbench.engine.studies.model import read_study
from loadbench.engine.studies.ranked import rank_study
from loadbench.errors import ChartsUnavailableError, RefusedError
from loadbench.page.charts.chart import PageChart
from loadbench.page.charts.compare_charts import comparisons_charts
from loadbench.page.charts.draw import drawn
from loadbench.page.charts.run_charts import run_charts
from loadbench.page.charts.study_charts import study_charts
from loadbench.page.content.compare_page import compare_page
from loadbench.page.content.run_page import run_page
from loadbench.page.content.study_page import study_page
from loadbench.page.render import DrawnCharts, render_comparison, render_run, render_study

_SECOND_NS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageSource:
    """What a page is of."""

    command: str
    """Command that writes it again, without the name of the program."""
    reports: Path
    """The folder of all reports."""
    charts: Callable[[], tuple[PageChart, ...]]
    render: Callable[[DrawnCharts, datetime], str]


def write_page(folder: Path, *, no_charts: str = "") -> BuiltPage:
    """Write `summary.html` into the folder of a run or study.

    While another run of the workspace measures a cell, no charts are drawn, and a page that is
    current is kept.

    Args:
        folder: The folder of the run or study.
        no_charts: Why no charts are drawn. If empty, they are.

    Raises:
        RefusedError: The run is live.
        JournalError: The journal cannot be read, or the page cannot be written.
        StudyError: The study cannot be read.
        DiskFullError: No space is left on the device.
    """
    page, changed_ns = folder / PAGE_NAME, _sources_ns(folder)
    source = _study(folder) if is_study(folder) else _run(folder)
    busy = _busy_note(source, folder)
    if busy and is_current(folder):
        return BuiltPage(page, f"{PAGE_NAME} was kept. {busy}")
    charts = _charts(source, busy or (f"Without charts: {no_charts}" if no_charts else ""))
    text = source.render(charts, datetime.now(UTC))
    write_atomically(page, text.encode("utf-8", "replace"))
    with suppress(OSError):
        # A page without charts is not current, so that it is written again when it is opened.
        changed_ns -= _SECOND_NS if charts.note else 0
        os.utime(page, ns=(changed_ns, changed_ns))
    return BuiltPage(page, charts.note)


def write_comparison(
    page: Path,
    comparisons: Sequence[Comparison],
    reports: Path,
    *,
    missing: Sequence[str] = (),
    no_charts: str = "",
) -> BuiltPage:
    """Write one page of comparisons. Its folder must exist.

    While a run of the workspace measures a cell, no charts are drawn.

    Args:
        page: The page.
        comparisons: The comparisons, at least one.
        reports: The folder of all reports.
        missing: The members of studies that are not compared, as sentences without a full stop.
        no_charts: Why no charts are drawn. If empty, they are.

    Raises:
        LoadbenchError: The page cannot be written.
    """
    runs = dict.fromkeys(side.run.name for one in comparisons for side in (one.before, one.after))
    source = _PageSource(
        command=f"compare {shlex.join((*runs, '--html', str(page)))}",
        reports=reports,
        charts=lambda: comparisons_charts(comparisons),
        render=lambda charts, now: render_comparison(
            compare_page(comparisons, missing), charts, now
        ),
    )
    note = _busy_note(source) or (f"Without charts: {no_charts}" if no_charts else "")
    charts = _charts(source, note)
    text = source.render(charts, datetime.now(UTC))
    write_atomically(page, text.encode("utf-8", "replace"))
    return BuiltPage(page, charts.note)


def _run(folder: Path) -> _PageSource:
    run = read_run(folder)
    if run.status is RunStatus.LIVE:
        raise RefusedError(f"{run.name} is live. Its page is written when it ends")
    return _PageSource(
        command=f"report {shlex.quote(run.name)}",
        reports=folder.parent.parent,
        charts=lambda: run_charts(run),
        render=lambda charts, now: render_run(run_page(run), charts, now),
    )


def _study(folder: Path) -> _PageSource:
    ranked = rank_study(read_study(folder))
    return _PageSource(
        command=f"report {shlex.quote(ranked.study.full_name)}",
        reports=ranked.study.reports,
        charts=lambda: study_charts(ranked),
        render=lambda charts, now: render_study(study_page(ranked), charts, now),
    )


def _busy_note(source: _PageSource, folder: Path | None = None) -> str:
    """Return why charts cannot be drawn now. Empty if they can.

    Args:
        source: What the page is of.
        folder: Folder of a run to ignore.
    """
    measuring = measuring_run(source.reports, folder)
    if measuring is None:
        return ""
    return (
        f"Charts were not drawn, because {measuring} is measuring and drawing would disturb it. To "
        f"draw them when it has ended: loadbench-tui {source.command}"
    )


def _charts(source: _PageSource, note: str) -> DrawnCharts:
    """Draw the charts, unless there are none or a note says why they are not drawn."""
    try:
        found = source.charts()
        if note and found:
            return DrawnCharts(note=note)
        return DrawnCharts(found, drawn(found))
    except ChartsUnavailableError as error:
        return DrawnCharts(note=f"Without charts: {error}")
    except Exception as error:  # noqa: BLE001  # an error in a chart must not cost the page
        save_traceback(error, "page-error.txt")
        return DrawnCharts(note=f"Without charts: {describe_crash(error, None)}")


def _sources_ns(folder: Path) -> int:
    """Return the time of the last change of the sources. 0 if they are missing."""
    try:
        return sources_ns(folder)
    except OSError:
        return 0
