"""Two users of one Docker engine with the same workspace path."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadbench.engine.journal.state import CellStatus
from tests.support.docker_harness import DOCKER_CONFIG, LONG, DockerBench, docker
from tests.support.harness import until

OTHER_UID = 65534


@dataclass
class SharedBench(DockerBench):
    """A workspace in which a second user runs commands, too."""

    other_home: Path = Path()

    def start_as_other_user(self, *arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*as_other_user(), interpreter(), "-m", "loadbench", *arguments],
            cwd=self.root,
            env={
                **os.environ,
                **self.fixed,
                "HOME": str(self.other_home),
                "XDG_STATE_HOME": "",
                "PYTHONPATH": ":".join(sys.path),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process


@pytest.fixture
def shared() -> Iterator[SharedBench]:
    """A workspace with the foreign project that all users may read and save reports in."""
    if os.getuid() != 0:
        pytest.skip("the test starts processes of another user and requires root")
    # The folders of `tmp_path` are private.
    folder = Path(tempfile.mkdtemp(prefix="loadbench-users-"))
    folder.chmod(0o755)
    bench = SharedBench.make(folder)
    shared = SharedBench(bench.root, bench.home, fixed=dict(bench.fixed))
    shutil.copytree(Path(__file__).parent / "foreign", bench.root / "foreign")
    shared.save_foreign_profile()
    if (plugins := Path(DOCKER_CONFIG) / "cli-plugins").is_dir():
        shutil.copytree(plugins, folder / "docker" / "cli-plugins")
    shared.fixed["DOCKER_CONFIG"] = str(folder / "docker")
    for name in ("theirs", "mine"):
        (bench.reports / name).mkdir(parents=True)
        (bench.reports / name).chmod(0o777)
    shared.other_home = folder / "other"
    shared.other_home.mkdir()
    os.chown(shared.other_home, OTHER_UID, OTHER_UID)
    yield shared
    shared.close()
    for latest in bench.reports.glob("*/latest"):
        for project in projects_of_run(latest.resolve()):
            docker("compose", "-p", project, "down", "--timeout", "1")
    shutil.rmtree(folder)


def test_two_users_with_the_same_workspace_do_not_touch_each_other_s_containers(
    shared: SharedBench,
) -> None:
    shared.save_foreign_profile("mine", users=[3])
    shared.start("run", "mine", *LONG)
    shared.when("m1_u3_s10", name="mine")
    # As with a private home folder: the other user cannot see that the run is live.
    shared.folder("mine").chmod(0o700)
    before = shared.container("app-1")
    started = docker("inspect", "--format", "{{.State.StartedAt}}", before)

    other = shared.start_as_other_user("run", "theirs", "--set", "models=1")
    _, output = other.communicate(timeout=90)

    assert other.returncode == 0, output
    project = shared.state("theirs").started
    assert project is not None
    assert project.project is not None
    assert project.project.name not in shared.projects
    assert docker("inspect", "--format", "{{.State.StartedAt}}", before) == started
    assert shared.state("mine").cells["m1_u3_s10"].status is CellStatus.RUNNING
    label = f"label=com.docker.compose.project={project.project.name}"
    assert docker("ps", "--all", "--quiet", "--filter", label) == ""


def test_a_run_under_another_project_name_is_resumed_and_stopped_without_leftovers(
    shared: SharedBench,
) -> None:
    # The name also differs after an update of loadbench, or a change of the machine's name.
    shared.start_as_other_user("run", "theirs", "--set", "models=1", *LONG)
    shared.when("m1_u2_s10", name="theirs")
    shared.runner("theirs").kill()
    [theirs] = projects_of_run(shared.folder("theirs"))
    assert theirs not in shared.projects

    shared.start("run", "--resume", "theirs")
    until(lambda: shared.state("theirs").cells["m1_u2_s10"].attempt == 2, what="resumed")
    shared.when("m1_u2_s10", name="theirs")
    shared.runner("theirs").kill()
    [ours] = projects_of_run(shared.folder("theirs"))
    assert ours in shared.projects

    stopped = shared.call("stop", "theirs")

    assert stopped.returncode == 0, stopped.stderr
    assert projects_of_run(shared.folder("theirs")) == set()
    assert shared.left() == []


def projects_of_run(folder: Path) -> set[str]:
    """Return the names of the Compose projects with containers of a run."""
    label, project = f"label=loadbench.run={folder}", '{{.Label "com.docker.compose.project"}}'
    return set(docker("ps", "--all", "--filter", label, "--format", project).split())


def as_other_user() -> list[str]:
    """Return the start of a command line that runs as another user with access to the engine."""
    url = docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    group = Path(url.removeprefix("unix://")).stat().st_gid
    return ["setpriv", f"--reuid={OTHER_UID}", f"--regid={group}", "--clear-groups"]


def interpreter() -> str:
    """Return a Python interpreter of this version that the other user may start."""
    for path in (sys.executable, "/usr/bin/python{}.{}".format(*sys.version_info)):
        # A shell, since `setpriv` itself may start programs with the rights of root.
        command = [*as_other_user(), "sh", "-c", f"exec {path} -c ''"]
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
            return path
    pytest.skip("no Python interpreter that another user may start")
