"""Arguments of the command line, in a workspace whose files contain hostile texts."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from bench.fuzz.harness import Input, Kind
from bench.fuzz.profiles import Settings
from bench.fuzz.values import ESCAPES, text
from bench.fuzz.workspace import (
    COMMANDS,
    JOURNALS,
    PROCESS_LIMIT_S,
    add_run,
    call_here,
    call_process,
    check_printed,
    make_workspace,
    prepare_commands,
)

PROCESS_SHARE = 0.03
"""Share of commands that run in a process of their own."""
RUNS = ("demo/20261122-111101", "faults/20261122-071022", "nasty/20261122-000000")
OPTIONS = {
    "run": ("--set", "--plain", "--detach", "--json", "--check", "--label", "--resume")
    + ("--retry-failed", "--retry-suspect", "--again", "--wait"),
    "plan": ("--set", "--set"),
    "attach": ("--plain", "--plain", "--plain"),
    "report": ("--json", "--series"),
    "profiles": ("--keys", "--schema"),
}
WITH_VALUE = ("--set", "--label", "--resume", "--again", "--workspace", "--refresh")
GLOBAL = ("--ascii", "--no-alerts", "--version", "--help", "-h", "--refresh", "--workspace")
NASTY = "\x1b]0;owned\x07\x9b31m\u202egnp\u202c\r\x85end"


class Arguments(Kind):
    """Command lines."""

    name = "arguments"
    share = 4.0

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self._settings = Settings()
        self._path = os.environ["PATH"]
        prepare_commands()
        os.environ["XDG_STATE_HOME"] = str(self._root / "state")
        os.environ["HOME"] = str(self._root / "home")
        self._make_files()

    def known(self) -> dict[str, Input]:  # noqa: D102
        found = {
            "description with escapes": Input(("profiles",)),
            "journal with escapes": Input(("runs",)),
            "labels and reasons with escapes": Input(("report", RUNS[2])),
            "series with escapes": Input(("report", RUNS[2], "--series")),
            "JSON with escapes": Input(("report", RUNS[2], "--json")),
            "plain view with escapes": Input(("attach", RUNS[2], "--plain")),
            "plan with escapes": Input(("plan", "escapes")),
            "validate with escapes": Input(("validate",)),
            "stop with escapes": Input(("stop", RUNS[2])),
            "over-long path": Input(("plan", "x" * 5000 + ".yaml")),
            "over-long run": Input(("report", "x" * 5000)),
            "over-long folder": Input(("init", "x" * 5000)),
            "NUL in a profile name": Input(("plan", "a\0b.yaml")),
            "NUL in a run name": Input(("report", "a\0b")),
            "NUL in a folder": Input(("init", "a\0b")),
            "NUL in a workspace": Input(("--workspace", "a\0b", "runs")),
            "surrogate in a run name": Input(("report", "\udcff")),
            "surrogate in a label": Input(("label", RUNS[0], "\udcff")),
        }
        for number, escape in enumerate(ESCAPES):
            for command in ("plan", "report", "init", "no such command"):
                given = (command.replace("no such", escape), f"x{escape}y")
                found[f"escape {number} in {command}"] = Input(given)
            found[f"escape {number} in --set"] = Input(("plan", "demo", "--set", f"x{escape}=1"))
            found[f"escape {number} in an option"] = Input(("runs", f"--x{escape}"))
            found[f"escape {number} in --workspace"] = Input(("--workspace", escape, "runs"))
        return found

    def make(self, random: Random) -> Input:  # noqa: D102
        command = random.choice(COMMANDS) if random.random() < 0.95 else text(random)
        words = [command]
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            words.append(self._word(random, command))
        for option in random.sample(
            OPTIONS.get(command, ()),
            min(len(OPTIONS.get(command, ())), random.choice((0, 1, 1, 2))),
        ):
            words += self._option(random, option)
        if random.random() < 0.2:
            words = [*self._option(random, random.choice(GLOBAL)), *words]
        if random.random() < 0.15:
            place = random.randrange(len(words))
            match random.randrange(3):
                case 0:
                    del words[place]
                case 1:
                    words.insert(place, text(random))
                case _:
                    random.shuffle(words)
        is_process = random.random() < PROCESS_SHARE and not {"run", "doctor"} & set(words)
        is_process = is_process and "\0" not in "".join(words) and _is_plain(words)
        return Input(tuple(words), "process" if is_process else "")

    def wait_s(self, given: Input) -> float:  # noqa: D102
        return PROCESS_LIMIT_S if given.mode else super().wait_s(given)

    def check(self, given: Input) -> bool:  # noqa: D102
        assert isinstance(given.data, tuple)
        arguments = _safe(given.data)
        folder = self._root / "bench"
        if given.mode:
            os.environ["PATH"] = self._path
            try:
                printed = call_process([_encodable(word) for word in arguments], folder)
            finally:
                os.environ["PATH"] = "/nonexistent"
        else:
            os.chdir(folder)
            printed = call_here(arguments)
        try:
            check_printed(printed, arguments)
        finally:
            if {"label", "init", "report"} & set(arguments):
                self._make_files()
        return printed.code == 0

    def _make_files(self) -> None:
        folder = self._root / "bench"
        shutil.rmtree(folder, ignore_errors=True)
        workspace = make_workspace(folder)
        nasty = json.dumps(NASTY)
        profile = f"description: {nasty}\nmodels: [1]\nusers: [2]\nspawn_rates: [1]\n"
        (workspace.profiles / "escapes.yaml").write_text(profile, encoding="utf-8")
        for number, entry in enumerate((f"? {nasty}", f"users: {nasty}", f"host: {nasty}")):
            file = workspace.profiles / f"invalid{number}.yaml"
            file.write_text(f"models: [1]\n{entry}\n", encoding="utf-8")
        name = f"name{NASTY}.yaml"
        (workspace.profiles / name).write_text(profile, encoding="utf-8")
        for run, golden in zip(RUNS, ("demo", "faults", "faults"), strict=True):
            data = (JOURNALS / f"{golden}.jsonl").read_bytes()
            if run == RUNS[2]:
                data = _with_escapes(data)
            folder_name, _, run_id = run.partition("/")
            add_run(workspace, folder_name, run_id, data)

    def _word(self, random: Random, command: str) -> str:
        names = (
            "demo",
            "with_cpu",
            "with_gpu",
            "batch_10",
            "escapes",
            "invalid0",
            "latest",
            "fast",
        )
        match random.randrange(5):
            case 0:
                return random.choice(names)
            case 1:
                return random.choice((*RUNS, "demo/latest", "reports/demo/20261122-111101"))
            case 2:
                return random.choice(("profiles/demo.yaml", ".", "..", "/", "m1_u2_s8", "new"))
            case 3 if command == "plan":
                return "demo"
            case _:
                return text(random)

    def _option(self, random: Random, option: str) -> list[str]:
        if option not in WITH_VALUE or random.random() < 0.05:
            return [option]
        value = text(random)
        if option == "--set" and random.random() < 0.8:
            data = self._settings.make(random).data
            value = data[0] if data else value
        elif option == "--resume" and random.random() < 0.7:
            value = random.choice(RUNS)
        elif option == "--refresh":
            value = random.choice(("1", "0", "nan", "1e999", text(random)))
        return random.choice(([option, value], [option, value], [f"{option}={value}"]))


def _safe(arguments: Sequence[str]) -> list[str]:
    """Return arguments whose folders for `init` are all inside the current folder."""
    words = list(arguments)
    if "init" in words:
        words = [
            word if word in COMMANDS or word.startswith("--") else _inside(word) for word in words
        ]
    return words


def _inside(word: str) -> str:
    return "created/" + word.lstrip("/").replace("..", "")


def _is_plain(words: Sequence[str]) -> bool:
    """Return whether a command line cannot open the terminal UI."""
    command = next((word for word in words if word in COMMANDS), "")
    return bool(command) and (command != "attach" or "--plain" in words)


def _encodable(word: str) -> str:
    return word.encode("utf-8", "replace").decode()


def _with_escapes(data: bytes) -> bytes:
    """Return a journal with escapes appended to every text that is no key, type or number."""
    lines = []
    for line in data.splitlines():
        fields = json.loads(line)
        for name in fields:
            if name not in ("type", "at", "cell", "phase", "verdict", "result", "profile", "cells"):
                fields[name] = _appended(fields[name])
        lines.append(json.dumps(fields, separators=(",", ":")).encode() + b"\n")
    return b"".join(lines)


def _appended(value: object) -> object:
    match value:
        case str():
            return value + NASTY
        case list():
            return [_appended(item) for item in value]
        case dict():
            return {key: _appended(item) for key, item in value.items()}
        case _:
            return value
