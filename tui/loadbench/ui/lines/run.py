"""The two lines at the top of a run: what it is, how far it is, what it is doing. Pure."""

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.progress import phase_length_s
from loadbench.engine.journal.state import OVER, CellStatus, RunState
from loadbench.engine.profile.model import Profile
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, Piece, Tone, fit, justify, line, width

STATUS_TONES = {
    RunStatus.LIVE: Tone.ACCENT,
    RunStatus.DONE: Tone.GOOD,
    RunStatus.INTERRUPTED: Tone.WARN,
    RunStatus.STOPPED: Tone.WARN,
    RunStatus.ABORTED: Tone.BAD,
}


def place_line(run: Run, part: str, rights: Sequence[Line], glyphs: Glyphs, columns: int) -> Line:
    """Return where a part of a run belongs, with the first that fits at the right.

    The part is always seen, and so is the last of the others; a profile's name may be cut.
    """
    home, name = run.folder.parent.name, run.folder.name
    room = max(8, columns - cell_len(f"{name}{part}") - width(rights[-1]) - 11)
    arrow = (f" {glyphs.arrow} ", Tone.DIM)
    home = fit(home, min(room, cell_len(home)))
    return justify(line(f" {home}", arrow, name, arrow, (part, Tone.STRONG)), rights, columns)


def status_words(run: Run, glyphs: Glyphs) -> tuple[str, Tone]:
    """Return the status of a run with its sign, and its tone."""
    # Over, but not as it was meant.
    doubtful = run.status is RunStatus.DONE and run.state.count(CellStatus.FAILED)
    tone = Tone.WARN if doubtful else STATUS_TONES[run.status]
    return f"{glyphs.of_run(run.status)} {run.status.value}", tone


def doing_line(state: RunState, profile: Profile, glyphs: Glyphs, columns: int) -> Line:
    """Return the current cell with its phases, the one that it is in with its clock."""
    current = state.current_cell
    if state.stopping:
        return line((" stopping", Tone.WARN), ": everything is being taken down")
    if current is None:
        return (
            line((" paused", Tone.WARN), ": space goes on")
            if state.paused
            else line((" between two cells" if state.count(*OVER) else " starting", Tone.DIM))
        )
    again = f" (attempt {current.attempt})" if current.attempt > 1 else ""
    pieces = [Piece(f" {current.cell.key}", Tone.STRONG), Piece(f"{again}  ", Tone.DIM)]
    phases = list(Phase)
    now = phases.index(state.phase) if state.phase else -1
    for number, phase in enumerate(phases):
        if number:
            pieces.append(Piece(f" {glyphs.arrow} ", Tone.DIM))
        if number == now:
            spent = clock(state, profile)
            pieces += [Piece(phase.value, Tone.ACCENT), Piece(f" {spent}", Tone.STRONG)]
        else:
            pieces.append(Piece(phase.value, Tone.PLAIN if number < now else Tone.DIM))
    if state.paused:
        pieces.append(Piece("   pauses after it", Tone.WARN))
    doing = Piece(state.phase.value if state.phase else "", Tone.ACCENT)
    now_clock = Piece(f" {clock(state, profile)}" if state.phase else "", Tone.STRONG)
    pause = Piece("  pauses after it" if state.paused else "", Tone.WARN)
    candidates = (
        line(*pieces),
        line(*pieces[:2], doing, now_clock, pause),
        line(pieces[0], Piece("  "), doing, now_clock, pause),
        line(Piece(" "), doing, now_clock, pause),
    )
    return next((it for it in candidates if width(it) <= columns), candidates[-1])


def clock(state: RunState, profile: Profile) -> str:
    """Return how long the current phase has taken, and its length where it has one."""
    spent = max(0.0, state.elapsed_s - state.phase_since_s)
    length = phase_length_s(profile, state)
    if not length:
        return _minutes(spent)
    upto = "≤" if state.phase is Phase.SETTLING else ""
    return f"{_minutes(min(spent, length))}/{upto}{_minutes(length)}"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def when(run_id: str) -> str:
    """Return when a run was started, for people: `22 Nov 07:21`, from its id."""
    try:
        return datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").strftime("%d %b %H:%M").lstrip("0")
    except ValueError:
        return run_id


def run_line(run: Run, glyphs: Glyphs) -> Line:
    """Return a run on one line: its status, when it began, what became of its cells."""
    tone = STATUS_TONES[run.status]
    failed = run.state.count(CellStatus.FAILED)
    pieces = [
        Piece(f"{glyphs.of_run(run.status)} ", tone),
        Piece(f"{when(run.folder.name):<12} "),
        Piece(f"{run.status.value:<12}", tone),
        Piece(f"{run.state.count(CellStatus.FINISHED)}/{len(run.state.cells)}"),
        Piece(f" {failed}{glyphs.failed}" if failed else "", Tone.BAD),
    ]
    return line(*pieces)
