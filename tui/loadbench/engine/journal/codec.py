"""Encode and decode the lines of a journal: one JSON object each, with `type` first.

Only this module knows the order of fields. Lines are classified by their first bytes, so that
unneeded lines are never parsed.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from loadbench.engine.bounds.lines import MAX_LINE_BYTES
from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.journal.events import (
    MAX_VALUE,
    UNRECORDED,
    CellFailed,
    CellFinished,
    CellSkipped,
    CellStarted,
    CommandAnswered,
    Conditions,
    Containers,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
    Sample,
)
from loadbench.engine.masking import Masker
from loadbench.errors import JournalError

VERSION = 1
FILE_NAME = "journal.jsonl"

_WITH_CLIENTS = (Sample.type, CellFinished.type)
"""Types whose `clients` field is flattened into separate fields if there is one load generator."""
_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind.type: TypeAdapter(kind) for kind in get_args(Event)}
RUN_STARTED_PREFIX = f'{{"type":"{RunStarted.type}"'.encode()
SAMPLE_PREFIX = f'{{"type":"{Sample.type}"'.encode()
COMMAND_PREFIX = f'{{"type":"{CommandAnswered.type}"'.encode()
CELL_STARTED_PREFIX = f'{{"type":"{CellStarted.type}"'.encode()
CELL_ENDED_PREFIXES = tuple(
    f'{{"type":"{kind.type}"'.encode() for kind in (CellFinished, CellFailed, CellSkipped)
)
RUN_RESUMED_PREFIX = f'{{"type":"{RunResumed.type}"'.encode()
RUN_PREFIXES = tuple(f'{{"type":"{kind.type}"'.encode() for kind in (RunResumed, RunFinished))
MIN_YEAR, MAX_YEAR = 1970, 9998
HEAD_BYTES = 160
"""Length in bytes of the head of a line, which contains its type, number, times and cell."""
NEXT_CELL_PREFIXES = tuple(
    f'{{"type":"{kind.type}"'.encode() for kind in (CellStarted, CellFinished, CellFailed)
)
"""Excludes `cell_skipped`, since the skipped cell may not be the current one."""


_OMITTED = {"received_bytes": None, "received_error_bytes": 0, "unloaded_cpu_cores": None}
"""Fields of containers that are omitted if they have this value, which keeps samples short."""
_OMITTED_IF_ZERO = ("untimed_successes", "untimed_failures")
"""Fields of requests that are omitted if they are 0."""
_OMITTED_IF_UNSET = ("completed", "stages")
"""Fields of requests that are omitted if they are None."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    seq: int
    at: str
    """UTC, ISO 8601, with milliseconds."""
    elapsed_s: float
    """Monotonic seconds since the run started or was last resumed."""
    event: Event


def decode(line: bytes, path: Path) -> Entry | None:
    """Decode a complete line.

    Args:
        line: The line, without its newline.
        path: The journal, for error messages.

    Returns:
        The entry, or None if this version does not know the type.

    Raises:
        BadInputError: The line is damaged: it is too large, it is not JSON, or a field is invalid.
        JournalError: The major version is not supported.
    """
    entry, version = parse(line, _decode, max_bytes=MAX_LINE_BYTES)
    if version not in (None, VERSION):
        raise JournalError(
            f"{path}: unsupported format version {version} (this program reads {VERSION}). "
            "Use the loadbench-tui version that wrote the journal, or a newer one"
        )
    return entry


def _decode(line: bytes) -> tuple[Entry | None, int | None]:
    """Return the entry, or None if it cannot be read; and the version of a `run_started` event."""
    # Unlike `json`, `from_json` shares equal strings, which saves memory: samples repeat them.
    fields = from_json(line)
    kind = fields.get("type") if isinstance(fields, dict) else None
    if not isinstance(kind, str):
        raise BadInputError("not an event")
    if kind not in _ADAPTERS:
        return None, None
    version = None
    if kind == RunStarted.type:
        version = fields.get("v")
        if type(version) is not int:
            raise BadInputError("v: not a number")
        if version != VERSION:
            return None, version
    _check_head(fields)
    if kind == CellFinished.type and "findings" not in fields:
        reasons: list[str] = fields["reasons"]
        fields["findings"] = [{"rule": UNRECORDED, "text": reason} for reason in reasons]
    if kind in _WITH_CLIENTS and "clients" not in fields:
        cpu_cores, lag_ms = fields.get("client_cpu_cores"), fields.get("client_lag_ms")
        fields["clients"] = [{"cpu_cores": cpu_cores, "lag_ms": lag_ms}]
    try:
        event = _ADAPTERS[kind].validate_python(fields)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise BadInputError(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}") from None
    return Entry(fields["seq"], fields["at"], float(fields["elapsed_s"]), event), version


