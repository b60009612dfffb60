"""The command `compare`."""

import sys
from pathlib import Path

import click

from loadbench.cli.compare.share import read_share
from loadbench.cli.completion.names import complete_run
from loadbench.cli.options import NewFile, junit_option
from loadbench.errors import LoadbenchError, UsageError
from loadbench.paths import resolved
from loadbench.workspace import Workspace

METRIC_NAMES = ("p50", "p90", "p95", "p99", "rps")


@click.command(short_help="Compare the results of runs, with intervals.")
@click.argument("names", nargs=-1, metavar="BASELINE CANDIDATE...", shell_complete=complete_run)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=click.Choice(METRIC_NAMES),
    help="Show the cells only for this metric, and check only this one with --max-regression. Can "
    "be repeated. Default: all metrics.",
)
@click.option(
    "--threshold",
    "material",
    callback=read_share,
    metavar="CHANGE",
    default="5%",
    help="Smallest change that matters, such as 5% or 0.05. Smaller ones are reported as too small "
    "to matter. Default: 5%.",
)
@click.option(
    "--markdown",
    is_flag=True,
    help="Print Markdown for a job summary or comment on GitHub.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option(
    "--html",
    metavar="FILE",
    type=NewFile(),
    help="Also write a page with the comparison and charts of both runs, for a browser.",
)
@click.option(
    "--max-regression",
    callback=read_share,
    metavar="CHANGE",
    help="Exit with code 1 if a CANDIDATE is worse than the BASELINE by more than this with its "
    "whole interval, such as 10% or 0.1, or if more of its requests fail. With 100% or more, only "
    "latencies and failures count.",
)
@junit_option("the decision on each metric and cell")
@click.pass_obj
def compare(
    workspace: Workspace,
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    material: float,
    markdown: bool,
    as_json: bool,
    html: Path | None,
    max_regression: float | None,
    junit: Path | None,
) -> None:
    """Compare each CANDIDATE with the BASELINE: what differs, and how the results differ.

    Both are a run name as listed by `loadbench-tui runs`, the number of a run in that list (1 is
    the newest), a PROFILE (its newest run), the folder of a run, a unique label, or a study. A
    profile or label that is a number takes precedence over the number of a run.

    A study stands for its runs: the first one is the baseline of the others. If only studies are
    named, the runs of the first study are the baselines of those of the same profiles in the
    others.

    Cells are matched by number of models, users and spawn rate. A difference is shown if its
    interval excludes "no change", with Holm's correction over the cells of a metric. That requires
    repeats of at least half of the cells: run --set repeats=3. See docs/compare.md.

    \b
    Examples:
      loadbench-tui compare with_cpu with_gpu
      loadbench-tui compare 2 1 --metric p95
      loadbench-tui compare studies/devices
      loadbench-tui compare with_cpu "new images" --threshold 10%
      loadbench-tui compare 2 1 --html comparison.html
      loadbench-tui compare 2 1 --max-regression 10% --junit comparison.xml
      loadbench-tui compare 2 1 --max-regression 10% --markdown >> "$GITHUB_STEP_SUMMARY"

    \b
    Exit codes. If several apply, the first in this list is used:
      2    usage error
      3    a run cannot be read, or the output or FILE cannot be written
      141  the reader of the output exited, as with `| head`
      5    the runs are not comparable (with --max-regression)
      6    there are too few repeats for a test (with --max-regression)
      1    a regression (with --max-regression)
      0    success
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.cli import output
    from loadbench.cli.commands import report_output_error
    from loadbench.cli.compare.gate import decide
    from loadbench.cli.compare.text import comparison_text
    from loadbench.cli.exit_codes import exit_for_error, most_important
    from loadbench.engine.comparison.compare import compare_runs
    from loadbench.engine.comparison.gating.gate import gate
    from loadbench.engine.comparison.model import METRICS
    from loadbench.engine.comparison.record import record_of_comparisons
    from loadbench.engine.comparison.sides import find_sides

    if markdown and as_json:
        raise UsageError("--markdown and --json cannot be combined. Use one of them")
    if junit is not None and max_regression is None:
        raise UsageError("--junit requires --max-regression, which decides the test cases")
    if html and junit and resolved(html) == resolved(junit):
        raise UsageError("--html and --junit name the same file. Use two files")
    selected = find_sides(names, workspace.reports)
    found = [compare_runs(pair.before, pair.after, material=material) for pair in selected.pairs]
    shown = [one for one in METRICS if not metrics or one.key.removesuffix("_ms") in metrics]
    exits = []
    try:
        if as_json:
            output.json_line(record_of_comparisons(found, selected.missing))
        elif markdown:
            from loadbench.page.compare_markdown import markdown_of_comparisons

            with output.data_file() as file:
                file.write(markdown_of_comparisons(found, selected.missing, shown))
        else:
            for comparison in found:
                lines = comparison_text(comparison, shown, output.columns())
                output.data("\n".join(["", *lines, ""]))
    except output.OutputError as error:
        # The gate decides all the same, and its file is complete.
        exits.append(report_output_error(error))
    for text in selected.missing:
        output.message(f"warning: {text}")
    if html:
        from loadbench.page.write import write_comparison

        try:
            page = write_comparison(html, found, workspace.reports, missing=selected.missing)
        except LoadbenchError as error:
            output.message(f"cannot write the page {error}")
            exits.append(exit_for_error(error))
        else:
            output.message(f"Wrote {page.path}")
            if page.note:
                output.message(page.note)
    if max_regression is not None:
        results = [gate(comparison, max_regression, shown) for comparison in found]
        exits.append(decide(results, selected.missing, junit))
    sys.exit(most_important(exits))
