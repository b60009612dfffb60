"""The commands for profiles: `plan`, `validate` and `profiles`. None of them starts a run."""

import textwrap
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadbench.cli import output
from loadbench.cli.completion.names import complete_profile
from loadbench.cli.options import SET_HELP, search_options, search_overrides
from loadbench.errors import LoadbenchError, ProfileError, UsageError
from loadbench.workspace import Workspace

if TYPE_CHECKING:
    from loadbench.engine.measure.sampling.needs import SamplingPlan
    from loadbench.engine.profile.model import Profile
    from loadbench.engine.profile.plan import Cell

_MIN_MEANING_COLUMNS = 30
"""Minimum width of the column `meaning`. If there is less space, lines are not wrapped."""


@dataclass(frozen=True, slots=True)
class CheckedProfile:
    """A profile whose keys and values are valid."""

    cells: str
    """Number of its cells, as a text."""
    note: str
    """Where Locust runs, if that is not the folder of the locustfile. Otherwise empty."""
    problems: tuple[str, ...]
    """What is wrong with the files that it refers to, with locations. Empty if it is valid."""
    warnings: tuple[str, ...]


@click.command(short_help="Show the cells of a profile and the estimated time.")
@click.argument("profile", metavar="PROFILE", shell_complete=complete_profile)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=SET_HELP)
@search_options
@click.pass_obj
def plan(
    workspace: Workspace,
    profile: str,
    overrides: tuple[str, ...],
    find_capacity: bool,
    budget: str | None,
) -> None:
    """Show the cells of a PROFILE, the estimated time and the driver. Nothing is started.

    The time is estimated from earlier runs with the same settings and driver, if there are any.
    The column needs shows how long each cell must last so that p95 and all percentiles with a goal
    have enough requests, from an earlier run or from the think time in the locustfile.

    PROFILE is a name from `loadbench-tui profiles` or the path of a YAML file.

    \b
    Examples:
      loadbench-tui plan with_cpu
      loadbench-tui plan with_cpu --set models=1,2,4 --set repeats=3
      loadbench-tui plan with_cpu --find-capacity --budget 45m
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench import wording
    from loadbench.cli.arguments import hide_secrets
    from loadbench.engine.disk import free_space, lack_of_space
    from loadbench.engine.drivers import registry
    from loadbench.engine.load.sampling import sampling_plan
    from loadbench.engine.load.source.files import check_all_files
    from loadbench.engine.masking import NO_SECRETS
    from loadbench.engine.measure.sampling.needs import sampling_advice, sampling_text
    from loadbench.engine.profile.duration import readable_duration
    from loadbench.engine.profile.loading import find_profile, load_profile
    from loadbench.engine.profile.plan import plan_cells
    from loadbench.engine.profile.values.resolving import resolve_profile
    from loadbench.engine.report.target.facts import target_facts
    from loadbench.engine.requests.holder import find_holder, in_use
    from loadbench.engine.requests.preflight import Preflight
    from loadbench.engine.run.space import needed_space
    from loadbench.engine.run_lookup import runs_of_profile
    from loadbench.engine.run_reader import ended_states, expected_durations
    from loadbench.engine.search.eta import most_cells
    from loadbench.wording.search import duration_text, plan_text
    from loadbench.wording.settling import settling_text

    file = find_profile(profile, workspace.profiles)
    overrides = (*overrides, *search_overrides(find_capacity=find_capacity, budget=budget))
    loaded = load_profile(file, overrides)
    hide_secrets(loaded, overrides)
    cells = plan_cells(loaded)
    preflight: Preflight | None = None
    refusal: LoadbenchError | None = None
    masker, notes = NO_SECRETS, list[str]()
    concrete = loaded
    try:
        resolved = resolve_profile(loaded)
        concrete = resolved.resolved
        masker, notes = resolved.masker, list(resolved.notes())
        with masker.errors():
            check_all_files(workspace, resolved.resolved)
            preflight = registry.preflight(workspace, resolved.resolved)
    except LoadbenchError as error:
        # The plan does not depend on this machine, so it is complete even if the run is refused.
        refusal = error
    ended = ended_states(runs_of_profile(file.stem, workspace.reports))
    sampling = sampling_plan(workspace.root, concrete, ended)
    output.data(_table(loaded, cells, sampling))
    if loaded.is_search:
        output.data("A search measures some of these cells, and repeats the edges of its result.")
    if text := sampling_text(loaded, sampling):
        output.data(f"needs: {masker.text(text)}")
    runs = runs_of_profile(file.stem, workspace.reports)
    driver = preflight.driver if preflight else None
    durations = expected_durations(loaded, runs, driver, sampling.expected_of)
    total = duration_text(loaded, durations)
    source = "estimated from the settings (no comparable run)"
    if durations.runs:
        source = f"from {wording.counted(len(durations.runs), 'earlier run')}"
    output.data(f"\n{plan_text(loaded)}, about {total} in total, {source}")
    if settling := settling_text(loaded):
        output.data(f"Settling: {settling}, included above")
    if loaded.is_search and loaded.search.budget:
        budget = readable_duration(loaded.search.budget)
        output.data(f"The budget ends the search after {budget}.")
    needed = needed_space(loaded, most_cells(loaded))
    output.data(f"Reports: {workspace.reports / file.stem}, up to {needed.num_bytes / 1e6:.0f} MB")
    if advice := sampling_advice(loaded, cells, sampling):
        output.message(f"Warning: {advice}")
    if refusal:
        raise refusal
    assert preflight is not None
    output.data(f"Driver: {preflight.driver} ({masker.text(preflight.reason)})")
    for fact in target_facts(preflight.target) if preflight.target else ():
        output.data(f"{fact.label}: {masker.text(fact.text)}")
    for note in notes:
        output.data(note)
    for warning in preflight.warnings:
        output.message(f"Warning: {masker.text(warning)}")
    if lack := lack_of_space(free_space(workspace.reports), needed, workspace.reports):
        output.message(f"Warning: {lack}")
    if holder := find_holder(preflight.lock, workspace.reports):
        output.message(f"Warning: {in_use(holder)}")


@click.command(short_help="Check profiles for errors.")
@click.argument("names", nargs=-1, metavar="[PROFILE]...", shell_complete=complete_profile)
@click.pass_obj
def validate(workspace: Workspace, names: tuple[str, ...]) -> None:
    """Check profiles for errors. Nothing is started.

    Checks the keys and values of each PROFILE and the files they refer to, and reports every error
    with its file and line. Locustfiles are read, but not executed. Default: all profiles of the
    workspace.

    \b
    Examples:
      loadbench-tui validate
      loadbench-tui validate with_cpu with_gpu
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.engine.profile.loading import find_profile, saved_profiles

    files = [find_profile(name, workspace.profiles) for name in names]
    errors = []
    for file in files or saved_profiles(workspace.profiles):
        try:
            checked = check_profile(workspace, file)
        except ProfileError as error:
            errors.append(str(error))
            continue
        errors += checked.problems
        if not checked.problems:
            output.data(f"{file.stem}: valid, {checked.cells}{checked.note}")
        for warning in checked.warnings:
            output.message(f"{file.stem}: warning: {warning}")
    if errors:
        raise ProfileError("\n".join(errors))


