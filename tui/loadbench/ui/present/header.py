"""The two lines at the top of a run: what it is, how far it is, what it is doing. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len

from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.progress import phase_length_s, remaining_s
from loadbench.engine.journal.state import OVER, CellState, CellStatus, RunState
from loadbench.engine.profile.duration import say_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import estimate_s
from loadbench.engine.run_reader import Run, RunStatus, rest_of
from loadbench.ui.present.glyphs import Glyphs
from loadbench.ui.present.lines import Line, Piece, Tone, fit, justify, line, width
from loadbench.ui.present.matrix import MARKS, VERDICT_TONES
from loadbench.wording import counted, outcome_line, short_outcome

BAR_COLUMNS = 16
STATUS_TONES = {
    RunStatus.LIVE: Tone.ACCENT,
    RunStatus.DONE: Tone.GOOD,
    RunStatus.INTERRUPTED: Tone.WARN,
    RunStatus.STOPPED: Tone.WARN,
    RunStatus.ABORTED: Tone.BAD,
}


def header_lines(
    run: Run, profile: Profile, elapsed_s: float, glyphs: Glyphs, columns: int
) -> list[Line]:
    """Return the header of a run.

    Args:
        run: The run.
        profile: What it was started with.
        elapsed_s: Seconds since the run was started or resumed, now.
        glyphs: The signs.
        columns: How wide the header is.
    """
    state = replace(run.state, elapsed_s=elapsed_s)
    home, name = run.folder.parent.name, run.folder.name
    status, tone = _status(run, glyphs)
    # A name may be as long as its file's; the run and its status are always seen.
    room = max(8, columns - cell_len(name) - len(status) - 8)
    title = line(
        (" " + fit(home, min(room, cell_len(home))), Tone.STRONG),
        (f" {glyphs.arrow} ", Tone.DIM),
        name,
        ("   " + status, tone),
    )
    if run.status is RunStatus.LIVE:
        left_s = remaining_s(profile, state)
        return [
            justify(title, _progress(state, profile, left_s, glyphs), columns),
            _doing(state, profile, glyphs, columns),
        ]
    told = (line(f"{outcome_line(state)} "), line(f"{short_outcome(state)} "))
    return [justify(title, told, columns), _ending(run, columns)]


def cell_header_lines(
    run: Run, profile: Profile, key: str, elapsed_s: float, glyphs: Glyphs, columns: int
) -> list[Line]:
    """Return the header of a cell: where it belongs, and how it stands.

    Args:
        run: The run.
        profile: What it was started with.
        key: Of the cell.
        elapsed_s: Seconds since the run was started or resumed, now.
        glyphs: The signs.
        columns: How wide the header is.
    """
    state = replace(run.state, elapsed_s=elapsed_s)
    cell_state = state.cells[key]
    cell, place = cell_state.cell, f"cell {list(state.cells).index(key) + 1} of {len(state.cells)} "
    parts = (counted(cell.models, "model"), cell.level.phrase, cell.level.detail)
    load = ", ".join(filter(None, parts))
    longer = line((f"{load} {glyphs.separator} ", Tone.DIM), place)
    header = place_line(run, key, (longer, line(place)), glyphs, columns)
    live = run.status is RunStatus.LIVE
    if live and key == state.current:
        return [header, _doing(state, profile, glyphs, columns)]
    words, tone = _standing(cell_state, glyphs)
    attempt = f", attempt {cell_state.attempt}" if cell_state.attempt > 1 else ""
    where: list[Line] = [line(_status(run, glyphs), " ")]
    if live and state.current and state.phase:
        now = (f"now {state.current} ", Tone.DIM), (state.phase.value, Tone.ACCENT)
        where = [line(*now, f" {_clock(state, profile)} "), line(*now, " "), *where]
    return [header, justify(line((f" {words}", tone), attempt), where, columns)]


def place_line(run: Run, part: str, rights: Sequence[Line], glyphs: Glyphs, columns: int) -> Line:
    """Return where a part of a run belongs, with the first that fits at the right.

    The part is always seen, and so is the last of the others; a profile's name may be cut.
    """
    home, name = run.folder.parent.name, run.folder.name
    room = max(8, columns - cell_len(f"{name}{part}") - width(rights[-1]) - 11)
    arrow = (f" {glyphs.arrow} ", Tone.DIM)
    home = fit(home, min(room, cell_len(home)))
    return justify(line(f" {home}", arrow, name, arrow, (part, Tone.STRONG)), rights, columns)


def _standing(cell: CellState, glyphs: Glyphs) -> tuple[str, Tone]:
    """Return how a cell stands that is not being measured now."""
    match cell.status:
        case CellStatus.FINISHED if cell.finished:
            verdict = cell.finished.verdict
            return f"{MARKS[verdict].strip()} {verdict.value}".strip(), VERDICT_TONES[verdict]
        case CellStatus.FAILED:
            return f"{glyphs.failed} failed", Tone.BAD
        case CellStatus.SKIPPED:
            return f"{glyphs.skipped} skipped", Tone.WARN
        case CellStatus.RUNNING:
            return "! left in the middle", Tone.WARN
        case _:
            again = "to be measured again" if cell.attempt else "not measured yet"
            return f"{glyphs.pending} {again}", Tone.DIM


def _status(run: Run, glyphs: Glyphs) -> tuple[str, Tone]:
    """Return the status of a run with its sign, and its tone."""
    # Over, but not as it was meant.
    doubtful = run.status is RunStatus.DONE and run.state.count(CellStatus.FAILED)
    tone = Tone.WARN if doubtful else STATUS_TONES[run.status]
    return f"{glyphs.of_run(run.status)} {run.status.value}", tone


def _progress(state: RunState, profile: Profile, left_s: float, glyphs: Glyphs) -> list[Line]:
    """Return how far a run is, in more and in fewer words."""
    failed = state.count(CellStatus.FAILED)
    where = f"{state.count(*OVER)} of {len(state.cells)} cells over"
    where += f", {failed} failed" if failed else ""
    eta = f"{say_duration(left_s)} left "
    # By what is left, not by the clock: that begins anew when a run is gone on with.
    whole_s = estimate_s(profile, tuple(it.cell for it in state.cells.values()))
    share = 1.0 - left_s / max(whole_s, left_s, 1.0)
    bar = _bar(share, BAR_COLUMNS, glyphs)
    short = f"{where} {glyphs.separator} {eta}"
    return [line(f"{where}  ", *bar, f"  {eta}"), line(short), line(eta)]


def _bar(share: float, columns: int, glyphs: Glyphs) -> Line:
    full = round(columns * min(1.0, max(0.0, share)))
    return line((glyphs.full * full, Tone.ACCENT), (glyphs.empty * (columns - full), Tone.DIM))


def _doing(state: RunState, profile: Profile, glyphs: Glyphs, columns: int) -> Line:
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
            clock = _clock(state, profile)
            pieces += [Piece(phase.value, Tone.ACCENT), Piece(f" {clock}", Tone.STRONG)]
        else:
            pieces.append(Piece(phase.value, Tone.PLAIN if number < now else Tone.DIM))
    if state.paused:
        pieces.append(Piece("   pauses after it", Tone.WARN))
    doing = Piece(state.phase.value if state.phase else "", Tone.ACCENT)
    now_clock = Piece(f" {_clock(state, profile)}" if state.phase else "", Tone.STRONG)
    pause = Piece("  pauses after it" if state.paused else "", Tone.WARN)
    candidates = (
        line(*pieces),
        line(*pieces[:2], doing, now_clock, pause),
        line(pieces[0], Piece("  "), doing, now_clock, pause),
        line(Piece(" "), doing, now_clock, pause),
    )
    return next((it for it in candidates if width(it) <= columns), candidates[-1])


def _clock(state: RunState, profile: Profile) -> str:
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


def _ending(run: Run, columns: int) -> Line:
    state = run.state
    if run.status is RunStatus.INTERRUPTED:
        at = f" at {state.current}" if state.current else ""
        rest = "; r measures the rest" if rest_of(run) else ""
        told = f" the runner was killed{at}{rest}"
        return line((fit(told, columns).rstrip(), Tone.WARN))
    assert state.finished is not None
    left = f"; {state.finished.left}" if state.finished.left else ""
    rest = "; r measures the rest" if state.outstanding else ""
    told = f" {run.status.value}: {state.finished.reason}{rest}{left}"
    tone = Tone.DIM if run.status is RunStatus.DONE and not left else Tone.WARN
    return line((fit(told, columns).rstrip(), tone))
