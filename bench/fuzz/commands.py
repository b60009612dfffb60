"""Lines of `commands.jsonl`, as the runner reads and answers them."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from random import Random

from bench.fuzz.harness import Input, Kind, require
from bench.fuzz.values import DEEP, changed_json, damaged, moved, text, token
from bench.fuzz.workspace import JOURNALS
from loadbench.engine.journal.codec import Entry, decode, encode
from loadbench.engine.journal.commands import FILE_NAME, NAMES
from loadbench.engine.journal.events import Event
from loadbench.engine.journal.state import EMPTY, RunState
from loadbench.engine.run.control_loop import ControlLoop, SkipRequested
from loadbench.engine.run.steps.stop_flag import StopRequested

HEALTHY = b'{"id":"healthy","at":"","command":"label","args":{"text":"healthy"}}\n'
"""The last line of each file, which must be answered."""
MAX_POLLS = 2000


class MemoryJournal:
    """A journal in memory that converts each event to a line and back."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def append(self, event: Event) -> Entry:
        """Keep an event, and return its entry as a reader would read it."""
        entry = Entry(len(self.lines) + 1, "2026-11-22T07:21:00.000Z", 1.0, event)
        line = encode(entry)
        self.lines.append(line)
        found = decode(line.removesuffix(b"\n"), Path("journal.jsonl"))
        require(found is not None, "an answer that readers can read", line[:200])
        return entry

    def release_reserve(self) -> None:
        """Do nothing: there is no reserve."""


class Commands(Kind):
    """Files of commands, read and answered by the control loop in many states of a run."""

    name = "commands"
    share = 7.0

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self._states = [
            state for name in ("demo", "faults", "interrupted") for state in _states(name)
        ]

    def known(self) -> dict[str, Input]:  # noqa: D102
        return {
            "nested line": Input(b"[" * DEEP + b"\n", "6"),
            "nested args": Input(
                b'{"id":"a","command":"add","args":' + b"[" * 900 + b"]" * 900 + b"}\n", "6"
            ),
            "folder": Input(b"", "6:folder"),
            "link to nothing": Input(b"", "6:dangling"),
            "named pipe": Input(b"", "6:pipe"),
            "5000 digits": Input(b'{"id":' + b"9" * 5000 + b',"command":"stop"}\n', "6"),
            "30 MB line": Input(b'{"id":"' + b"x" * 30_000_000 + b'"}\n', "6"),
        }

    def make(self, random: Random) -> Input:  # noqa: D102
        lines = [self._line(random) for _ in range(random.choice((1, 1, 2, 5, 20)))]
        if random.random() < 0.2:
            lines = moved(random, lines, lines)
        data = b"".join(line + b"\n" for line in lines)
        if random.random() < 0.2:
            data = damaged(random, data)
        return Input(data, str(random.randrange(len(self._states))))

    def check(self, given: Input) -> bool:  # noqa: D102
        assert isinstance(given.data, bytes)
        index, _, place = given.mode.partition(":")
        file = self._folder / FILE_NAME
        _write(file, given.data, place)
        journal = MemoryJournal()
        loop = ControlLoop(self._folder, journal, self._states[int(index)], tick_s=0.0)  # type: ignore[arg-type]
        try:
            answered = self._answer_all(loop)
            if not place:
                require("healthy" in loop.state.answered, "a valid line after bad ones is answered")
            return answered > (not place)
        finally:
            loop.background.shutdown()

    def _answer_all(self, loop: ControlLoop) -> int:
        """Poll until all commands are answered, and return their number."""
        before = len(loop.state.answered)
        for _ in range(MAX_POLLS):
            try:
                loop.poll(max_wait_s=0.0)
            except (StopRequested, SkipRequested):
                continue
            break
        loop.reject_stale_commands()
        return len(loop.state.answered) - before

    def _line(self, random: Random) -> bytes:
        fields = {
            "id": random.choice((str(random.random()), text(random), 5, None)),
            "at": random.choice(("2026-11-22T07:21:00.000Z", text(random))),
            "command": random.choice((*NAMES, *NAMES, text(random))),
            "cell": random.choice((None, "m1_u2_s8", "m2_u8_s8", "m1_u2_s5", text(random))),
            "args": random.choice(
                (
                    None,
                    {"models": 1, "users": 2, "spawn_rate": 3},
                    {"models": 10**30, "users": "1e9", "spawn_rate": 0.001},
                    {"models": True, "users": 2.5, "spawn_rate": float("nan")},
                    {"text": text(random)},
                    {"text": ["x"]},
                    text(random),
                )
            ),
        }
        line = json.dumps({key: item for key, item in fields.items() if random.random() < 0.9})
        match random.randrange(5):
            case 0:
                return token(random).encode("utf-8", "surrogatepass")
            case 1:
                return damaged(random, line.encode())
            case 2 | 3:
                return changed_json(random, line.encode())
            case _:
                return line.encode()


def _states(name: str) -> list[RunState]:
    """Return states of a recorded run at several moments."""
    file = JOURNALS / f"{name}.jsonl"
    found, state = [], EMPTY
    lines = file.read_bytes().splitlines()
    for number, line in enumerate(lines, start=1):
        if entry := decode(line, file):
            state = state.apply(entry)
        if number in (1, 3, len(lines) // 3, len(lines) // 2, len(lines)):
            found.append(state)
    return found


def _write(file: Path, data: bytes, place: str) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    file.unlink(missing_ok=True)
    match place:
        case "folder":
            file.mkdir()
        case "dangling":
            file.symlink_to("nothing")
        case "pipe":
            os.mkfifo(file)
        case _:
            end = b"" if data.endswith(b"\n") or not data else b"\n"
            file.write_bytes(data + end + HEALTHY)
