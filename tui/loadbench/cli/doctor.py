"""The command `doctor`."""

import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from loadbench.cli import output
from loadbench.cli.exit_codes import Exit
from loadbench.workspace import Workspace

if TYPE_CHECKING:
    from loadbench.engine.run.doctor import Check


@click.command(short_help="Check that this machine, or a profile's project, is ready.")
@click.argument("profile", required=False, metavar="[PROFILE]")
@click.pass_obj
def doctor(workspace: Workspace, profile: str | None) -> None:
    """Check that this machine can run benchmarks, or that a project is ready for its PROFILE.

    Without PROFILE, checks Python, the machine, the packages of the embedded service and of charts,
    Docker, GPUs, the workspace, its profiles, and the folders for reports and locks.

    With PROFILE, checks the profile, its locustfile and its Compose project: compose files,
    services, where requests go, the health check, builds, images, external networks and volumes.
    Shows what a run would start and change, and the profile lines that correct problems. Nothing is
    started, and the locustfile is not executed.

    Prints one line per check, marked ok, warning or problem. Exits with code 3 if there is a
    problem.

    \b
    Examples:
      loadbench-tui doctor
      loadbench-tui doctor with_cpu
      loadbench-tui --workspace benchmarks doctor
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    if profile is not None:
        _check_project(workspace, profile)
        return
    from loadbench.engine.run.doctor import run_checks

    _print_checks(run_checks(workspace))
    output.message("No problems found. Next: loadbench-tui run demo")


def _check_project(workspace: Workspace, name: str) -> None:
    from loadbench.engine.run.project_doctor.checks import check_project

    report = check_project(workspace, name)
    lines = [f"To correct it, write in {report.file}:"] if report.lines else []
    _print_checks(report.checks, after=[*lines, *_nested(report.lines)])
    found = "No problems found, only warnings" if lines else "No problems found"
    output.message(f"{found}. Next: loadbench-tui run {shlex.quote(name)}")


def _nested(lines: Iterable[str]) -> list[str]:
    """Return profile lines with dotted keys, such as `stack.port: 80`, as they stand in a file."""
    nested: dict[str, list[str]] = {}
    for line in lines:
        key, _, value = line.partition(": ")
        section, _, last = key.rpartition(".")
        nested.setdefault(section, []).append(f"{last}: {value}")
    return [
        text
        for section, inner in nested.items()
        for text in ([f"{section}:", *(f"  {line}" for line in inner)] if section else inner)
    ]


def _print_checks(checks: "Iterable[Check]", *, after: Sequence[str] = ()) -> None:
    """Print checks and further lines. Exit with code 3 if there is a problem."""
    from loadbench import wording

    listed = list(checks)
    body = [(check.level, check.subject, check.text) for check in listed]
    output.data("\n".join(wording.table(("", "", " "), body, left=2)[1:]))
    if after:
        output.data("\n" + "\n  ".join(after))
    if problems := [check for check in listed if check.level == "problem"]:
        output.message(f"{wording.counted(len(problems), 'problem')} found")
        sys.exit(Exit.FAILED)
