"""The command `report`."""

from pathlib import Path

import click

from loadbench.cli.completion.names import complete_run
from loadbench.cli.options import NewFolder, junit_option
from loadbench.errors import UsageError
from loadbench.workspace import Workspace


@click.command(short_help="Print the recommendation and the results of a run; open its page.")
@click.argument("name", required=False, metavar="[RUN]", shell_complete=complete_run)
@click.option(
    "--open",
    is_flag=True,
    help="Open summary.html in the browser and print its path. Without a display, only print it.",
)
@click.option(
    "--markdown",
    is_flag=True,
    help="Print the recommendation and tables as Markdown for a job summary or comment on GitHub.",
)
@click.option("--json", is_flag=True, help="Print the summary as one line of JSON.")
@click.option("--csv", is_flag=True, help="Print the summary as CSV with one row per cell.")
@click.option(
    "--series",
    is_flag=True,
    help="Print CSV with one row per second: users, rate, failures, percentiles, stages, queue.",
)
@click.option(
    "--charts",
    metavar="DIR",
    type=NewFolder(),
    help="Write the charts as SVG and PNG into DIR and print their paths.",
)
@junit_option("the cells and goals of RUN")
@click.pass_obj
def report(
    workspace: Workspace,
    /,
    name: str | None,
    charts: Path | None,
    junit: Path | None,
    **flags: bool,
) -> None:
    """Print the recommendation and the results of RUN; rebuild its summary and its page.

    RUN is a run name or number as listed by `loadbench-tui runs` (1 is the newest), a PROFILE (its
    newest run), the folder of a run or a unique label. Default: the newest run.

    RUN can also be the name of a study, such as studies/devices: its ranking is printed, and its
    page is rebuilt. --csv, --series and --junit require a run.

    Without options, rebuilds summary.csv, summary.json and summary.html. --markdown, --json and
    --csv rebuild only the first two, which is faster; --open rebuilds only summary.html, if the run
    has changed since it was written. Only one option can be used at a time.

    For a live RUN, prints the results so far without rebuilding any file.

    \b
    Examples:
      loadbench-tui report
      loadbench-tui report with_cpu --open
      loadbench-tui report with_cpu --json
      loadbench-tui report with_cpu --markdown >> "$GITHUB_STEP_SUMMARY"
      loadbench-tui report with_cpu --series > series.csv
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.cli.report import forms
    from loadbench.cli.report.study import report_study, study_instead_of_run
    from loadbench.engine.run_lookup import find_run

    given = [f"--{flag}" for flag, is_given in flags.items() if is_given]
    files = {"--charts": charts, "--junit": junit}
    given += [option for option, file in files.items() if file is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot be combined. Use one of them")
    form = given[0] if given else ""
    if study := study_instead_of_run(name, workspace.reports):
        match form:
            case "--open":
                forms.open_page(study.folder)
            case "--charts" if charts is not None:
                forms.write_charts(study, charts, workspace.reports)
            case "--markdown":
                forms.print_study_markdown(study)
            case "" | "--json":
                report_study(study, as_json=bool(form))
            case _:
                raise UsageError(f"{form} requires a run, but {study.full_name} is a study")
        return
    run = find_run(name, workspace.reports)
    match form:
        case "--open":
            forms.open_page_of_run(run)
        case "--charts" if charts is not None:
            forms.write_charts(run, charts, workspace.reports)
        case "--junit" if junit is not None:
            forms.write_junit_file(run, junit)
        case "--series":
            forms.print_series(run)
        case "--markdown":
            forms.print_summary(run, forms.print_markdown)
        case "--json":
            forms.print_summary(run, forms.print_json)
        case "--csv":
            forms.print_summary(run, forms.print_csv)
        case _:
            forms.print_summary(run, forms.print_tables, with_page=True)
