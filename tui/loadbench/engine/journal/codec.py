"""A line of a journal: a JSON object, `type` first. Only this module knows the order of fields.

Lines are told apart by their first bytes, so that what nobody needs is never parsed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from loadbench.engine.journal.events import (
    UNRECORDED,
    CellFailed,
    CellFinished,
    CellSkipped,
    CellStarted,
    CommandAnswered,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
    Sample,
)
from loadbench.errors import JournalError

VERSION = 1
FILE_NAME = "journal.jsonl"

_WITH_CLIENTS = (Sample.type, CellFinished.type)
"""What these hold of a single load generator stands in their lines as fields of their own."""
_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind.type: TypeAdapter(kind) for kind in get_args(Event)}
BEGIN_PREFIX = f'{{"type":"{RunStarted.type}"'.encode()
SAMPLE_PREFIX = f'{{"type":"{Sample.type}"'.encode()
COMMAND_PREFIX = f'{{"type":"{CommandAnswered.type}"'.encode()
START_PREFIX = f'{{"type":"{CellStarted.type}"'.encode()
OVER_PREFIXES = tuple(
    f'{{"type":"{kind.type}"'.encode() for kind in (CellFinished, CellFailed, CellSkipped)
)
RUN_PREFIXES = tuple(f'{{"type":"{kind.type}"'.encode() for kind in (RunResumed, RunFinished))
HEAD_BYTES = 160
"""Type, number, times and the cell are within these of every line."""
NEXT_CELL_PREFIXES = tuple(
    f'{{"type":"{kind.type}"'.encode() for kind in (CellStarted, CellFinished, CellFailed)
)
"""A skipped cell need not be the one that is being measured, so that is none of them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    seq: int
    at: str
    """UTC, ISO 8601, with milliseconds."""
    elapsed_s: float
    """Monotonic seconds since the run was started or resumed."""
    event: Event


def decode(line: bytes, path: Path) -> Entry | None:
    """Return the entry of a whole line; None: it is not one that this version knows.

    Args:
        line: The line.
        path: The file that it is of, for messages.

    Raises:
        JournalError: The journal's major version is not ours, or its first line is broken.
    """
    try:
        # Unlike the standard library's, it makes equal strings one: each second repeats them all.
        fields = from_json(line)
        kind = fields["type"]
        if kind == RunStarted.type and fields["v"] != VERSION:
            raise JournalError(
                f"{path}: format version {fields['v']}, this program reads {VERSION}; "
                "use the loadbench-tui that wrote it, or a newer one"
            )
        if kind == CellFinished.type and "findings" not in fields:
            reasons: list[str] = fields["reasons"]
            fields["findings"] = [{"rule": UNRECORDED, "text": it} for it in reasons]
        if kind in _WITH_CLIENTS and "clients" not in fields:
            cpu_cores, lag_ms = fields["client_cpu_cores"], fields.get("client_lag_ms")
            fields["clients"] = [{"cpu_cores": cpu_cores, "lag_ms": lag_ms}]
        event = _ADAPTERS[kind].validate_python(fields)
        return Entry(fields["seq"], fields["at"], fields["elapsed_s"], event)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        if line.startswith(BEGIN_PREFIX):
            raise JournalError(f"{path}: its first line cannot be read") from error
        return None


def encode(entry: Entry) -> bytes:
    """Return the line of an entry, with its newline."""
    fields = {
        "type": entry.event.type,
        "seq": entry.seq,
        "at": entry.at,
        "elapsed_s": entry.elapsed_s,
        **_ADAPTERS[entry.event.type].dump_python(entry.event, mode="json"),
    }
    if isinstance(entry.event, CellFinished):
        fields["reasons"] = entry.event.reasons
    if isinstance(entry.event, CellFinished | Sample) and len(entry.event.clients) == 1:
        [client] = entry.event.clients
        del fields["clients"]
        fields["client_cpu_cores"] = client.cpu_cores
        if client.lag_ms is not None:
            fields["client_lag_ms"] = client.lag_ms
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def mark_of(cell: str) -> bytes:
    """Return what the head of each entry of a cell has in it."""
    return f'"cell":{json.dumps(cell)}'.encode()
