"""A study with its ranking, as views show it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from loadbench.engine.run_reader import Run
from loadbench.engine.studies.members import members_of
from loadbench.engine.studies.model import Study, read_study, study_folders
from loadbench.engine.studies.ranking import Ranking, ranking_of
from loadbench.errors import StudyError


@dataclass(frozen=True, slots=True)
class RankedStudy:
    """A study and the ranking of its configurations."""

    study: Study
    ranking: Ranking


def rank_study(study: Study, known: Mapping[Path, Run] = MappingProxyType({})) -> RankedStudy:
    """Read the runs of a study and rank their configurations.

    Args:
        study: The study.
        known: Runs that have been read already, by folder.
    """
    return RankedStudy(study, ranking_of(members_of(study, known)))


def rank_studies(
    reports: Path, runs: Iterable[Run]
) -> tuple[tuple[RankedStudy, ...], tuple[str, ...]]:
    """Return all studies, the latest change first, and the error messages of unreadable ones.

    Args:
        reports: The reports folder.
        runs: Its runs, as far as they have been read.
    """
    known = {run.folder: run for run in runs}
    studies, problems = [], []
    for folder in study_folders(reports):
        try:
            studies.append(rank_study(read_study(folder), known))
        except StudyError as error:
            problems.append(str(error))
    return tuple(studies), tuple(problems)
