"""`plan` of a profile that this machine cannot run: the plan on stdout, the reason on stderr."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.main import main
from tests.support.harness import Bench

PROFILE = """
models: [1, 2]
users: [2, 4]
spawn_rates: [10]
run_time: 10s
"""
GPU = "device: gpu\nstack: {driver: local}\n"
LOCAL = "stack: {driver: local}\n"


def plan(folder: Path, profile: str, *options: str) -> Result:
    bench = Bench.make(folder, f"{PROFILE}{profile}", "mine")
    return CliRunner().invoke(main, ("--workspace", str(bench.root), "plan", "mine", *options))


def assert_has_plan(output: str) -> None:
    assert "m2_u4_s10" in output
    assert "4 cells, about" in output
    assert "Reports: " in output
    assert "Driver" not in output


def test_plan_without_the_gpu_is_printed_before_the_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    result = plan(tmp_path, GPU)

    assert result.exit_code == 3
    assert_has_plan(result.stdout)
    assert "device: gpu requires" in result.stderr
    assert result.output.index("4 cells") < result.output.index("device: gpu requires")


def test_plan_without_docker_is_printed_before_the_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    result = plan(tmp_path, "stack: {driver: compose}\n")

    assert result.exit_code == 3
    assert_has_plan(result.stdout)
    assert "Docker is not installed" in result.stderr


def test_plan_without_the_locustfile_is_printed_before_the_refusal(tmp_path: Path) -> None:
    result = plan(tmp_path, LOCAL, "--set", "load.locustfile=nowhere.py")

    assert result.exit_code == 2
    assert_has_plan(result.stdout)
    assert "load.locustfile: file not found: " in result.stderr


def test_invalid_profile_has_no_plan(tmp_path: Path) -> None:
    result = plan(tmp_path, "usrs: [1]\n")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "did you mean users?" in result.stderr
