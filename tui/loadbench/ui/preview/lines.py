"""The text of a preview, which shows what a run would do."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.requests.holder import Holder
from loadbench.engine.requests.launch import RunPlan
from loadbench.engine.run_reader import Run, expected_durations
from loadbench.ui.lines.run import when
from loadbench.ui.lines.target import target_lines
from loadbench.ui.lines.text import Line, Tone, line, wrap
from loadbench.wording import IN_BATCHES, counted
from loadbench.wording.search import duration_text, plan_text

_LABEL_COLUMNS = 12
_LABELS = {"users": "Users", "spawn_rate": "Spawn rate"}
"""Labels of the fields of a level."""
_UNITS = {"spawn_rate": f" users/s, {IN_BATCHES}"}
"""Text after the values of a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedRun:
    """A run that has not been started yet, as described by its profile."""

    name: str
    """The name of the profile, or of the run to resume."""
    profile: Profile
    cells: tuple[Cell, ...]
    """The cells to measure."""
    resume_summary: str = ""
    """What resuming the run would do. Empty for a new run."""
    earlier: Sequence[Run] = ()
    """The runs of the profile, newest first, from which the duration is estimated."""
    remaining: str = ""
    """The remaining time of a search that is resumed. Empty for other runs."""


def preview_lines(
    previewed: PreviewedRun,
    plan: RunPlan | None,
    columns: int,
    *,
    refusal: str = "",
    busy: str = "",
    is_brief: bool = False,
) -> list[Line]:
    """Return the preview of a run, as aligned labels and values.

    Args:
        previewed: The run to preview.
        plan: The runner's answer, or None if it has not arrived yet.
        columns: Maximum width of a line.
        refusal: Why the run cannot start. Empty if it can, or if the runner has not answered yet.
        busy: What the dialog is waiting for. Empty if it is not waiting.
        is_brief: Whether to leave out the settings, because a form shows them.
    """
    lines: list[Line] = []
    if previewed.resume_summary:
        lines += [*wrap(line((previewed.resume_summary, Tone.STRONG)), columns), ()]
    if plan and plan.holder:
        lines += _fact("In use", _use(plan.holder), columns, Tone.WARN)
        lines += _fact("", "Enter: attach to it, start after it, or stop it", columns)
    if refusal:
        lines += [*_refusal_lines(previewed, refusal, columns), ()]
    facts = _cell_facts(previewed.cells)
    if previewed.profile.is_search and not previewed.resume_summary:
        facts[0] = ("Cells", plan_text(previewed.profile))
    for label, value in facts[:1] if is_brief else facts:
        lines += _fact(label, value, columns)
    lines += _fact("Duration", _duration(previewed, plan), columns)
    if plan and plan.too_short:
        lines += _fact("Warning", plan.too_short, columns, Tone.WARN)
    elif plan and plan.sampling:
        lines += _fact("Needed", plan.sampling, columns)
    if plan:
        preflight = plan.preflight
        lines += _fact("Driver", f"{preflight.driver}: {preflight.reason}", columns)
        for warning in preflight.warnings:
            lines += _fact("Warning", warning, columns, Tone.WARN)
        if preflight.target:
            lines += target_lines(preflight.target, columns, label_columns=_LABEL_COLUMNS)
        for note in plan.notes:
            lines += _fact("Secrets", note, columns)
        needed_mb, free_gb = plan.needed_bytes / 1e6, plan.free_bytes / 1e9
        lines += _fact("Disk", f"up to {needed_mb:.0f} MB, {free_gb:.1f} GB free", columns)
        if plan.lack_of_space:
            lines += _fact("Warning", plan.lack_of_space, columns, Tone.WARN)
    if busy:
        lines.append(line((busy, Tone.DIM)))
    return lines


def _refusal_lines(previewed: PreviewedRun, refusal: str, columns: int) -> list[Line]:
    """Return why a run cannot start, and what to do."""
    lines = [
        part for reason in refusal.splitlines() for part in wrap(line((reason, Tone.BAD)), columns)
    ]
    again = "resume the run again" if previewed.resume_summary else "press Enter again"
    advice = f"Nothing was started. Fix the problem, then {again}."
    return [*lines, *wrap(line(advice), columns)]


def holder_lines(holder: Holder) -> list[Line]:
    """Return what the question about the run that uses the service says."""
    return [
        line(f"{_use(holder)}."),
        line("Two runs at once would distort each other's results."),
        line("A run that starts after it waits in the background, even if you quit."),
    ]


def _use(holder: Holder) -> str:
    """Return which run uses the service, and how far it is."""
    if not holder.folder:
        return "A run that is just starting uses the service"
    text = f"{holder.argument} uses the service"
    if holder.cells is not None:
        text += f": {holder.ended} of {counted(holder.cells, 'cell')} done"
    if holder.current:
        text += f", now {holder.current}"
    if holder.remaining_s is not None:
        text += f", about {readable_duration(holder.remaining_s)} left"
    return text


def _duration(previewed: PreviewedRun, plan: RunPlan | None) -> str:
    """Return the estimated duration, and how it was estimated."""
    driver = plan.preflight.driver if plan else None
    window_s = plan.window_s if plan else {}
    durations = expected_durations(previewed.profile, previewed.earlier, driver, window_s)
    total = readable_duration(durations.total_s(previewed.cells))
    if previewed.remaining:
        total = previewed.remaining
    elif previewed.profile.is_search and not previewed.resume_summary:
        total = duration_text(previewed.profile, durations)
    match durations.runs:
        case ():
            source = "estimated from the settings"
        case (run,):
            source = f"from the run of {when(run)}"
        case runs:
            source = f"from {counted(len(runs), 'earlier run')}"
    return f"about {total}, {source}"


def _fact(label: str, value: str, columns: int, tone: Tone = Tone.DIM) -> list[Line]:
    text = line((f"{label:<{_LABEL_COLUMNS}}", tone), value)
    return wrap(text, columns, indent=_LABEL_COLUMNS)


def _cell_facts(cells: tuple[Cell, ...]) -> list[tuple[str, str]]:
    levels = [cell.level.fields for cell in cells]
    total = str(len(cells))
    if any(cell.recheck for cell in cells):
        total += ", including a recheck of the first cell at the end"
    facts = [("Cells", total), ("Models", _values({cell.models for cell in cells}))]
    for name in dict.fromkeys(name for level in levels for name in level):
        values = _values({level[name] for level in levels if name in level})
        label = _LABELS.get(name, name.replace("_", " ").capitalize())
        facts.append((label, values + _UNITS.get(name, "")))
    repeats = {cell.repeat for cell in cells}
    if len(repeats) > 1:
        facts.append(("Repeats", _values(repeats)))
    return facts


def _values(values: "set[int] | set[float]") -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))
