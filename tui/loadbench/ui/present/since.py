"""What happened in a run while nobody looked: the fold of its entries, and its lines. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import (
    CellFailed,
    CellFinished,
    CellSkipped,
    CommandAnswered,
    Container,
    Containers,
    Note,
    Phase,
    Result,
    RunFinished,
    RunResumed,
    Verdict,
)
from loadbench.engine.journal.progress import remaining_s
from loadbench.engine.journal.state import EMPTY, CellStatus, RunState
from loadbench.engine.measure.buckets import count, enough, failures, successes
from loadbench.engine.numbers import latency, number
from loadbench.engine.profile.duration import say_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.present.containers import is_over, standing
from loadbench.ui.present.lines import Line, MenuEntry, Tone, line, wrap
from loadbench.ui.present.matrix import p90_of
from loadbench.wording import counted

_OUTCOMES = (
    *(verdict.value for verdict in Verdict),
    *(CellStatus.FAILED.value, CellStatus.SKIPPED.value),
)
_VERDICT_TONES = {
    Verdict.VALID: Tone.GOOD,
    Verdict.SUSPECT: Tone.WARN,
    Verdict.INVALID: Tone.BAD,
}
_TOLD_BY_ITS_EFFECT = "skip"
"""The command whose effect is an event of its own."""
_INDENT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that is worth telling."""

    at: str
    """UTC, ISO 8601."""
    said: Line
    attention: bool = False
    """It is not as it was meant."""
    cell: str | None = None
    """The cell that it is about."""
    outcome: str = ""
    """What that cell came to, if this is its end: a verdict, `failed` or `skipped`."""
    container: str | None = None
    """The container that died."""


def happened_since(entries: Iterable[Entry], seq: int) -> tuple[Happening, ...]:
    """Return what is worth telling of a run's entries after one of them, in order.

    Args:
        entries: All of the run's entries; samples make no difference.
        seq: The number of the last entry that is known already.
    """
    state, told = EMPTY, list[Happening]()
    for entry in entries:
        before, state = state, state.apply(entry)
        if entry.seq <= seq:
            continue
        if isinstance(entry.event, CellFailed):
            # Its reason names the container that it failed by.
            failed = (entry.event.cell, entry.event.container)
            told = [it for it in told if not it.container or (it.cell, it.container) != failed]
        told += _happenings(entry, before, state)
    return tuple(told)


def since_title(away_s: float) -> str:
    """Return the title of what happened."""
    return f"since you left, {say_duration(away_s)} ago"


def summary(happened: Sequence[Happening], run: Run, profile: Profile, elapsed_s: float) -> Line:
    """Return in a sentence what happened, and how the run stands now.

    Args:
        happened: What happened.
        run: The run.
        profile: What it was started with.
        elapsed_s: Seconds since the run was started or resumed, now.
    """
    outcomes = {it.cell: it.outcome for it in happened if it.outcome}
    counts = Counter(outcomes.values())
    came_to = ", ".join(f"{counts[it]} {it}" for it in _OUTCOMES if counts[it])
    over = f"{counted(len(outcomes), 'cell')} over: {came_to}" if outcomes else "no cell over"
    left_s = remaining_s(profile, replace(run.state, elapsed_s=elapsed_s))
    return line((f"{over}; {_standing(run, left_s)}", Tone.STRONG))


def since_entries(
    happened: Sequence[Happening], told: Line, columns: int, now: datetime
) -> list[MenuEntry]:
    """Return what happened as entries of a list, each known by its number in `happened`.

    Args:
        happened: What happened, in order.
        told: The summary.
        columns: How wide a line may be.
        now: The time of day; what happened on another day has its date.
    """
    times = _local_times([it.at for it in happened], now)
    entries = [MenuEntry("", (*wrap(told, columns), ()))]
    pressing = [i for i, it in enumerate(happened) if it.attention]
    others = [i for i, it in enumerate(happened) if not it.attention]
    if pressing:
        entries.append(MenuEntry("", (line(("needs attention", Tone.STRONG)),)))
    for i in (*pressing, *others):
        if pressing and others and i == others[0]:
            entries.append(MenuEntry("", ((), line(("the rest", Tone.STRONG)))))
        said = line((f" {times[i]}  ", Tone.DIM), *happened[i].said)
        indent = len(times[i]) + _INDENT
        entries.append(MenuEntry(str(i), tuple(wrap(said, columns, indent=indent))))
    return entries


