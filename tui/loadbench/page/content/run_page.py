"""Everything on the page of a run."""

from dataclasses import dataclass

import yaml

from loadbench.engine.journal.state import RunState
from loadbench.engine.report.damage import damage_phrase
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.sentences import sentences
from loadbench.engine.report.recommendation.table import (
    configuration_legend,
    configuration_table,
)
from loadbench.engine.report.target.facts import Fact
from loadbench.engine.run_reader import Run
from loadbench.page.content.cells import cells_table, repeats_table
from loadbench.page.content.facts import FactGroup, fact_groups
from loadbench.page.content.failures import (
    CellsRemark,
    errors_table,
    failures,
    findings,
    skipped,
)
from loadbench.page.content.tables import PageTable, text_table
from loadbench.page.content.times import time_text
from loadbench.wording import ending_sentence, outcome_line
from loadbench.wording.measurements import measurements_header_and_rows
from loadbench.wording.recommendation import UNREADABLE
from loadbench.wording.search import search_sentences

_PROFILE_WIDTH = 100
"""Characters after which a line of the profile is folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Everything on the page of a run. Empty values are left out of the page."""

    name: str
    """Profile and id of the run."""
    label: str
    status: str
    started_at: str
    outcome: str
    """Number of cells by outcome."""
    ending: str
    """Why a run was stopped or aborted, as a sentence. Empty if all cells have ended."""
    answer: str
    """The recommendation in one sentence."""
    sentences: tuple[str, ...]
    """The sentences after the answer."""
    doubts: tuple[str, ...]
    goals: tuple[str, ...]
    """The goals as conditions."""
    configurations: PageTable | None
    cells: PageTable
    repeats: PageTable | None
    drift: str
    measurements: PageTable | None
    findings: tuple[CellsRemark, ...]
    failures: tuple[CellsRemark, ...]
    skipped: tuple[CellsRemark, ...]
    errors: PageTable | None
    messages: tuple[Fact, ...]
    """The messages with their times."""
    facts: tuple[FactGroup, ...]
    overrides: tuple[str, ...]
    profile: str
    """The profile as YAML, with masked secrets."""
    damage: str

    @property
    def has_problems(self) -> bool:
        """Whether anything is shown under problems."""
        found = (self.findings, self.failures, self.skipped, self.errors, self.damage)
        return any(map(bool, found))


def run_page(run: Run) -> RunPage:
    """Return the content of the page of a run that has ended."""
    state, found = run.state, run.recommendation
    started = state.started
    assert started is not None
    texts = sentences(found) if found else (UNREADABLE, state.profile_problem)
    drift = drift_of(state)
    return RunPage(
        name=run.name,
        label=state.label,
        status=run.status.value,
        started_at=time_text(state.started_at),
        outcome=outcome_line(state),
        ending=ending_sentence(state),
        answer=texts[0],
        sentences=(*texts[1:], *search_sentences(state)),
        doubts=tuple(f"{doubt}." for doubt in found.doubts) if found else (),
        goals=_goals(run, found) if found else (),
        configurations=_configurations(found),
        cells=cells_table(run),
        repeats=repeats_table(run),
        drift=drift.sentence if drift else "",
        measurements=_measurements(state),
        findings=findings(run),
        failures=failures(state),
        skipped=skipped(state),
        errors=errors_table(state),
        messages=tuple(Fact(time_text(one.at), one.text) for one in state.messages),
        facts=fact_groups(state),
        overrides=started.overrides,
        profile=yaml.safe_dump(
            started.profile, sort_keys=False, allow_unicode=True, width=_PROFILE_WIDTH
        ),
        damage=damage_phrase(state),
    )


def _goals(run: Run, found: Recommendation) -> tuple[str, ...]:
    """Return the goals as conditions, with the units of measurements as far as they are known."""
    units = {check.goal.key: check.unit for row in run.rows for check in row.checks if check.unit}
    goals = all_goals(found.goals, found.main)
    return tuple(goal.text(units.get(goal.key, "")) for goal in goals)


def _configurations(found: Recommendation | None) -> PageTable | None:
    if found is None or not found.configurations:
        return None
    header, rows = configuration_table(found)
    legend = configuration_legend([" ".join(header), *(" ".join(row) for row in rows)])
    last = len(header) - 1
    return text_table(
        header, rows, left=(0, last), wrapped=(last,), legend=[legend] if legend else []
    )


def _measurements(state: RunState) -> PageTable | None:
    header, rows, legend = measurements_header_and_rows(state)
    return text_table(header, rows, left=(0, 1, 2), legend=legend) if rows else None
