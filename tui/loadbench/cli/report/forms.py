"""The forms in which the command `report` prints, opens or writes the results of a run."""

from collections.abc import Callable
from pathlib import Path

from loadbench.cli import output
from loadbench.cli.report.result import print_result
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.report.export.junit import suite_of_run
from loadbench.engine.report.export.junit_xml import write_junit
from loadbench.engine.report.export.summary import summary_csv, write_summary
from loadbench.engine.report.series import write_series
from loadbench.engine.requests.measuring import measuring_run
from loadbench.engine.requests.pages import PAGE_NAME, build_page, is_current
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.studies.model import Study
from loadbench.engine.studies.ranked import rank_study
from loadbench.errors import (
    JournalError,
    LoadbenchError,
    RefusedError,
    SummaryKeptError,
    UsageError,
)
from loadbench.ui.terminal.opener import open_in_browser


def print_summary(run: Run, print_form: Callable[[Run], None], *, with_page: bool = False) -> None:
    """Rebuild the summary of a run that is not live, and print it in one form.

    Args:
        run: The run.
        print_form: Prints it.
        with_page: Whether to rebuild its page afterwards, too, which takes seconds.
    """
    rebuilt: list[Path] = []
    if run.status is RunStatus.LIVE:
        output.message(f"{run.name} is live; these are the results so far")
    else:
        try:
            rebuilt = write_summary(run.state, run.folder)
        except (SummaryKeptError, JournalError) as error:
            # The results are known all the same, such as those in a read-only archive.
            output.message(f"warning: {error}")
    print_form(run)
    if rebuilt and with_page:
        rebuilt += _rebuild_page(run)
    if rebuilt:
        output.message(f"Rebuilt {', '.join(path.name for path in rebuilt)}")


def _rebuild_page(run: Run) -> list[Path]:
    """Write the page. A failure is only a warning, because the results have been printed."""
    try:
        page = build_page(run.folder)
    except LoadbenchError as error:
        output.message(f"warning: {error}")
        return []
    if page.note:
        output.message(page.note)
    return [page.path]


def print_tables(run: Run) -> None:
    """Print the recommendation and the results as tables."""
    print_result(run, as_json=False)


def print_json(run: Run) -> None:
    """Print the summary as one line of JSON."""
    print_result(run, as_json=True)


def print_csv(run: Run) -> None:
    """Print the summary as CSV."""
    with output.data_file() as file:
        file.write(summary_csv(run.state))


def print_markdown(run: Run) -> None:
    """Print the results as Markdown."""
    from loadbench.page.markdown import markdown_of

    with output.data_file() as file:
        file.write(markdown_of(run))


def print_study_markdown(study: Study) -> None:
    """Print a study as Markdown."""
    from loadbench.page.study_markdown import markdown_of_study

    with output.data_file() as file:
        file.write(markdown_of_study(rank_study(study)))


def print_series(run: Run) -> None:
    """Print every second of every cell as CSV."""
    reader = JournalReader(run.folder)
    with output.data_file() as file:
        write_series(reader.decode_all(reader.lines()), file, main_of(run.state.profile))


def open_page_of_run(run: Run) -> None:
    """Open the page of a run in the browser, and print its path.

    Raises:
        UsageError: The run is live.
        LoadbenchError: The page cannot be written or opened.
    """
    if run.status is RunStatus.LIVE:
        raise UsageError(
            f"{run.name} is live. Its page is written when it ends. To show the run: "
            f"loadbench-tui attach {run.name}"
        )
    open_page(run.folder)


def open_page(folder: Path) -> None:
    """Open the page of a run or study in the browser, and print its path.

    Args:
        folder: The folder of the run or study. A page that is not current is written first.

    Raises:
        LoadbenchError: The page cannot be written or opened.
    """
    path = folder / PAGE_NAME
    if not is_current(folder):
        page = build_page(folder)
        path = page.path
        if page.note:
            output.message(page.note)
    output.data(str(path))
    if open_in_browser(path):
        output.message("Opened in the browser")
    else:
        output.message("No display available. Open the file in a browser")


def write_junit_file(run: Run, file: Path) -> None:
    """Write the cells and goals of a run as JUnit XML, and print the path of the file.

    Args:
        run: The run. If it is live, the file has its results so far.
        file: The file.

    Raises:
        JournalError: The file cannot be written.
    """
    write_junit(file, [suite_of_run(run.state)])
    output.data(str(file))


def write_charts(of: Run | Study, folder: Path, reports: Path) -> None:
    """Write the charts of a run or study into a folder, and print their paths.

    Args:
        of: The run or study.
        folder: The folder. It is created if it does not exist.
        reports: The folder of the workspace's reports.

    Raises:
        RefusedError: A run is measuring, whose results drawing would distort.
        LoadbenchError: The charts cannot be drawn or written.
    """
    if name := measuring_run(reports):
        raise RefusedError(
            f"charts are not drawn while {name} is measuring: that would distort its results. "
            "Draw them when it has ended"
        )
    from loadbench.page.charts.export import export_charts
    from loadbench.page.charts.run_charts import run_charts
    from loadbench.page.charts.study_charts import study_charts

    charts = run_charts(of) if isinstance(of, Run) else study_charts(rank_study(of))
    if not charts:
        raise RefusedError(f"{of.folder}: no results to draw")
    for path in export_charts(charts, folder):
        output.data(str(path))
