"""The files that inputs are read from, and the command line in this process or in another."""

import io
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.fuzz.harness import require
from loadbench.workspace import Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
JOURNALS = REPOSITORY / "tests" / "journals"
PROFILES = REPOSITORY / "profiles"

EXIT_CODES = (0, 2, 3, 4, 130, 141)
"""The documented exit codes, other than 1, which only `--check` may return."""
PROCESS_LIMIT_S = 60.0

_RAW = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""Control characters that a terminal may act on."""


@dataclass(frozen=True, slots=True)
class Printed:
    """The output and the exit code of a command."""

    code: Any
    out: str
    err: str


def make_workspace(root: Path) -> Workspace:
    """Create a workspace with the shipped profiles, and links to all other files."""
    (root / "profiles").mkdir(parents=True)
    for file in PROFILES.glob("*.yaml"):
        shutil.copy(file, root / "profiles")
    for part in ("stack", "images", "locustfile.py"):
        (root / part).symlink_to(REPOSITORY / part)
    return Workspace(root, root / "reports")


def add_run(workspace: Workspace, profile: str, run: str, data: bytes) -> Path:
    """Write a journal to the folder of a run, and return the folder."""
    folder = workspace.reports / profile / run
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "journal.jsonl").write_bytes(data)
    return folder


def prepare_commands() -> None:
    """Import the command line, and make sure that it starts no run and no terminal UI."""
    import loadbench.cli.main
    import loadbench.cli.run
    import loadbench.ui.show
    from loadbench.errors import RefusedError

    def refuse(*_arguments: object, **_options: object) -> None:
        raise RefusedError("no run is started by this benchmark")

    def reraise(error: BaseException, *_arguments: object) -> None:
        raise error

    # Internal errors are reported without a traceback, but each is a failure here.
    for name in ("loadbench.cli.commands", "loadbench.cli.run"):
        if hasattr(module := sys.modules.get(name), "save_traceback"):
            setattr(module, "save_traceback", reraise)  # noqa: B010  # missing in older versions
    loadbench.cli.run.start_runner = refuse  # type: ignore[assignment]
    loadbench.cli.run.preview = refuse  # type: ignore[assignment]
    loadbench.ui.show.show = lambda *_arguments, **_options: None  # type: ignore[assignment]
    # Without the docker command, which takes most of the time of `plan` and `validate`.
    os.environ["PATH"] = "/nonexistent"


def call_here(arguments: Sequence[str]) -> Printed:
    """Run a command in this process.

    Raises:
        Exception: Not reported by the program, so its user would see a traceback.
    """
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", "strict", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True)
    before, sys.argv = sys.argv, ["loadbench-tui", *arguments]
    code: Any = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            runpy.run_module("loadbench", run_name="__main__")
    except SystemExit as error:
        code = error.code
    finally:
        sys.argv = before
    return Printed(code or 0, _text(out), _text(err))


def call_process(arguments: Sequence[str], folder: Path) -> Printed:
    """Run a command in another process."""
    done = subprocess.run(
        [sys.executable, "-m", "loadbench", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PROCESS_LIMIT_S,
        check=False,
    )
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    return Printed(done.returncode, out, err)


def check_printed(printed: Printed, arguments: Sequence[str]) -> None:
    """Check the output and the exit code of a command."""
    text = printed.out + printed.err
    for phrase in ("Traceback (most recent", "Traceback saved to", "internal error: "):
        require(phrase not in text, f"no {phrase.strip(': ')!r} in the output", text[-300:])
    command = next((word for word in arguments if word in COMMANDS), "no command")
    code_rule = f"a documented exit code from {command}"
    require(printed.code in EXIT_CODES, code_rule, f"{printed.code} {printed.err[-200:]!r}")
    for name, part in (("stdout", printed.out), ("stderr", printed.err)):
        raw = _RAW.search(part)
        shown = repr(part[max(0, raw.start() - 60) : raw.end() + 20]) if raw else ""
        require(not raw, f"no control characters in {name} of {command}", shown)


COMMANDS = ("run", "plan", "validate", "profiles", "attach", "runs", "label", "stop", "report")
COMMANDS += ("init", "doctor")


def _text(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
