"""Text that would take over a terminal, in everything that the commands print."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness import Bench
from tests.support.hostile import (
    HOSTILE,
    QUOTED,
    SHORT,
    hostile_profile,
    save_hostile_run,
    unsafe_characters,
)
from tests.support.pty_harness import Terminal
from tests.support.ui_harness import held

JOURNALS = ("containers", "faults", "interrupted")

COMMANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "profiles": (("profiles",), "DCS"),
    "plan": (("plan", SHORT), "m1_u2_s10"),
    "validate": (("validate",), "unknown key"),
    "an invalid profile": (("plan", f"bad{SHORT}"), "unknown key"),
    "a profile that is no YAML": (("plan", f"worse{SHORT}"), "invalid YAML"),
    "runs": (("runs",), "DCS"),
    "report": (("report", f"faults{SHORT}"), "not settled"),
    "report of containers": (("report", f"containers{SHORT}"), "out of memory"),
    "json": (("report", f"containers{SHORT}", "--json"), "DCS"),
    "csv": (("report", f"containers{SHORT}", "--csv"), "out of memory"),
    "markdown": (("report", f"containers{SHORT}", "--markdown"), "out of memory"),
    "series": (("report", f"containers{SHORT}", "--series"), "model-1"),
    "events": (("attach", "--plain", f"containers{SHORT}"), "DCS"),
    "events of faults": (("attach", "--plain", f"faults{SHORT}"), "measured again"),
    "stop": (("stop", f"faults{SHORT}"), "is not live"),
    "label": (("label", f"faults{SHORT}", SHORT), "OSC"),
    "resume": (("run", "--resume", f"interrupted{SHORT}"), "belongs to the workspace"),
    "doctor": (("doctor",), "OSC"),
    "doctor of a profile": (("doctor", SHORT), "problem"),
    "doctor of an invalid profile": (("doctor", f"bad{SHORT}"), "unknown key"),
    "new": (("new", HOSTILE), "is not a folder"),
    "init": (("init", SHORT), "Created a workspace"),
    "unknown command": ((HOSTILE,), "No such command"),
    "unknown option": (("run", f"--{HOSTILE}"), "No such option"),
    "option value": (("--refresh", HOSTILE, "runs"), "Invalid value"),
    "override": (("plan", SHORT, "--set", f"{HOSTILE}=1"), "unknown key"),
    "profile name": (("run", f"{HOSTILE}.yaml"), "no profile"),
    "run name": (("report", HOSTILE), "no run"),
    "workspace": (("--workspace", HOSTILE, "runs"), "is not a workspace"),
    "cell": (("run", "--resume", f"interrupted{SHORT}", "--again", HOSTILE), "belongs to"),
}
"""Arguments of the commands, and part of the output that shows that they got that far."""

ON_A_TERMINAL = ("profiles", "runs", "report of containers", "events", "unknown option", "doctor")
"""Commands whose output is different on a terminal, and one that fails."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return a workspace in which every text is hostile."""
    made = Bench.make(tmp_path_factory.mktemp(SHORT), hostile_profile(), SHORT)
    made.save_profile(f"{{{QUOTED}: 1, users: [{QUOTED}]}}", f"bad{SHORT}")
    made.save_profile("k\u202eey: [\n", f"worse{SHORT}")
    for journal in JOURNALS:
        save_hostile_run(made, journal, f"{journal}{SHORT}")
    yield made
    made.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_output_is_printable(bench: Bench, name: str) -> None:
    arguments, expected = COMMANDS[name]

    result = bench.call(*(f"{a}-pipe" if a == SHORT and name == "init" else a for a in arguments))

    output = result.stdout + result.stderr
    assert expected in output
    assert unsafe_characters(output) == set()


@pytest.mark.parametrize("name", ON_A_TERMINAL)
def test_output_on_a_terminal_is_printable(bench: Bench, name: str) -> None:
    arguments, expected = COMMANDS[name]
    terminal = _terminal(bench, *arguments)

    terminal.wait()

    output = terminal.output.decode("utf-8")
    terminal.close()
    assert expected in output.replace("\r\n", " ")
    assert unsafe_characters(output, on_terminal=True) == set()


def test_progress_of_a_live_run_is_printable(bench: Bench) -> None:
    folder = save_hostile_run(bench, "interrupted", f"live{SHORT}")
    with held(folder):
        terminal = _terminal(bench, "attach", "--plain", f"live{SHORT}")
        terminal.wait_for("m1_u8_s8 ·", "left")

    terminal.wait()

    terminal.close()
    assert unsafe_characters(terminal.output.decode("utf-8"), on_terminal=True) == set()


def test_json_keeps_the_value_of_unprintable_characters(bench: Bench) -> None:
    result = bench.call("report", f"containers{SHORT}", "--json")

    hardware = json.loads(result.stdout)["hardware"]
    assert hardware["cpu"].endswith(HOSTILE)


def test_json_needs_no_utf8(bench: Bench) -> None:
    name = f"containers{SHORT}"

    result = bench.call("report", name, "--json", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    table = bench.call("report", name, PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert json.loads(result.stdout)["hardware"]["cpu"].endswith(HOSTILE)
    assert "m1_u1_s20" in table.stdout
    assert result.stdout.isascii()
    assert table.stdout.isascii()


def test_a_newline_in_a_description_does_not_break_the_table(tmp_path: Path) -> None:
    bench = Bench.make(tmp_path, hostile_profile().replace(r"\x1b]0;", r"\n\tforged  "))

    lines = bench.call("profiles").stdout.splitlines()

    assert len(lines) == 2
    assert lines[1].startswith("fast")


def test_completions_are_printable(bench: Bench) -> None:
    result = bench.call(
        _LOADBENCH_TUI_COMPLETE="bash_complete", COMP_WORDS="x init \x1b]0;OSC\x07", COMP_CWORD="2"
    )

    assert "OSC" in result.stdout
    assert unsafe_characters(result.stdout) == set()


def _terminal(bench: Bench, *arguments: str) -> Terminal:
    command = [sys.executable, "-m", "loadbench", *arguments]
    environment = {"XDG_STATE_HOME": str(bench.home), "HOME": str(bench.home)}
    return Terminal(command, bench.root, environment=environment)