def check_profile(workspace: Workspace, file: Path) -> CheckedProfile:
    """Check a profile and the files it refers to.

    Raises:
        ProfileError: A key or value is invalid, or a variable is not set. The message lists every
            error with its location.
    """
    from loadbench.engine.drivers import registry
    from loadbench.engine.load.source.checks import check_locustfiles
    from loadbench.engine.load.source.files import check_all_files, find_locustfiles
    from loadbench.engine.profile.loading import add_locations, load_profile
    from loadbench.engine.profile.plan import warnings
    from loadbench.engine.profile.values.resolving import resolve_profile
    from loadbench.wording.search import plan_text

    loaded = load_profile(file)
    try:
        resolved = resolve_profile(loaded)
    except ProfileError as error:
        raise ProfileError(add_locations(file, str(error))) from error
    profile, masker = resolved.resolved, resolved.masker
    problems, texts, note = list[str](), warnings(loaded, None), ""
    try:
        check_all_files(workspace, profile)
        texts = [*texts, *registry.validate(workspace, profile)]
    except ProfileError as error:
        problems.append(add_locations(file, masker.text(str(error))))
    with suppress(ProfileError):  # a missing file is among the problems
        found = find_locustfiles(workspace.root, profile.load)
        report = check_locustfiles(found, profile.load, profile.host)
        for one in report.listed("problem"):
            problems.append(f"{file.stem}: {one}" if one.file else add_locations(file, str(one)))
        texts = [*texts, *map(str, report.listed("warning"))]
        note = f"; Locust runs in {found.folder}: {found.reason}" if found.reason else ""
    return CheckedProfile(
        cells=plan_text(loaded),
        note=masker.text(note),
        problems=tuple(map(masker.text, problems)),
        warnings=tuple(map(masker.text, texts)),
    )