def _happenings(entry: Entry, before: RunState, state: RunState) -> list[Happening]:
    event, at = entry.event, entry.at
    match event:
        case CellFinished():
            return [_finished(event, at)]
        case CellFailed(cell=key, reason=reason):
            said = line((f"{key}  ", Tone.STRONG), ("failed", Tone.BAD), f": {reason}")
            outcome = CellStatus.FAILED.value
            return [Happening(at=at, said=said, attention=True, cell=key, outcome=outcome)]
        case CellSkipped(cell=key, reason=reason):
            said = line((f"{key}  ", Tone.STRONG), ("skipped", Tone.WARN), f": {reason}")
            return [Happening(at=at, said=said, cell=key, outcome=CellStatus.SKIPPED.value)]
        case Containers(containers=now):
            return _of_containers(before, now, at)
        case CommandAnswered(accepted=True, message=message, cell=cell):
            known = event.command == _TOLD_BY_ITS_EFFECT
            return [] if known else [Happening(at=at, said=line(message), cell=cell)]
        case Note(text=text):
            return [Happening(at=at, said=line(text), attention=True)]
        case RunResumed():
            left = f"{len(state.outstanding)} of {counted(len(state.cells), 'cell')} to go"
            return [Happening(at=at, said=line(f"the run was resumed: {left}"))]
        case RunFinished(result=result, reason=reason, left=left):
            told = f"the run {'is' if result is Result.DONE else 'was'} {result.value}"
            rest = f"; {left}" if left else ""
            good = result is Result.DONE and not left
            said = line(f"{told}: {reason}{rest}")
            return [Happening(at=at, said=said, attention=not good)]
    return []


def _finished(event: CellFinished, at: str) -> Happening:
    bad = count(failures(event.requests))
    p90 = latency(p90_of(event), backed=enough(count(successes(event.requests)), 0.9))
    numbers = f"{number(event.completed / event.measured_s)} req/s, p90 {p90} ms, "
    failed = f"{counted(bad, 'failure')}, " if bad else ""
    reasons = f": {'; '.join(event.reasons)}" if event.reasons else ""
    verdict = event.verdict
    said = line(
        (f"{event.cell}  ", Tone.STRONG),
        f"{numbers}{failed}",
        (verdict.value, _VERDICT_TONES[verdict]),
        reasons,
    )
    return Happening(
        at=at,
        said=said,
        attention=verdict is not Verdict.VALID,
        cell=event.cell,
        outcome=verdict.value,
    )


def _of_containers(before: RunState, now: Sequence[Container], at: str) -> list[Happening]:
    """Return which containers died or were started again, while nobody scaled the stack."""
    if before.phase in (None, Phase.SCALING):
        return []
    former = {it.name: it for it in before.containers}
    told = []
    for it in now:
        was = former.get(it.name)
        if was is None:
            continue
        if is_over(it) and not is_over(was):
            words = (f" {standing(it)[0]}", Tone.BAD)
        elif it.restarts > was.restarts:
            words = (" was started again by the engine", Tone.WARN)
        else:
            continue
        said = line(f"{it.name}", words, f", at {before.current}")
        told.append(
            Happening(at=at, said=said, attention=True, cell=before.current, container=it.name)
        )
    return told


def _standing(run: Run, left_s: float) -> str:
    """Return how a run stands now, as the end of a sentence."""
    state = run.state
    if run.status is RunStatus.LIVE:
        if state.stopping:
            return "the run is stopping"
        if state.current:
            doing = f"goes on with {state.current}"
            doing += ", then pauses" if state.paused else ""
        else:
            doing = "is paused" if state.paused else "goes on"
        return f"the run {doing}, {say_duration(left_s)} left"
    if run.status is RunStatus.INTERRUPTED:
        return "the runner was killed" + (f" at {state.current}" if state.current else "")
    if run.status is RunStatus.DONE:
        return "the run is done"
    reason = state.finished.reason if state.finished else ""
    return f"the run was {run.status.value}: {reason}"


def _local_times(moments: Sequence[str], now: datetime) -> list[str]:
    """Return moments as local times, with the date if one of them was on another day."""
    local = [_local(at) for at in moments]
    today = now.astimezone().date()
    other = any(it and it.date() != today for it in local)
    form = "%m-%d %H:%M" if other else "%H:%M"
    columns = len(now.strftime(form))
    return [it.strftime(form) if it else " " * columns for it in local]


def _local(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at).astimezone()
    except ValueError:  # somebody else wrote that journal
        return None
