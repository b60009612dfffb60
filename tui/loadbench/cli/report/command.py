"""The command `report`."""

import click

from loadbench.cli import output
from loadbench.errors import SummaryKeptError
from loadbench.workspace import Workspace


@click.command(short_help="Print the recommendation and the results of a run.")
@click.argument("name", required=False, metavar="[RUN]")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one line of JSON.")
@click.option(
    "--series",
    is_flag=True,
    help="Instead of the results table, print CSV with one row per second: users, rate, failures, "
    "percentiles, stages, queue.",
)
@click.pass_obj
def report(workspace: Workspace, name: str | None, as_json: bool, series: bool) -> None:
    """Print the recommendation and the results of RUN; rebuild its summary.csv and summary.json.

    RUN is a run name as listed by `loadbench-tui runs`, a PROFILE (its newest run), the folder of a
    run or a unique label. Default: the newest run.

    RUN can also be the name of a study, such as studies/devices: its ranking is printed, and its
    page is rebuilt.

    For a live RUN, prints the results so far without rebuilding the files.

    \b
    Examples:
      loadbench-tui report
      loadbench-tui report with_cpu --json
      loadbench-tui report with_cpu --series > series.csv
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.cli.report.result import print_result
    from loadbench.cli.report.study import report_study, study_instead_of_run
    from loadbench.engine.catalog import find_run
    from loadbench.engine.journal.reader import JournalReader
    from loadbench.engine.measure.main_request import main_of
    from loadbench.engine.report.export.summary import write_summary
    from loadbench.engine.report.series import write_series
    from loadbench.engine.run_reader import RunStatus

    if not series and (study := study_instead_of_run(name, workspace.reports)):
        report_study(study, as_json=as_json)
        return
    run = find_run(name, workspace.reports)
    if series:
        reader = JournalReader(run.folder)
        with output.data_file() as file:
            main = main_of(run.state.profile)
            write_series(reader.decode_all(reader.lines()), file, main)
        return
    if run.status is RunStatus.LIVE:
        output.message(f"{run.name} is live; these are the results so far")
    else:
        try:
            written = write_summary(run.state, run.folder)
            output.message(f"Rebuilt {', '.join(path.name for path in written)}")
        except SummaryKeptError as error:
            output.message(f"warning: {error}")
    print_result(run, as_json=as_json)