@click.command(short_help="List the saved profiles, or all profile keys.")
@click.option(
    "--keys", is_flag=True, help="List all profile keys with their defaults and meanings."
)
@click.option("--schema", is_flag=True, help="Print the JSON schema of profile files, for editors.")
@click.pass_obj
def profiles(workspace: Workspace, keys: bool, schema: bool) -> None:
    """List the saved profiles with their device, batch size, cells and estimated time.

    With --keys or --schema, prints what a profile can contain instead.

    \b
    Examples:
      loadbench-tui profiles
      loadbench-tui profiles --keys
      loadbench-tui profiles --schema > profiles/profile.schema.json
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench import wording
    from loadbench.engine.profile.loading import load_profile, saved_profiles
    from loadbench.engine.profile.schema import schema_text
    from loadbench.engine.run_lookup import runs_of_profile
    from loadbench.engine.run_reader import expected_durations
    from loadbench.wording.search import cells_text, duration_text

    if keys and schema:
        raise UsageError("--keys and --schema cannot be combined")
    if schema:
        output.data(schema_text().rstrip("\n"))
        return
    if keys:
        output.data("\n".join(key_lines(output.columns())))
        return
    header = ("profile", "description", "device", "batch", "cells", "time ")
    body, invalid = [], []
    for file in saved_profiles(workspace.profiles):
        try:
            loaded = load_profile(file)
        except ProfileError as error:
            invalid.append(str(error))
            continue
        runs = runs_of_profile(file.stem, workspace.reports)
        time = duration_text(loaded, expected_durations(loaded, runs))
        sizes = (loaded.device, str(loaded.batch_size), cells_text(loaded))
        body.append((file.stem, loaded.description, *sizes, time))
    if body:
        output.data("\n".join(wording.table(header, body, left=2)))
    elif not invalid:
        output.message(
            f"No profiles in {workspace.profiles}. To create a workspace with four examples, run "
            "`loadbench-tui init DIR`."
        )
    for problem in invalid:
        output.message(f"Invalid profile: {problem}")


def key_lines(columns: int | None) -> list[str]:
    """Return the table of all profile keys as aligned text.

    Args:
        columns: Width at which lines wrap. None disables wrapping.
    """
    from loadbench import wording
    from loadbench.engine.profile.reference import key_rows

    rows = key_rows()
    table = wording.table(("key", "default", "meaning "), rows, left=2)
    indent = table[0].index("meaning")
    if columns is None or columns - indent < _MIN_MEANING_COLUMNS:
        return table
    return [
        line
        for row in table
        for line in textwrap.wrap(
            row, columns, subsequent_indent=" " * indent, break_on_hyphens=False
        )
    ]


def _table(profile: "Profile", cells: "Sequence[Cell]", sampling: "SamplingPlan") -> str:
    """Return planned cells, of which there is at least one, as a table followed by its legend."""
    from loadbench import wording
    from loadbench.engine.measure.sampling.needs import needs_mark
    from loadbench.engine.profile.plan import run_time_text

    run_time = run_time_text(profile)
    unit = cells[0].level.unit
    header = ("cell", "models", unit, "rate", "repeat", "run time", "needs", "report ")
    body = [
        (
            cell.key,
            str(cell.models),
            cell.level.label,
            wording.spawn_rate(cell.level),
            "recheck" if cell.recheck else str(cell.repeat),
            run_time,
            needs_mark(profile, sampling.cells[cell.key]),
            cell.report_name,
        )
        for cell in cells
    ]
    return "\n".join([*wording.table(header, body), wording.RATE_LEGEND])
