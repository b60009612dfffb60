"""What a run would be, in a few lines, before it is started. Pure."""

from dataclasses import dataclass

from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, estimate_s
from loadbench.engine.requests.launch import RunPlan
from loadbench.ui.lines.text import Line, Tone, line, wrap
from loadbench.wording import IN_BATCHES, counted

_NAME_COLUMNS = 10
_AXES = {"spawn_rate": f"users started per second ({IN_BATCHES})"}
"""How fields of levels are called here, where their own names are too short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intention:
    """What is about to be started, as far as its profile tells."""

    name: str
    """Of the profile, or of the run to go on with."""
    profile: Profile
    cells: tuple[Cell, ...]
    """Those that would be measured."""
    again: str = ""
    """Why it is not a new run; empty: it is."""


def preview_lines(
    intention: Intention, found: RunPlan | None, columns: int, *, refusal: str = "", busy: str = ""
) -> list[Line]:
    """Return what would happen.

    Args:
        intention: What is about to be started.
        found: What its own process says; None: it has not answered yet.
        columns: How wide the lines may be.
        refusal: Why it cannot be started; empty: it can, or nobody knows yet.
        busy: What is being waited for; empty: nothing.
    """
    profile, cells = intention.profile, intention.cells
    lines = []
    if intention.again:
        lines += wrap(line((intention.again, Tone.STRONG)), columns)
    lines += _fact("cells", _cells(cells), columns)
    lines += _fact("time", f"about {readable_duration(estimate_s(profile, cells))}", columns)
    if found:
        preflight = found.preflight
        lines += _fact("driver", f"{preflight.driver}: {preflight.reason}", columns)
        needed, free = found.needed_bytes / 1e6, found.free_bytes / 1e9
        lines += _fact("disk", f"up to {needed:.0f} MB, {free:.1f} GB are free", columns)
        for warning in preflight.warnings:
            lines += wrap(
                line((f"{'warning':<{_NAME_COLUMNS}}", Tone.WARN), warning),
                columns,
                indent=_NAME_COLUMNS,
            )
    if refusal:
        lines.append(())
        lines += [
            part for told in refusal.splitlines() for part in wrap(line((told, Tone.BAD)), columns)
        ]
    lines.append(())
    if busy:
        lines.append(line((busy, Tone.DIM)))
    elif refusal:
        lines.append(line(("escape", Tone.ACCENT), " goes back; nothing was started"))
    else:
        lines.append(
            line(("enter", Tone.ACCENT), " starts it, ", ("escape", Tone.ACCENT), " does not")
        )
    return lines


def _fact(name: str, value: str, columns: int) -> list[Line]:
    return wrap(line((f"{name:<{_NAME_COLUMNS}}", Tone.DIM), value), columns, indent=_NAME_COLUMNS)


def _cells(cells: tuple[Cell, ...]) -> str:
    levels = [cell.level.fields for cell in cells]
    fields = dict.fromkeys(name for it in levels for name in it)
    axes: list[tuple[str, list[float]]] = [
        ("models", sorted({cell.models for cell in cells})),
        *(
            (_AXES.get(name, name), sorted({it[name] for it in levels if name in it}))
            for name in fields
        ),
        ("repeat", sorted({cell.repeat for cell in cells})),
    ]
    parts = [
        f"{name} {', '.join(f'{value:g}' for value in values)}"
        for name, values in axes
        if name != "repeat" or len(values) > 1
    ]
    if any(cell.recheck for cell in cells):
        parts.append("the first once more at the end")
    return f"{counted(len(cells), 'cell')}: {'; '.join(parts)}"
