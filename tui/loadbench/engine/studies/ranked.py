"""A study with its ranking, as views show it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from loadbench.engine.run_reader import Run, journal_stamp
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


class StudyReader:
    """Reads all studies of a workspace, and ranks only those whose runs have changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[object, RankedStudy]] = {}
        """The ranked studies by folder, with what their ranking depends on."""

    def read(
        self, reports: Path, runs: Iterable[Run]
    ) -> tuple[tuple[RankedStudy, ...], tuple[str, ...]]:
        """Return all studies, the latest change first, and the messages of unreadable ones.

        Args:
            reports: The reports folder.
            runs: Its runs, as far as they have been read.
        """
        by_folder = {run.folder: run for run in runs}
        known: dict[Path, tuple[object, RankedStudy]] = {}
        problems = []
        for folder in study_folders(reports):
            try:
                study = read_study(folder)
            except StudyError as error:
                problems.append(str(error))
                continue
            state = study, [_state(study.run_folder(one), by_folder) for one in study.entries]
            before, ranked = self._known.get(folder, (None, None))
            if ranked is None or before != state:
                ranked = rank_study(study, by_folder)
            known[folder] = state, ranked
        self._known = known
        return tuple(ranked for _, ranked in known.values()), tuple(problems)


def _state(folder: Path, by_folder: Mapping[Path, Run]) -> object:
    """Return what a ranking depends on: the results and the status of a run, or its journal."""
    run = by_folder.get(folder)
    return (run.results, run.status, run.state.label) if run else journal_stamp(folder)
