"""Find the runs that names on a command line stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.comparison.model import Side
from loadbench.engine.run_lookup import find_run_folder
from loadbench.engine.run_reader import Run, read_run
from loadbench.engine.studies.members import Member, members_of
from loadbench.engine.studies.model import STUDIES, Study, find_study
from loadbench.errors import UsageError

MIN_SIDES = 2


@dataclass(frozen=True, slots=True)
class SidePair:
    """A baseline and a candidate."""

    before: Side
    after: Side


@dataclass(frozen=True, slots=True)
class SelectedSides:
    """The comparisons that a user requested."""

    pairs: tuple[SidePair, ...]
    """At least one."""
    missing: tuple[str, ...] = ()
    """Members of studies that are not compared, as sentences without a full stop."""


def find_sides(names: Sequence[str], reports: Path) -> SelectedSides:
    """Find the runs with these names, and pair them.

    A study stands for its runs, in order. The first run is the baseline of all others. If only
    studies are named, at least two, then the runs of the first one are the baselines of those with
    the same profile in each other one.

    Args:
        names: For each, a number from the list of runs, where 1 is the newest, a study, or any
            name that `find_run_folder` accepts. The name of a run or a profile takes precedence
            over a number. The same run may be named twice.
        reports: The reports folder.

    Raises:
        UsageError: A name matches nothing, or there are fewer than two runs.
        JournalError: A journal cannot be read.
        StudyError: A study cannot be read.
    """
    found = [_find(name, reports) for name in names]
    studies = [one for one in found if isinstance(one, Study)]
    if len(studies) == len(found) >= MIN_SIDES:
        return _by_profile(studies)
    runs: list[Run] = []
    missing: list[str] = []
    for one in found:
        if isinstance(one, Study):
            members = members_of(one)
            runs += [member.run for member in members if member.run]
            missing += [_without_run(one, member) for member in members if not member.run]
        else:
            runs.append(one)
    if len(runs) < MIN_SIDES:
        raise UsageError(
            f"a comparison requires {MIN_SIDES} runs, not {len(runs)}. Specify a baseline and a "
            "candidate, or a study with several runs. To list them: loadbench-tui runs"
        )
    baseline, *others = runs
    return SelectedSides(tuple(side_pair(baseline, other) for other in others), tuple(missing))


def side_pair(before: Run, after: Run) -> SidePair:
    """Return a baseline and a candidate with the shortest names that distinguish them."""
    names = before.folder.parent.name, after.folder.parent.name
    if names[0] == names[1]:
        names = before.name, after.name
    if names[0] == names[1] and before.folder != after.folder:
        names = str(before.folder), str(after.folder)
    return SidePair(Side(name=names[0], run=before), Side(name=names[1], run=after))


def _find(name: str, reports: Path) -> Run | Study:
    # A number is that of a run only if no study has that name.
    is_study = name.startswith(f"{STUDIES}/") or name.isdecimal()
    if is_study and (study := find_study(name, reports)):
        return study
    try:
        return read_run(find_run_folder(name, reports))
    except UsageError:
        if study := find_study(name, reports):
            return study
        raise


def _by_profile(studies: Sequence[Study]) -> SelectedSides:
    """Pair the members of the first study with those of each other one, by profile."""
    first, *others = ((study, _runs(study)) for study in studies)
    pairs: list[SidePair] = []
    missing: list[str] = []
    for study, runs in others:
        for profile in {**first[1], **runs}:
            before, after = first[1].get(profile), runs.get(profile)
            if before and after:
                pairs.append(side_pair(before, after))
            else:
                without = study if before else first[0]
                missing.append(f"{profile} has no results in {without.full_name}")
    if not pairs:
        names = " and ".join(study.full_name for study in studies)
        raise UsageError(f"no profile has results in both {names}")
    return SelectedSides(tuple(pairs), tuple(missing))


def _runs(study: Study) -> dict[str, Run]:
    """Return the latest run of each profile of a study."""
    return {member.entry.profile: member.run for member in members_of(study) if member.run}


def _without_run(study: Study, member: Member) -> str:
    reason = member.problem or member.entry.refused or "it was not started"
    return f"{member.label} has no results in {study.full_name}: {reason.rstrip(' .')}"
