"""The runs of a study, as far as they can be read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from loadbench import paths
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.run_reader import Run, RunReader
from loadbench.engine.studies.model import Study, StudyEntry
from loadbench.errors import JournalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A profile of a study, with its run."""

    entry: StudyEntry
    label: str
    """Name within the study: that of the profile or, if that has several runs, of the run."""
    run: Run | None = None
    """None if it was refused, not started or cannot be read."""
    problem: str = ""
    """Why a started run cannot be read. Empty if it can."""

    @property
    def is_pending(self) -> bool:
        """Whether the profile was neither started nor refused."""
        return not (self.entry.run or self.entry.refused)


def members_of(
    study: Study, known: Mapping[Path, Run] = MappingProxyType({})
) -> tuple[Member, ...]:
    """Return the profiles of a study with their runs, in order.

    A profile that was refused or not started counts only if it has no later entry.

    Args:
        study: The study.
        known: Runs that have been read already, by folder.
    """
    started = Counter(entry.profile for entry in study.entries if entry.run)
    last = {entry.profile: entry for entry in study.entries}
    return tuple(
        _member(study, entry, known, has_others=started[entry.profile] > 1)
        for entry in dict.fromkeys(study.entries)
        if entry.run or entry == last[entry.profile]
    )


def _member(
    study: Study, entry: StudyEntry, known: Mapping[Path, Run], *, has_others: bool
) -> Member:
    if not entry.run:
        return Member(entry=entry, label=entry.profile)
    label = f"{entry.profile}/{entry.run}" if has_others else entry.profile
    folder = study.run_folder(entry)
    run = known.get(folder)
    if run is None and not paths.exists(folder / FILE_NAME):
        problem = f"the run {entry.profile}/{entry.run} was deleted or moved"
        return Member(entry=entry, label=label, problem=problem)
    try:
        # The ranking does not use samples, which make up most of a journal.
        run = run or RunReader(folder, max_samples=0).poll()
    except JournalError as error:
        return Member(entry=entry, label=label, problem=str(error))
    return Member(entry=entry, label=label, run=run)
