"""The example workflow for pull requests: its steps, and their shell commands executed here.

Only the steps that check out and install are replaced. The pull request makes the included service
slower, so its regression is certain on every machine.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadbench.cli.exit_codes import Exit
from tests.support.git_repositories import commit_all, git
from tests.support.harness import REPOSITORY, TIMEOUT_S
from tests.support.junit import parsed

WORKFLOW = REPOSITORY / "docs" / "examples" / "pull-request.yml"
INSTALL = "Install loadbench-tui"
COMPARE = "Compare the head with the base"
PROFILE = """
models: [1]
users: [2]
spawn_rates: [10]
run_time: 3s
settle: {max: 0s}
stack: {driver: local, startup_timeout: 60s}
load: {timeout: 5s}
"""
SLOWER = ("            image = read_image(request)", "            time.sleep(0.2)\n")
"""A line of the API, and what the pull request inserts before it."""


def workflow() -> Mapping[Any, Any]:
    found: Mapping[Any, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    return found


def steps() -> list[Mapping[str, Any]]:
    [job] = workflow()["jobs"].values()
    found: list[Mapping[str, Any]] = job["steps"]
    return found


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Runner"]:
    """Return a runner after its check-out, with the merge commit of a pull request in `head`."""
    made = Runner(tmp_path_factory.mktemp("runner"))
    head = made.folder / "head"
    (head / "profiles").mkdir(parents=True)
    (head / "profiles" / "pull-request.yaml").write_text(PROFILE)
    (head / ".gitignore").write_text("/reports/\n__pycache__/\n")
    shutil.copytree(
        REPOSITORY / "stack",
        head / "stack",
        ignore=shutil.ignore_patterns("*.onnx", "__pycache__"),
    )
    network = next((REPOSITORY / "stack" / "model").glob("*.onnx"))
    (head / "stack" / "model" / network.name).symlink_to(network)
    for part in ("images", "locustfile.py"):
        (head / part).symlink_to(REPOSITORY / part)
    commit_all(head)
    git(head, "checkout", "--quiet", "-b", "change")
    app = head / "stack" / "api" / "app.py"
    line, inserted = SLOWER
    assert app.read_text().count(line) == 1
    app.write_text(app.read_text().replace(line, inserted + line))
    git(head, "commit", "--quiet", "--all", "--message", "slower")
    git(head, "checkout", "--quiet", "-")
    git(head, "merge", "--quiet", "--no-ff", "--message", "merge", "change")
    yield made
    git(head, "worktree", "prune")


class Runner:
    """Executes steps like a runner of GitHub Actions on Linux.

    Args:
        folder: The folder in which steps start.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary = folder / "summary.md"
        programs = folder / "bin"
        programs.mkdir()
        program = programs / "loadbench-tui"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m loadbench "$@"\n')
        program.chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }

    def execute(self, command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * TIMEOUT_S,
            check=False,
        )

    def execute_steps(self) -> dict[str, "subprocess.CompletedProcess[str]"]:
        """Execute the shell commands of the workflow; after a failure, only those that always run.

        Returns:
            The results by the name of the step.
        """
        results: dict[str, subprocess.CompletedProcess[str]] = {}
        for step in steps():
            has_failed = any(result.returncode for result in results.values())
            if "run" not in step or step["name"] == INSTALL:
                continue
            if not has_failed or step.get("if") == "${{ !cancelled() }}":
                results[step["name"]] = self.execute(step["run"])
        return results


def test_the_steps_find_a_regression_and_its_reversal_passes(runner: Runner) -> None:
    results = runner.execute_steps()

    codes = {name: result.returncode for name, result in results.items()}
    errors = "".join(result.stderr for result in results.values())
    assert codes == {
        "Check out the base": Exit.DONE,
        "Measure the base": Exit.DONE,
        "Measure the head": Exit.DONE,
        COMPARE: Exit.GATE_FAILED,
        "Add the results of the head to the summary": Exit.DONE,
    }, errors
    assert "Regression: geometric mean p50 +" in results[COMPARE].stderr
    assert results[COMPARE].stdout == ""
    [cases] = parsed(runner.folder / "comparison.xml").values()
    outcomes = {case.name: case.outcome for case in cases}
    assert outcomes["m1_u2_s10 p50"] == "failure"
    assert outcomes["comparable"] == "passed"
    summary = runner.summary.read_text()
    assert summary.startswith("**")
    assert "m1_u2_s10" in summary
    assert "Gate: " not in summary

    [command] = (step["run"] for step in steps() if step.get("name") == COMPARE)
    first, second = re.findall(r"\S+/latest", command)
    swapped = command.replace(f"{first} {second}", f"{second} {first}")
    assert swapped != command
    reverted = runner.execute(swapped)
    assert reverted.returncode == Exit.DONE, reverted.stderr
    assert "Gate: passed" in reverted.stderr


def test_the_workflow_has_only_the_permissions_and_actions_that_it_needs() -> None:
    assert workflow()["permissions"] == {"contents": "read"}
    actions = [step["uses"] for step in steps() if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action in actions)
    checkouts = [step["with"] for step in steps() if "checkout" in step.get("uses", "")]
    assert all(options["persist-credentials"] is False for options in checkouts)
    assert "pull_request_target" not in WORKFLOW.read_text()


def test_the_reports_are_kept_if_the_gate_fails() -> None:
    *_, summary, upload = steps()

    assert summary["if"] == upload["if"] == "${{ !cancelled() }}"
    kept = upload["with"]["path"].split()
    [compare] = (step["run"] for step in steps() if step.get("name") == COMPARE)
    for path in ("comparison.xml", "base/reports/", "head/reports/"):
        assert path in kept
        assert path in compare
