"""A study with its ranking, as views show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from loadbench.engine.run_reader import Run
from loadbench.engine.studies.members import members_of
from loadbench.engine.studies.model import Study
from loadbench.engine.studies.ranking import Ranking, ranking_of


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
