"""Header lines of a run, with its name, progress and current phase."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.state import ENDED_STATUSES, CellStatus, RunState
from loadbench.engine.journal.timing.progress import phase_detail, phase_length_s, waiting_text
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.damage import damage_phrase
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.cell import load_phrase
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, Piece, Tone, fit, justify, line, width

STATUS_TONES = {
    RunStatus.LIVE: Tone.ACCENT,
    RunStatus.DONE: Tone.GOOD,
    RunStatus.INTERRUPTED: Tone.WARN,
    RunStatus.STOPPED: Tone.WARN,
    RunStatus.ABORTED: Tone.BAD,
}
_TRAIT_KEYS = ("device", "batch_size", "stack.driver")
"""Keys whose values the other traits of a run show."""


def breadcrumb_line(
    run: Run, part: str, rights: Sequence[Line], glyphs: Glyphs, columns: int
) -> Line:
    """Return `profile ▸ run ▸ part`, followed by a right-aligned text.

    Args:
        run: The run.
        part: A cell or container of the run. It is never truncated, but the profile name may be.
        rights: Candidates for the right-aligned text, longest first. The first that fits is used.
            The name of the profile is truncated until the last one fits.
        glyphs: The terminal's character set.
        columns: Width of the line.
    """
    profile, run_id = run.folder.parent.name, run.folder.name
    room = max(8, columns - cell_len(f"{run_id}{part}") - width(rights[-1]) - 11)
    arrow = (f" {glyphs.arrow} ", Tone.DIM)
    profile = fit(profile, min(room, cell_len(profile)))
    left = line(f" {profile}", arrow, run_id, arrow, (part, Tone.STRONG))
    return justify(left, rights, columns)


def status_label(run: Run, glyphs: Glyphs) -> tuple[str, Tone]:
    """Return the status of a run with its symbol, and the tone of both."""
    # A run that is done but has failed cells needs attention.
    has_failures = run.status is RunStatus.DONE and run.state.count(CellStatus.FAILED)
    tone = Tone.WARN if has_failures else STATUS_TONES[run.status]
    return f"{glyphs.of_run(run.status)} {run.status.value}", tone


def activity_line(state: RunState, profile: Profile, glyphs: Glyphs, columns: int) -> Line:
    """Return the current cell and its phases, with the elapsed time of the current phase.

    If there is progress within the phase, it replaces the names of the other phases where both do
    not fit.

    The cell is named by its load, such as `1 model, 2 users, 8 users/s`, or by its key if the load
    does not fit.
    """
    current = state.current_cell
    if state.stopping:
        return line((" Stopping", Tone.WARN), ": removing containers and processes")
    if current is None:
        if state.paused:
            return line((" Paused", Tone.WARN), " · ", ("Space", Tone.ACCENT), " resume")
        if waiting := waiting_text(state):
            return line((fit(f" {waiting}", columns).rstrip(), Tone.WARN))
        return line((" Between cells" if state.count(*ENDED_STATUSES) else " Starting", Tone.DIM))
    attempt = f" (attempt {current.attempt})" if current.attempt > 1 else ""
    load = Piece(f" {load_phrase(current.cell)}", Tone.STRONG)
    key = Piece(f" {current.cell.key}", Tone.STRONG)
    number = Piece(f"{attempt}  ", Tone.DIM)
    phases = _phases(state, profile, glyphs)
    phase = [
        Piece(state.phase.value if state.phase else "", Tone.ACCENT),
        Piece(f" {clock(state, profile)}" if state.phase else "", Tone.STRONG),
    ]
    pause = Piece("  pausing after this cell" if state.paused else "", Tone.WARN)
    detail = [Piece(f"  {text}", Tone.DIM)] if (text := phase_detail(state)) else []
    candidates = (
        line(load, number, *phases, *detail, pause),
        *((line(load, number, *phase, *detail, pause),) if detail else ()),
        *((line(key, Piece("  "), *phase, *detail),) if detail else ()),
        line(load, number, *phases, pause),
        line(key, number, *phases, pause),
        line(load, number, *phase, pause),
        line(key, number, *phase, pause),
        line(key, Piece("  "), *phase, pause),
        line(Piece(" "), *phase, pause),
        line(Piece(" "), *phase),
    )
    return next((one for one in candidates if width(one) <= columns), candidates[-1])


def _phases(state: RunState, profile: Profile, glyphs: Glyphs) -> list[Piece]:
    phases = list(Phase)
    current = phases.index(state.phase) if state.phase else -1
    pieces: list[Piece] = []
    for number, phase in enumerate(phases):
        if number:
            pieces.append(Piece(f" {glyphs.arrow} ", Tone.DIM))
        if number == current:
            elapsed = clock(state, profile)
            pieces += [Piece(phase.value, Tone.ACCENT), Piece(f" {elapsed}", Tone.STRONG)]
        else:
            pieces.append(Piece(phase.value, Tone.PLAIN if number < current else Tone.DIM))
    return pieces


def clock(state: RunState, profile: Profile) -> str:
    """Return the elapsed time of the current phase, and its length if known."""
    elapsed_s = max(0.0, state.elapsed_s - state.phase_since_s)
    length_s = phase_length_s(profile, state)
    if not length_s:
        return _minutes(elapsed_s)
    is_auto = state.phase is Phase.MEASURING and profile.is_run_time_auto
    at_most = "≤" if state.phase is Phase.SETTLING or is_auto else ""
    return f"{_minutes(min(elapsed_s, length_s))}/{at_most}{_minutes(length_s)}"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def when(run_id: str) -> str:
    """Return the start time in a run id, such as `22 Nov 07:21`, or the id if it contains none."""
    try:
        return datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").strftime("%d %b %H:%M").lstrip("0")
    except ValueError:
        return run_id


def run_line(run: Run, glyphs: Glyphs) -> Line:
    """Return a one-line summary of a run: status, start time and numbers of cells."""
    tone = STATUS_TONES[run.status]
    failed = run.state.count(CellStatus.FAILED)
    damage = damage_phrase(run.state)
    pieces = [
        Piece(f"{glyphs.of_run(run.status)} ", tone),
        Piece(f"{when(run.folder.name):<12} "),
        Piece(f"{_status_word(run):<12}", tone),
        Piece(f"{run.state.count(CellStatus.FINISHED)}/{len(run.state.cells)}"),
        Piece(f" {failed}{glyphs.failed}" if failed else "", Tone.BAD),
        Piece(f" {damage}" if damage else "", Tone.WARN),
    ]
    return line(*pieces)


def _status_word(run: Run) -> str:
    """Return the status of a run, or `waiting` if it waits for another run to end."""
    is_waiting = run.status is RunStatus.LIVE and waiting_text(run.state)
    return "waiting" if is_waiting else run.status.value


@dataclass(frozen=True, slots=True)
class RunTraits:
    """The label and the settings that distinguish a run from other runs."""

    label: str
    device: str
    batch: str
    driver: str
    overrides: tuple[str, ...]
    """The overrides that the other traits do not show."""

    def texts(self) -> Iterator[list[str]]:
        """Yield the traits without the label: all of them, then fewer, the least important first.

        The batch size is always included, and the number of omitted overrides.
        """
        yield [self.device, self.batch, self.driver, *self.overrides]
        yield [self.device, self.batch, *self.overrides]
        yield [self.batch, *self.overrides]
        for kept in range(len(self.overrides) - 1, -1, -1):
            more = f"+{len(self.overrides) - kept}"
            yield [self.batch, *self.overrides[:kept], more]


def traits_of(state: RunState) -> RunTraits:
    """Return the label and the settings that distinguish a run from other runs."""
    started, profile = state.started, state.profile
    overrides = started.overrides if started else ()
    return RunTraits(
        label=state.label,
        device=profile.device if profile else "",
        batch=f"batch {profile.batch_size}" if profile else "",
        driver=started.driver if started else "",
        overrides=tuple(one for one in overrides if one.partition("=")[0] not in _TRAIT_KEYS),
    )


def traits_line(state: RunState, glyphs: Glyphs, columns: int | None) -> Line:
    """Return the label and the settings of a run: `GPU test · cpu · batch 10 · local · users=5`.

    Args:
        state: The run.
        glyphs: The terminal's character set.
        columns: Width that the line should fit into: the least important settings are omitted, but
            never the label and the batch size, which may need more. None for no limit.
    """
    traits = traits_of(state)
    separator = f" {glyphs.separator} "
    content: Line = ()
    for texts in traits.texts():
        parts = [text for text in texts if text]
        rest = f"{separator if traits.label and parts else ''}{separator.join(parts)}"
        content = line((traits.label, Tone.STRONG), (rest, Tone.DIM))
        if columns is None or width(content) <= columns:
            break
    return content
