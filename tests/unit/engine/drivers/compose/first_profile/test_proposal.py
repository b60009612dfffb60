"""The text of a first profile, and the messages if there cannot be one."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from loadbench.engine.drivers.compose.first_profile import proposal
from loadbench.engine.drivers.compose.first_profile.proposal import propose
from loadbench.engine.drivers.compose.project.files import ComposeFiles
from loadbench.engine.profile.loading import load_profile
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace

LOCUSTFILE = 'from locust import HttpUser\nclass Visitor(HttpUser):\n    host = "http://api"\n'
API = {"build": {"context": "/nowhere"}, "expose": ["8000"]}
HOST_NETWORK = {"image": "x", "network_mode": "host", "command": ["x", "--port", "9000"]}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "benchmarks"
    (root / "profiles").mkdir(parents=True)
    return Workspace(root, root / "reports")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    return folder


def use(patch: pytest.MonkeyPatch, *services: dict[str, Any] | ProfileError) -> None:
    """Let Compose return these services, or raise these errors, one for each compose file."""
    results = iter(services)

    def read(_docker: object, _workspace: object, profile: Any) -> ComposeFiles:
        result = next(results)
        if isinstance(result, ProfileError):
            raise result
        return ComposeFiles(
            paths=tuple(map(Path, profile.stack.compose)),
            is_bundled=False,
            scaled="model",
            config={"services": result},
            enabled=frozenset(result),
        )

    patch.setattr(proposal, "docker_for", lambda *_: None)
    patch.setattr(proposal, "read_compose_files", read)


def test_the_profile_has_only_the_keys_that_matter(
    workspace: Workspace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {"api": API, "worker": {"image": "x"}})

    text = propose(workspace, project).text("shop")

    assert yaml.safe_load(text) == {
        "models": [1, 2, 4],
        "users": [10, 50],
        "spawn_rates": [10],
        "run_time": "30s",
        "stack": {
            "driver": "compose",
            "compose": ["../shop/compose.yaml"],
            "service": "api",
            "port": "api:8000",
            "health": "/",
        },
        "load": {"locustfile": "../shop/locustfile.py"},
    }
    assert "  # guessed: the project's own load test uses it, built here" in text
    assert "others: worker" in text
    assert "  # found: the only port that it declares" in text
    assert "  # guessed: no path for health checks was found" in text
    assert "  # found: locustfile.py" in text
    file = workspace.profiles / "shop.yaml"
    file.write_text(text)
    assert load_profile(file).stack.service == "api"


def test_a_project_elsewhere_has_absolute_paths(
    workspace: Workspace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {"api": API})
    elsewhere = Workspace(workspace.root / "a" / "b", workspace.reports)
    values = yaml.safe_load(propose(elsewhere, project).text("shop"))
    assert values["stack"]["compose"] == [str(project / "compose.yaml")]


def test_a_service_that_cannot_be_scaled_has_one_replica(
    workspace: Workspace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {"api": HOST_NETWORK, "db": {"image": "redis", "network_mode": "host"}})
    text = propose(workspace, project).text("shop")
    assert yaml.safe_load(text)["models"] == [1]
    assert "# guessed: api cannot be scaled, because it has network_mode: host" in text


def test_names_of_files_cannot_add_lines_or_references(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "odd\nusers: [9]\x1b[31m ${HOME}"
    folder.mkdir()
    (folder / "compose.yaml").write_text("")
    (folder / "lo\ncust.py").write_text(LOCUSTFILE)
    use(monkeypatch, {"api": API})
    text = propose(workspace, folder).text("odd")
    values = yaml.safe_load(text)
    assert values["users"] == [10, 50]
    assert values["stack"]["compose"][0].endswith("$${HOME}/compose.yaml")
    assert "\x1b" not in text


def test_further_files_are_reported(
    workspace: Workspace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("docker-compose.yml", "compose.override.yaml", "deploy/compose.yaml"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("")
    (project / "more.py").write_text(LOCUSTFILE)
    use(monkeypatch, {"db": {"image": "redis"}}, {"api": API})

    found = propose(workspace, project)

    assert found.notes == (
        "Other compose files: compose.yaml, deploy/compose.yaml",
        "compose.override.yaml is not used. If the service needs it, add it to stack.compose",
        "Other files that import locust: more.py",
    )


def test_projects_without_the_files_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="is not a folder"):
        propose(workspace, tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ProfileError, match=r"no compose file in .*empty or its direct subfolders"):
        propose(workspace, empty)
    (empty / "compose.yaml").write_text("")
    with pytest.raises(ProfileError, match=r"Write .*empty/locustfile\.py, such as:\n  from locu"):
        propose(workspace, empty)
