"""The keys that resume a run, and the question which of its cells to measure again."""

from typing import Any

from textual.binding import Binding

from loadbench.engine.requests.resumption import cells_to_retry
from loadbench.engine.run_reader import Run
from loadbench.ui.dialogs.question import Question
from loadbench.ui.lines.actions import FINISHING, ResumeKind, resume_kind, retrying
from loadbench.ui.messages import ResumeRun
from loadbench.ui.widgets.screen import BaseScreen

_LABELS = {
    ResumeKind.REMAINING: ("resume", "Resume the run with its remaining cells"),
    ResumeKind.FAILED: ("retry failed", "Measure the failed cells again"),
    ResumeKind.SUSPECT: ("retry suspect", "Measure the suspect and invalid cells again"),
    ResumeKind.EITHER: ("retry", "Measure the failed or the suspect cells again"),
    ResumeKind.NOTHING: ("finish", "Finish the run, whose runner was killed after the last cell"),
}
RESUME_KEYS = tuple(
    Binding("r", f"resume('{kind.value}')", label, tooltip=tooltip)
    for kind, (label, tooltip) in _LABELS.items()
)
"""One key for each `ResumeKind`. A screen enables the one that applies to its run."""


def is_kind(run: Run, parameters: tuple[object, ...]) -> bool:
    """Return whether a key with these parameters applies to a run."""
    return resume_kind(run) in parameters


def resume_run(screen: BaseScreen[Any], run: Run, kind: str) -> None:
    """Open the preview for resuming a run, after asking which cells if there is a choice.

    Args:
        screen: The screen in front.
        run: The run.
        kind: The value of a `ResumeKind`.
    """

    def retry(*, failed: bool = False, suspect: bool = False) -> None:
        keys = cells_to_retry(run.state, failed=failed, suspect=suspect)
        screen.request(ResumeRun(run, again=keys))

    def answered(answer: str | None) -> None:
        if answer:
            retry(failed=answer in "fb", suspect=answer in "sb")

    if kind == ResumeKind.EITHER:
        answers = [("f", "Failed"), ("s", "Suspect"), ("b", "Both")]
        question = Question("Measure which cells again?", retrying(run), answers, safe="Cancel")
        screen.app.push_screen(question, answered)
    elif kind == ResumeKind.NOTHING:
        question = Question("Finish the run?", FINISHING, [("y", "Finish")], safe="Cancel")
        screen.app.push_screen(question, lambda answer: retry() if answer else None)
    else:
        retry(failed=kind == ResumeKind.FAILED, suspect=kind == ResumeKind.SUSPECT)
