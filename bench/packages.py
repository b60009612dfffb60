"""Check that the built wheel works when a user installs it with pip, uv or pipx.

    .venv/bin/python -m bench.packages [pip] [uv] [pipx] [--python PYTHON]

Builds the wheel of this checkout, and installs it with each installer in a fresh environment: the
newest versions that pyproject.toml allows, without constraints.txt, as for a user. There, in an
empty folder, it runs `loadbench-tui --version`, `init bench` and, in the new workspace, `run demo`
in full: about two minutes. A demo counts if the command exits with 0 and every cell was measured,
with all its files. Installers that are missing are skipped, unless they are named.

A planted wheel that lacks the profiles must fail.
"""

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PROGRAM = "loadbench-tui"
EXTRAS = "embedded,report"
DEMO_CELLS = 4
"""Number of cells of profiles/demo.yaml."""
PLANTED_PART = "loadbench/_workspace/profiles/"
"""What the planted wheel lacks."""
TIMEOUT_S = 900


class TrialError(Exception):
    """A step of a trial failed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A fresh environment.

    Args:
        folder: An empty folder, for the environment and a workspace.
        python: The Python interpreter to install for.
    """

    folder: Path
    python: str

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment variables of all commands: installers use only the folder of the trial."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LOADBENCH_", "PYTHON", "VIRTUAL_ENV"))
        }
        bin_folder = str(self.folder / "bin")
        return {
            **kept,
            "PATH": os.pathsep.join([bin_folder, kept.get("PATH", os.defpath)]),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "UV_TOOL_DIR": str(self.folder / "tools"),
            "UV_TOOL_BIN_DIR": bin_folder,
            "PIPX_HOME": str(self.folder / "tools"),
            "PIPX_BIN_DIR": bin_folder,
            "PIPX_MAN_DIR": str(self.folder / "man"),
        }

    def run(self, *command: str | Path, folder: Path | None = None) -> str:
        """Run a command, and return its stdout.

        Raises:
            TrialError: It failed. The message has the end of its output.
        """
        done = subprocess.run(
            command,
            cwd=folder or self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        if done.returncode:
            words = " ".join(Path(word).name for word in command)
            lines = [*done.stdout.splitlines(), *done.stderr.splitlines()][-15:]
            raise TrialError("\n  ".join([f"{words}: exit code {done.returncode}", *lines]))
        return done.stdout


def install_with_pip(trial: Trial, wheel: Path) -> None:
    """Install a wheel with pip in a virtual environment."""
    trial.run(trial.python, "-m", "venv", trial.folder / "venv")
    python = trial.folder / "venv" / "bin" / "python"
    trial.run(python, "-m", "pip", "install", "--quiet", f"{wheel}[{EXTRAS}]")
    (trial.folder / "bin").mkdir()
    (trial.folder / "bin" / PROGRAM).symlink_to(trial.folder / "venv" / "bin" / PROGRAM)


def install_with_uv(trial: Trial, wheel: Path) -> None:
    """Install a wheel with `uv tool install`."""
    trial.run("uv", "tool", "install", "--quiet", "--python", trial.python, _requirement(wheel))


def install_with_pipx(trial: Trial, wheel: Path) -> None:
    """Install a wheel with `pipx install`."""
    trial.run("pipx", "install", "--quiet", "--python", trial.python, f"{wheel}[{EXTRAS}]")


INSTALLERS: Mapping[str, Callable[[Trial, Path], None]] = {
    "pip": install_with_pip,
    "uv": install_with_uv,
    "pipx": install_with_pipx,
}


def main() -> None:
    """Try the wheel with each installer, and exit with 1 if one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("installers", nargs="*", help=f"any of {', '.join(INSTALLERS)}")
    parser.add_argument(
        "--python", default=sys.executable, help="interpreter to install for; default: this one"
    )
    options = parser.parse_args()
    if unknown := set(options.installers) - set(INSTALLERS):
        parser.error(f"unknown installer {', '.join(sorted(unknown))}")
    failed = False
    with tempfile.TemporaryDirectory(prefix="packages-") as name:
        folder = Path(name)
        wheel = build_wheel(folder)
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, extras {EXTRAS}", flush=True)
        for installer in options.installers or INSTALLERS:
            if not options.installers and installer != "pip" and shutil.which(installer) is None:
                print(f"{installer}: skipped, it is not installed", flush=True)
                continue
            trial = Trial(folder / installer, options.python)
            failed |= not _try(installer, trial, wheel)
        failed |= not _planted_fails(Trial(folder / "planted", options.python), wheel)
    sys.exit(1 if failed else 0)


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout with the installed hatchling, and return its file."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "-w", str(folder), "."]
    subprocess.run(command, cwd=REPOSITORY, check=True, timeout=TIMEOUT_S)
    [wheel] = folder.glob("*.whl")
    return wheel


def run_demo(trial: Trial) -> str:
    """Create a workspace, run the demo there, and return a description of the result.

    Raises:
        TrialError: A command failed, or the demo lacks results.
    """
    program, workspace = trial.folder / "bin" / PROGRAM, trial.folder / "bench"
    trial.run(program, "init", "bench")
    try:
        trial.run(program, "run", "demo", "--plain", folder=workspace)
    except BaseException:
        # The runner survives the command that started it.
        subprocess.run([program, "stop"], cwd=workspace, env=trial.environ, capture_output=True)
        raise
    run = workspace / "reports" / "demo" / "latest"
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    measured = [cell for cell in summary["cells"] if cell["verdict"]]
    reports = list(run.glob("*_*_*.html"))
    if len(measured) != DEMO_CELLS or len(reports) != DEMO_CELLS:
        raise TrialError(
            f"{len(measured)} of {DEMO_CELLS} cells measured, {len(reports)} reports of cells"
        )
    page = (run / "summary.html").read_text(encoding="utf-8")
    if "<svg" not in page:
        raise TrialError("summary.html has no charts")
    return f"{len(measured)} cells measured, page with charts"


def _try(installer: str, trial: Trial, wheel: Path) -> bool:
    """Install the wheel, run the demo, and print the result. Return whether all of it worked."""
    trial.folder.mkdir()
    start = time.monotonic()
    try:
        INSTALLERS[installer](trial, wheel)
        installed = time.monotonic()
        version = trial.run(trial.folder / "bin" / PROGRAM, "--version").split()[-1]
        result = run_demo(trial)
    except (TrialError, OSError, subprocess.TimeoutExpired) as error:
        print(f"{installer}: FAILED: {error}", flush=True)
        return False
    print(
        f"{installer}: {version} installed in {installed - start:.0f} s; init and run demo in "
        f"{time.monotonic() - installed:.0f} s: {result}",
        flush=True,
    )
    return True


def _planted_fails(trial: Trial, wheel: Path) -> bool:
    """Try a wheel without profiles, print the result, and return whether it failed."""
    trial.folder.mkdir()
    damaged = trial.folder / wheel.name
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            if not name.startswith(PLANTED_PART):
                target.writestr(name, source.read(name))
    try:
        install_with_pip(trial, damaged)
    except TrialError as error:
        print(f"planted wheel: NOT TRIED: {error}")
        return False
    try:
        result = run_demo(trial)
    except TrialError as error:
        print(f"planted wheel: refused, as it must be: {str(error).splitlines()[-1].strip()}")
        return True
    print(f"planted wheel: NOT REFUSED: {result}")
    return False


def _requirement(wheel: Path) -> str:
    name = importlib.metadata.metadata(PROGRAM)["Name"]
    return f"{name}[{EXTRAS}] @ {wheel.as_uri()}"


if __name__ == "__main__":
    main()
