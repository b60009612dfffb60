"""The recommendation of a run, in one line and in full."""

from loadbench.engine.hardware.description import hardware_facts
from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.sentences import (
    answer,
    boundary,
    sentences,
    short_answer,
)
from loadbench.engine.report.recommendation.table import (
    configuration_legend,
    configuration_table,
)
from loadbench.engine.run_reader import Run
from loadbench.ui.lines.target import target_lines, target_of
from loadbench.ui.lines.text import Line, Tone, fit, line, plain, table, width, wrap
from loadbench.wording.recommendation import UNREADABLE
from loadbench.wording.search import search_sentences

_LABEL_COLUMNS = 13


def answer_line(found: Recommendation | None, columns: int) -> Line:
    """Return the recommendation in one line, as much of it as fits.

    Args:
        found: The recommendation. None if the profile of the run is unreadable.
        columns: Width of the line.
    """
    if found is None:
        return ()
    first = answer(found)
    tone = answer_tone(found)
    candidates = [
        line(" ", (first, tone), *(f" {text}" for text in boundary(found))),
        line(" ", (first, tone)),
        line(" ", (answer(found, with_goal=False), tone)),
        line(" ", (short_answer(found, with_value=True) or first, tone)),
    ]
    fitting = next((one for one in candidates if width(one) <= columns), None)
    return fitting or line((fit(f" {first}", columns).rstrip(), tone))


def answer_lines(found: Recommendation, columns: int) -> list[Line]:
    """Return the answer and what happened at the next larger load, wrapped."""
    return wrap(
        line((answer(found), answer_tone(found)), *(f" {text}" for text in boundary(found))),
        columns,
    )


def answer_tone(found: Recommendation) -> Tone:
    """Return the tone of the answer: a warning if no configuration meets the goals."""
    if not found.configurations:
        return Tone.DIM
    return Tone.STRONG if found.best else Tone.WARN


def recommendation_lines(run: Run, columns: int) -> list[Line]:
    """Return the recommendation in full: answer, configurations, reasons and doubts.

    What the run measures and its hardware follow.

    Args:
        run: The run.
        columns: Maximum width of a line. Only the table may be wider.
    """
    found = run.recommendation
    if found is None:
        return wrap(line((UNREADABLE, Tone.WARN)), columns)
    first, *rest = sentences(found)
    lines = wrap(line((first, answer_tone(found))), columns)
    if found.configurations:
        rows = _configurations(found, columns)
        legend = configuration_legend([plain(row) for row in rows])
        lines += [(), *rows, *wrap(line((legend, Tone.DIM)), columns), ()]
    for text in (*rest, *search_sentences(run.state)):
        label, colon, clause = text.partition(": ")
        is_labelled = label == "Next" or label.startswith("Bottleneck")
        pieces = [(f"{label}{colon}", Tone.ACCENT), clause] if is_labelled else [text]
        lines += wrap(line(*pieces), columns, indent=2)
    if found.doubts:
        lines += [(), line(("Doubts", Tone.STRONG))]
        for doubt in found.doubts:
            lines += wrap(line(("! ", Tone.WARN), doubt), columns, indent=2)
    if target := target_of(run.state):
        lines += [(), *target_lines(target, columns, label_columns=_LABEL_COLUMNS)]
    hardware = run.state.started.hardware if run.state.started else {}
    if facts := hardware_facts(hardware):
        lines.append(())
        for label, value in facts:
            heading = (f"{label:<{_LABEL_COLUMNS}}", Tone.DIM)
            lines += wrap(line(heading, value), columns, indent=_LABEL_COLUMNS)
    return lines


def _configurations(found: Recommendation, columns: int) -> list[Line]:
    """Return the table of configurations, in its short form if the full one does not fit."""
    rows: list[Line] = []
    for is_short in (False, True):
        header, body = configuration_table(found, is_short=is_short)
        rows = table(header, body, last_is_text=found.has_goals)
        if max(map(width, rows)) <= columns:
            break
    return rows
