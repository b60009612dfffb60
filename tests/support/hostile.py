"""Text that would take over a terminal, planted into profiles, journals and folder names."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

from tests.support.harness import FAST, Bench

JOURNALS = Path(__file__).resolve().parents[1] / "journals"

HOSTILE = (
    "A\x1b]0;OSC\x07\x1b]8;;http://x\x1b\\B\x1b[6n\x1b[2JC\x1bPqDCS\x1b\\"
    "\x9b6n\x9d0;C1\x9c\x85\x90D\u202eE\u2066F\u2069\u200fG\u061cH\u2028I\u2029J\ufeffK"
    "\r\x08\x0b\x0c\x7f\xadL\u200b\U000e0041Z"
)
"""OSC, CSI, DCS, their C1 forms, bidirectional and invisible characters, and a tag character."""
SHORT = "a\x1b]0;OSC\x07\x1b[6n\x9b6n\u202eb\x85\u2028z"
"""A part of it, for names of files and folders."""
QUOTED = yaml.safe_dump(HOSTILE, default_style='"', width=1000).strip()
"""The text in YAML, which does not allow most of its characters without escapes."""

_RICH_CODES = re.compile(r"\x1b\[(?:\?25[lh]|\d*[AK]|[\d;]*m)|\r")
"""Terminal codes of the progress bar: the cursor, lines and colours, none of them in `HOSTILE`."""
_UNCHANGED = frozenset(
    (
        *("type", "at", "id", "phase", "verdict", "result", "command", "cell", "run", "device"),
        *("profile_name", "run_time", "startup_timeout", "timeout", "max", "window", "driver"),
        *("model", "health_state", "rule"),
    )
)
"""Keys whose values are a fixed set of words, times or numbers, or link events to each other."""
_PATHS = frozenset(("locustfile", "images", "compose"))
"""Keys of a profile whose values contain no line breaks."""


def unsafe_characters(output: str, *, on_terminal: bool = False) -> set[str]:
    """Return the names of all characters of an output that may change more than their own cell."""
    if on_terminal:
        output = _RICH_CODES.sub("", output)
    categories = {c: unicodedata.category(c) for c in set(output) - set("\n\t")}
    return {ascii(c) for c, name in categories.items() if name in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def hostile_journal(name: str) -> list[str]:
    """Return the lines of a golden journal with hostile text in every free text."""
    lines = (JOURNALS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.dumps(_planted(json.loads(line), "")) for line in lines]


def save_hostile_run(bench: Bench, journal: str, name: str = SHORT) -> Path:
    """Save a run with hostile text in a folder with a hostile name."""
    folder = bench.reports / name / "20261126-153032"
    folder.mkdir(parents=True)
    started, *events = hostile_journal(journal)
    unplanned = {**json.loads(started), "type": "cell_started", "cell": HOSTILE, "attempt": 1}
    lines = [started, json.dumps(unplanned), *events, ""]
    (folder / "journal.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def hostile_profile(text: str = FAST) -> str:
    """Return a valid profile with a hostile description."""
    return text.replace("a fast one for tests", QUOTED)


def _planted(value: Any, key: str) -> Any:
    match value:
        case dict():
            return {name: _planted(item, name) for name, item in value.items()}
        case list():
            return [_planted(item, key) for item in value]
        case str() if key in _PATHS:
            return value + HOSTILE.replace("\r", "")
        case str() if key not in _UNCHANGED:
            return value + HOSTILE
        case _:
            return value
