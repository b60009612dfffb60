"""Completion by Tab in real shells."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.harness import Bench
from tests.support.pty_harness import Terminal

PROMPT = "ready> "
BIN = Path(sys.executable).parent
SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-i"],
    "zsh": ["zsh", "--no-rcs", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SETUP = {
    "bash": "PS1='{prompt}'; source <(loadbench-tui completion bash)",
    "zsh": "PS1='{prompt}'; autoload -Uz compinit && compinit -D; "
    "source <(loadbench-tui completion zsh)",
    "fish": "function fish_prompt; echo '{prompt}'; end; loadbench-tui completion fish | source",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_commands_and_profiles(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    bench = Bench.make(tmp_path / "bench", name="quick_look")
    study = bench.reports / "studies" / "devices"
    study.mkdir(parents=True)
    (study / "study.json").write_text("{}")
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LOADBENCH_WORKSPACE": str(bench.root),
    }
    terminal = Terminal(SHELLS[shell], tmp_path, environment=environment)
    try:
        terminal.until_quiet()
        terminal.press(SETUP[shell].format(prompt=PROMPT) + "; clear\r")
        terminal.until(lambda: terminal.text.lstrip().startswith(PROMPT.strip()), what="prompt")
        terminal.press("loadbench-tui vali\t")
        terminal.wait_for("loadbench-tui validate")
        terminal.press("qui\t")
        terminal.wait_for("loadbench-tui validate quick_look")
        terminal.press("\x15loadbench-tui run --study=dev\t")
        terminal.wait_for("loadbench-tui run --study=devices")
    finally:
        terminal.close()
