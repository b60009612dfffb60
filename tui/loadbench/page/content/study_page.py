"""Everything on the page of a study."""

from dataclasses import dataclass
from urllib.parse import quote

from loadbench.engine.report.recommendation.sentences import short_answer
from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.engine.run_reader import Run
from loadbench.engine.studies.doubts import doubts
from loadbench.engine.studies.members import Member
from loadbench.engine.studies.ranked import RankedStudy
from loadbench.engine.studies.sentences import sentences
from loadbench.engine.studies.table import num_left, ranking_legend, ranking_table
from loadbench.page.content.cells import cells_table
from loadbench.page.content.facts import FactGroup, fact_groups
from loadbench.page.content.tables import Mood, PageTable, Value, text_table
from loadbench.page.content.times import time_text
from loadbench.paths import is_file
from loadbench.wording import outcome_line


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRun:
    """A run of a study, with what its own page has in addition to its recommendation."""

    name: str
    cells: PageTable
    facts: tuple[FactGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPage:
    """Everything on the page of a study. Empty values are left out of the page."""

    name: str
    created_at: str
    answer: str
    """The ranking in one sentence."""
    sentences: tuple[str, ...]
    """The sentences after the answer."""
    doubts: tuple[str, ...]
    configurations: PageTable | None
    profiles: PageTable
    runs: tuple[StudyRun, ...]


def study_page(ranked: RankedStudy) -> StudyPage:
    """Return the content of the page of a study."""
    study, ranking = ranked.study, ranked.ranking
    first, *rest = sentences(ranking)
    return StudyPage(
        name=study.full_name,
        created_at=time_text(study.created_at),
        answer=first,
        sentences=tuple(rest),
        doubts=tuple(f"{doubt}." for doubt in doubts(ranking)),
        configurations=_configurations(ranked),
        profiles=_profiles(ranking.members),
        runs=tuple(
            StudyRun(
                name=member.run.name,
                cells=cells_table(member.run, _base(member.run)),
                facts=fact_groups(member.run.state),
            )
            for member in ranking.members
            if member.run
        ),
    )


def _configurations(ranked: RankedStudy) -> PageTable | None:
    header, rows = ranking_table(ranked.ranking)
    if not rows:
        return None
    legend = ranking_legend([text for row in rows for text in row])
    texts = (i for i, name in enumerate(header) if name.endswith(" "))
    left = (*range(num_left(header)), *texts)
    return text_table(header, rows, left=left, legend=[f"{legend}."] if legend else [])


def _profiles(members: tuple[Member, ...]) -> PageTable:
    header = ("profile", "run", "status", "cells", "result")
    return PageTable(
        header=header,
        rows=tuple(map(_profile, members)),
        left=frozenset(range(len(header))),
        wrapped=frozenset((len(header) - 1,)),
    )


def _profile(member: Member) -> tuple[Value, ...]:
    run, entry = member.run, member.entry
    if run is None:
        why, mood = "not started", Mood.DIM
        if entry.refused:
            why, mood = "✗ refused", Mood.BAD
        elif member.problem:
            why, mood = "✗ no results", Mood.BAD
        return (
            Value(entry.profile),
            Value(entry.run or "-"),
            Value(why, mood),
            Value("-"),
            Value(entry.refused or member.problem),
        )
    found = run.recommendation
    has_page = is_file(run.folder / PAGE_NAME)
    return (
        Value(entry.profile),
        Value(run.folder.name, href=f"{_base(run)}{PAGE_NAME}" if has_page else ""),
        Value(run.status.value),
        Value(outcome_line(run.state)),
        Value(short_answer(found, with_value=True) if found else run.state.profile_problem),
    )


def _base(run: Run) -> str:
    """Return the address of the folder of a run, relative to the folder of a study."""
    return f"../../{quote(run.folder.parent.name)}/{quote(run.folder.name)}/"
