"""The commands about profiles: `plan`, `validate`, `profiles`. They start nothing."""

import click

from loadbench.cli.options import SET_HELP
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace


@click.command(short_help="Show what a PROFILE would measure; start nothing.")
@click.argument("profile")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=SET_HELP)
@click.pass_obj
def plan(workspace: Workspace, profile: str, overrides: tuple[str, ...]) -> None:
    """Show the cells of a PROFILE and the time they take; start nothing."""
    from loadbench import wording
    from loadbench.engine.drivers import registry
    from loadbench.engine.profile.duration import readable_duration
    from loadbench.engine.profile.loading import check_files, find_profile, load_profile
    from loadbench.engine.profile.plan import REPORT_BYTES, estimate_s, plan_cells

    file = find_profile(profile, workspace.profiles)
    loaded = load_profile(file, overrides)
    check_files(workspace, loaded)
    found = registry.preflight(workspace, loaded)
    cells = plan_cells(loaded)
    header = ("cell", "models", cells[0].level.unit, "rate", "repeat", "report ")
    body = [
        (
            cell.key,
            str(cell.models),
            cell.level.label,
            wording.spawn_rate(cell.level),
            "again" if cell.recheck else str(cell.repeat),
            cell.report_name,
        )
        for cell in cells
    ]
    click.echo("\n".join([*wording.table(header, body), wording.RATE_LEGEND]))
    total = readable_duration(estimate_s(loaded, cells))
    click.echo(f"\n{wording.counted(len(cells), 'cell')}, about {total} in all")
    megabytes = max(1, round(len(cells) * REPORT_BYTES / 1e6))
    click.echo(f"reports: {workspace.reports / file.stem}, about {megabytes} MB")
    click.echo(f"driver: {found.driver} ({found.reason})")
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)


@click.command()
@click.argument("names", nargs=-1, metavar="[PROFILE]...")
@click.pass_obj
def validate(workspace: Workspace, names: tuple[str, ...]) -> None:
    """Check profiles, all of them if none is named; start nothing."""
    from loadbench import wording
    from loadbench.engine.drivers import registry
    from loadbench.engine.profile.loading import (
        check_files,
        find_profile,
        load_profile,
        placed,
        saved_profiles,
    )
    from loadbench.engine.profile.plan import plan_cells, warnings

    files = [find_profile(name, workspace.profiles) for name in names]
    mistakes = []
    for file in files or saved_profiles(workspace.profiles):
        try:
            loaded = load_profile(file)
        except ProfileError as error:
            mistakes.append(str(error))
            continue
        try:
            check_files(workspace, loaded)
            doubts = registry.validate(workspace, loaded)
        except ProfileError as error:
            mistakes.append(placed(file, str(error)))
            continue
        click.echo(f"{file.stem}: valid, {wording.counted(len(plan_cells(loaded)), 'cell')}")
        for warning in [*warnings(loaded, None), *doubts]:
            click.echo(f"{file.stem}: warning: {warning}", err=True)
    if mistakes:
        raise ProfileError("\n".join(mistakes))


@click.command()
@click.option("--keys", is_flag=True, help="Print every key that a profile may have.")
@click.pass_obj
def profiles(workspace: Workspace, keys: bool) -> None:
    """List the saved profiles."""
    from loadbench import wording
    from loadbench.engine.profile.duration import readable_duration
    from loadbench.engine.profile.loading import load_profile, saved_profiles
    from loadbench.engine.profile.model import key_reference
    from loadbench.engine.profile.plan import estimate_s, plan_cells

    if keys:
        click.echo(key_reference())
        return
    header = ("profile", "description", "device", "batch", "cells", "about ")
    body, broken = [], []
    for file in saved_profiles(workspace.profiles):
        try:
            loaded = load_profile(file)
        except ProfileError as error:
            broken.append(str(error))
            continue
        cells = plan_cells(loaded)
        about = readable_duration(estimate_s(loaded, cells))
        sizes = (loaded.device, str(loaded.batch_size), str(len(cells)))
        body.append((file.stem, loaded.description, *sizes, about))
    if body:
        click.echo("\n".join(wording.table(header, body, left=2)))
    elif not broken:
        click.echo(f"{workspace.profiles} holds no profile; `init DIR` brings four", err=True)
    for mistake in broken:
        click.echo(f"not valid: {mistake}", err=True)
