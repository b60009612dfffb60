"""`validate` checks locustfiles, too, without executing them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.main import main
from tests.support.harness import Bench

PROFILE = """
models: [1]
users: [1]
spawn_rates: [10]
host: http://127.0.0.1:8000
stack: {driver: external}
load: {locustfile: load/users.py}
"""
USERS = "from locust import HttpUser\nclass Visitor(HttpUser): ...\n"


def validate(folder: Path, locustfile: str, profile: str = PROFILE) -> Result:
    bench = Bench.make(folder, profile, "mine")
    (bench.root / "load").mkdir()
    (bench.root / "load/users.py").write_text(locustfile)
    (bench.root / "far.py").write_text("")
    return CliRunner().invoke(main, ("--workspace", str(bench.root), "validate", "mine"))


def test_findings_are_shown_with_file_and_line(tmp_path: Path) -> None:
    text = f"{USERS}import gone\ndef f(self): self.client.get('http://other/x')\n"

    result = validate(tmp_path, text, PROFILE.replace("py}", "py, tags: [fast], user_classes: V}"))

    assert result.exit_code == 2
    assert result.stdout == ""
    file = tmp_path / "bench/load/users.py"
    for message in (
        f"mine: {file}:3: module gone was not found: ",
        "mine.yaml:7: load.user_classes: there is no user class V. User classes: Visitor",
        f"mine: warning: {file}:4: requests to http://other/x bypass host. ",
        "mine: warning: load.tags: no task has the tag fast. The locustfile has no @tag",
    ):
        assert message in result.stderr


def test_another_working_folder_is_shown_with_its_reason(tmp_path: Path) -> None:
    result = validate(tmp_path, f"import far\n{USERS}raise SystemExit\n")

    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        f"mine: valid, 1 cell; Locust runs in {tmp_path / 'bench'}: its module far is in it\n"
    )


def test_problems_of_the_locustfile_and_of_other_files_are_shown_together(tmp_path: Path) -> None:
    result = validate(tmp_path, "x = (", PROFILE.replace("py}", "py, images: gone}"))

    assert result.exit_code == 2
    assert "load.images: folder not found: " in result.stderr
    assert "load/users.py:1: '(' was never closed" in result.stderr


def test_secrets_in_findings_are_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "s3cret-value")
    option = "def f(parser): parser.add_argument('--mode', choices=['a', 'b'])\n"

    result = validate(
        tmp_path, USERS + option, PROFILE.replace("py}", "py, options: {mode: '${MY_TOKEN}'}}")
    )

    assert result.exit_code == 2
    assert "load.options: mode must be one of a, b, got ***" in result.stderr
    assert "s3cret" not in result.output
