"""What a run measures: the address of requests, the scaled service, and its replicas."""

from collections.abc import Sequence

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.buckets import has_enough_samples
from loadbench.engine.numbers import latency
from loadbench.engine.profile.target import Balance, LeftOut, Target
from loadbench.engine.report.target.facts import target_facts
from loadbench.engine.report.target.replicas import ReplicaRow, replica_rows
from loadbench.ui.lines.text import Line, Piece, Tone, fit, line, table, width, wrap
from loadbench.wording import counted

_SCALED = "Scaled"
_PERCENTILES = (0.5, 0.95, 0.99)


def target_of(state: RunState) -> Target | None:
    """Return what a run measures, or None if its journal does not record it."""
    return state.started.target if state.started else None


def target_lines(target: Target, columns: int, *, label_columns: int) -> list[Line]:
    """Return what a run measures, as aligned labels and wrapped texts.

    Args:
        target: What the run measures.
        columns: Maximum width of a line.
        label_columns: Width of the labels, including the space after them.
    """
    lines = []
    for label, text in target_facts(target):
        # Wrapped without the label, so that a long path starts beside it.
        parts = wrap(line(text), columns - label_columns) if text else []
        headings = [label, *[""] * (len(parts) - 1)]
        lines += [
            (Piece(f"{heading:<{label_columns}}", Tone.DIM), *part)
            for heading, part in zip(headings, parts, strict=False)
        ]
    return lines


def target_line(target: Target | None, columns: int) -> Line:
    """Return what a run measures in one line, as much of it as fits.

    An example is `Requests to port 80 of api · Scaled: api; Locust assigns … · Left out: flower`.

    Args:
        target: What the run measures. None returns an empty line.
        columns: Width of the line.
    """
    if target is None:
        return ()
    address = f"Requests to {target.address}"
    balance = next((text for label, text in target_facts(target) if label == _SCALED), "")
    short = f"{target.scaled}, users assigned in turn"
    brief = short if target.balance is Balance.CLIENTS else target.scaled
    full, brief, shortest = (
        f"{_SCALED}: {text}" if text else "" for text in (balance, brief, target.scaled)
    )
    names, number = _left_out(target.left_out)
    candidates = [
        (address, full, names),
        (address, brief, names),
        (address, brief, number),
        (address, shortest, number),
        (address, shortest),
        (address,),
    ]
    lines = [line((f" {_joined(parts)}", Tone.DIM)) for parts in candidates]
    fitting = next((one for one in lines if width(one) <= columns), None)
    return fitting or line((fit(f" {address}", columns).rstrip(), Tone.DIM))


def replica_lines(finished: CellFinished, columns: int) -> list[Line]:
    """Return a table of the requests to each replica, or no lines if none are recorded.

    Args:
        finished: The result of a cell.
        columns: Width of a line. The addresses are omitted if the table would be wider.
    """
    rows = replica_rows(finished)
    if not rows:
        return []
    header = ("replica", "requests", "share", "fails", "p50", "p95", "p99")
    body = [(row.name, *_numbers(row)) for row in rows]
    addresses = (row.host.removeprefix("http://") for row in rows)
    addressed = [(*values, address) for values, address in zip(body, addresses, strict=True)]
    full = table((*header, "address"), addressed, last_is_text=True)
    return full if max(map(width, full)) <= columns else table(header, body)


def sent_to_lines(finished: CellFinished | None, columns: int) -> list[Line]:
    """Return where the failed requests of a cell were sent, wrapped.

    The lines are the base URL, or the replicas with their numbers of failed requests. There are
    none if no request failed, or if the address is not recorded.
    """
    if finished is None or not finished.errors:
        return []
    failed = [row for row in replica_rows(finished) if row.failures]
    if not failed:
        return wrap(line(("Sent to ", Tone.DIM), finished.host), columns) if finished.host else []
    lines = [line(("Sent to:", Tone.DIM))]
    for row in failed:
        place = f"{row.name} at {row.host}" if row.host else row.name
        lines += wrap(line((f"{row.failures:>7}  ", Tone.BAD), place), columns, indent=9)
    return lines


def _numbers(row: ReplicaRow) -> list[str | Piece]:
    percentiles = zip((row.p50_ms, row.p95_ms, row.p99_ms), _PERCENTILES, strict=True)
    return [
        str(row.requests),
        f"{100 * row.share:.1f} %",
        Piece(str(row.failures), Tone.BAD if row.failures else Tone.DIM),
        *(
            latency(value, backed=has_enough_samples(row.samples, one))
            for value, one in percentiles
        ),
    ]


def _left_out(services: Sequence[LeftOut]) -> tuple[str, str]:
    """Return the services that a run does not start, and their number."""
    if not services:
        return "", ""
    names = ", ".join(one.service for one in services)
    return f"Left out: {names}", f"{counted(len(services), 'service')} left out"


def _joined(parts: Sequence[str]) -> str:
    return " · ".join(filter(None, parts))