def _check_head(fields: dict[str, Any]) -> None:
    """Raise `BadInputError` if the number or a time of an entry is invalid."""
    seq, at, elapsed_s = (fields.get(name) for name in ("seq", "at", "elapsed_s"))
    if type(seq) is not int or not 1 <= seq <= MAX_VALUE:
        raise BadInputError("seq: not a positive number")
    is_number = isinstance(elapsed_s, int | float) and not isinstance(elapsed_s, bool)
    if not is_number or not 0 <= float(elapsed_s or 0) <= MAX_VALUE:
        raise BadInputError("elapsed_s: not a number of seconds")
    if read_time(at) is None:
        raise BadInputError("at: not a time in UTC")


def read_time(at: object) -> datetime | None:
    """Parse the time of an entry. Return None if it is invalid."""
    try:
        time = datetime.fromisoformat(at)  # type: ignore[arg-type]  # TypeError is handled
    except (TypeError, ValueError):
        return None
    # The limits keep the conversion to other time zones from raising OverflowError.
    return time if time.tzinfo and MIN_YEAR <= time.year <= MAX_YEAR else None


_NEVER_SECRET = (
    *("run", "workspace", "profile_name", "profile_file", "cells", "driver", "project"),
    *("profile", "overrides", "masked", "window_s"),  # already masked, by their keys
    *("cell", "phase", "verdict", "rule", "retry", "added", "id", "command", "result"),
    *("step", "images", "containers", "container"),
)
"""Fields with identifiers, which must not change even if a secret value occurs in them."""


E = TypeVar("E", bound=Event)


def masked_event(event: E, masker: Masker) -> E:
    """Return an event with the secret values in its texts masked."""
    adapter: TypeAdapter[E] = _ADAPTERS[event.type]
    fields = masker.fields(adapter.dump_python(event, mode="json"), unchanged=_NEVER_SECRET)
    return adapter.validate_python(fields)


def encode(entry: Entry) -> bytes:
    """Encode an entry as a line, with its newline."""
    fields = {
        "type": entry.event.type,
        "seq": entry.seq,
        "at": entry.at,
        "elapsed_s": entry.elapsed_s,
        **_ADAPTERS[entry.event.type].dump_python(entry.event, mode="json"),
    }
    if isinstance(entry.event, RunStarted):
        _remove_empty(fields, "label", "masked", "target", "window_s", "revisions")
    if isinstance(entry.event, CellFinished):
        fields["reasons"] = entry.event.reasons
        for one in fields["replicas"]:
            _remove_empty(one, *_OMITTED_IF_ZERO)
        _remove_empty(fields, "host", "replicas", "user_classes", "early_failures", "notes")
        if service := (fields["circumstances"] or {}).get("service"):
            _remove_empty(service, "images")
    for container in _containers(entry.event, fields):
        for name, default in _OMITTED.items():
            if name in container and container[name] == default:
                del container[name]
    if isinstance(entry.event, CellFinished | Sample):
        _shorten_requests(fields)
    if isinstance(entry.event, CellFinished | Sample) and len(entry.event.clients) == 1:
        [client] = entry.event.clients
        del fields["clients"]
        fields["client_cpu_cores"] = client.cpu_cores
        if client.lag_ms is not None:
            fields["client_lag_ms"] = client.lag_ms
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def _shorten_requests(fields: dict[str, Any]) -> None:
    """Remove the fields without a value from requests and measurements."""
    for one in fields["requests"]:
        _remove_empty(one, *_OMITTED_IF_ZERO, "custom_events", "undelayed")
        for name in _OMITTED_IF_UNSET:
            if one[name] is None:
                del one[name]
    for one in fields["measurements"]:
        _remove_empty(one, "failures")
    _remove_empty(fields, "measurements")


def _containers(event: Event, fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the containers in the fields of an event, or their use."""
    match event:
        case Sample() | Containers():
            return list(fields["containers"])
        case CellFinished(circumstances=Conditions()):
            return list(fields["circumstances"]["containers"])
        case _:
            return []


def _remove_empty(fields: dict[str, Any], *names: str) -> None:
    for name in names:
        if not fields[name]:
            del fields[name]


def cell_marker(cell: str) -> bytes:
    """Return the bytes that identify a cell in the heads of its lines."""
    return f'"cell":{json.dumps(cell)}'.encode()
