"""The checks of `doctor PROFILE`: everything that can be known, in one answer."""

from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.drivers import registry
from loadbench.engine.drivers.compose.client import ComposeCli
from loadbench.engine.drivers.compose.project.files import ComposeFiles
from loadbench.engine.drivers.docker.client import Docker, DockerCommandError, Endpoint
from loadbench.engine.run.project_doctor import compose
from loadbench.engine.run.project_doctor.checks import ProjectReport, check_project
from loadbench.errors import EngineError, ProfileError, RefusedError
from loadbench.workspace import Workspace

LOCUSTFILE = "from locust import HttpUser\nclass Visitor(HttpUser):\n    pass\n"
GRID = "models: [1, 2]\nusers: [4]\nspawn_rates: [4]\nrun_time: 5s\n"
STACK = "stack: {driver: compose, compose: [compose.yaml], service: api, health: /}\n"
SERVICES: dict[str, Any] = {
    "api": {
        "build": {"context": "/nowhere/app"},
        "container_name": "shop",
        "environment": {"KEY": "hunter2-secret"},
        "ports": [{"target": 8000, "published": "8000", "protocol": "tcp"}],
    },
    "grafana": {"image": "grafana/grafana", "ports": []},
    "k6": {"image": "grafana/k6"},
}


class FakeDocker(Docker):
    """A Docker engine with one image, no network, and a copy of the project."""

    def run(self, *arguments: str, **_: Any) -> str:
        if arguments[0] == "ps":
            return f"mine\t{self.settings['FILES']}\nother\t/x.yaml\n"
        if arguments[1] == "inspect" and arguments[-1] != "grafana/grafana":
            raise DockerCommandError(["no such object"])
        return ""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name in ("profiles", "images", "stack"):
        (tmp_path / name).mkdir()
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    (tmp_path / "compose.yaml").write_text("services: {api: {}, grafana: {}}")
    docker = FakeDocker(Endpoint("default", "unix:///x"), {"FILES": str(tmp_path / "compose.yaml")})
    monkeypatch.setattr(compose, "docker_for", lambda *_: docker)
    monkeypatch.setattr(compose, "compose_version", lambda _: "2.40")
    monkeypatch.setattr(registry, "preflight", refused)
    return Workspace(tmp_path, tmp_path / "reports")


def refused(*_: object) -> Any:
    raise RefusedError("no GPU")


def use(
    patch: pytest.MonkeyPatch, services: dict[str, Any] | ProfileError, **top: dict[str, Any]
) -> None:
    def read(_docker: object, workspace: Workspace, profile: Any) -> ComposeFiles:
        if isinstance(services, ProfileError):
            raise services
        return ComposeFiles(
            paths=(workspace.root / "compose.yaml",),
            is_bundled=False,
            scaled=profile.stack.service,
            config={"services": services, **top},
            enabled=frozenset(services),
            messages=("compose: X is not set",),
        )

    patch.setattr(compose, "read_compose_files", read)


def report(workspace: Workspace, profile: str) -> ProjectReport:
    (workspace.profiles / "mine.yaml").write_text(profile)
    return check_project(workspace, "mine")


def lines(found: ProjectReport, level: str = "problem") -> list[str]:
    return [f"{check.subject}: {check.text}" for check in found.checks if check.level == level]


def test_a_project_is_described_completely(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = {**SERVICES["api"], "networks": {"outer": None}}
    use(
        monkeypatch,
        {**SERVICES, "api": api},
        networks={"outer": {"name": "out side", "external": True}},
    )
    found = report(workspace, GRID + STACK)

    text = "\n".join(lines(found, "ok"))
    assert "profile: " in text
    assert "locustfile.py, users: Visitor" in text
    assert "compose.yaml: 3 services" in text
    assert (
        "service api: service, built from /nowhere/app, ports: 8000 (published at 8000): scaled, "
        "receives the requests"
    ) in text
    assert "service grafana: monitoring or admin tool, image grafana/grafana" in text
    assert "left out (monitoring or admin tool)" in text
    assert "left out (load generator)" in text
    assert "target: port 8000 of api (the only port that it publishes), balance: clients" in text
    assert "changed in a run: without container_name: api (shop)" in text
    assert "images: built at the start of a run: loadbench-" in text
    assert lines(found, "warning") == [
        "health: stack.health: no file of the project states that / responds with 2xx",
        "project: compose: X is not set",
        "project: network out side is external: other copies of the project share it",
        (
            "running copy: the project also runs as mine, which shares this machine's CPU with a "
            "run. A run has containers of its own"
        ),
    ]
    assert lines(found) == [
        "build api: build context /nowhere/app is not a folder",
        "network: out side is external and missing. Create it: docker network create 'out side'",
    ]
    assert "hunter2" not in str(found)


def test_all_problems_are_reported_with_the_lines_that_correct_them(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {"api": {"image": "x", "expose": ["8000", "9100"]}, "db": {"image": "redis"}})
    (workspace.root / "users.py").write_text(LOCUSTFILE)
    (workspace.root / "locustfile.py").unlink()

    found = report(
        workspace,
        "models: [x]\nusers: [4]\nrun_tim: 5s\n"
        "stack: {driver: compose, compose: compose.yaml, service: appi, without: [nothing]}\n",
    )

    file = workspace.profiles / "mine.yaml"
    texts = lines(found)
    assert texts[0].startswith(f"profile: {file}:1: models[0]: expected a whole number")
    assert texts[1].startswith(f"profile: {file}: spawn_rates: required key is missing")
    assert texts[2].startswith(f"profile: {file}:3: run_tim: unknown key")
    assert texts[3].startswith("locustfile: load.locustfile: file not found")
    assert texts[4].startswith(f"project: {file}:4: stack.service: no service 'appi'")
    assert texts[5].startswith(f"project: {file}:4: stack.without: no service 'nothing'")
    assert texts[6].startswith(f"project: {file}:4: stack.port: required")
    assert len(texts) == 7
    assert found.lines == (
        "spawn_rates: [10]",
        f"load.locustfile: {workspace.root}/users.py",
        "stack.service: api",
        "stack.without: [auto]",
        "stack.port: api:8000",
    )


def test_a_health_check_that_the_project_does_not_have_is_suspicious(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = {"test": ["CMD", "curl", "http://localhost:8000/healthz"]}
    api = {"image": "x", "expose": ["8000"], "healthcheck": test}
    use(monkeypatch, {"api": api})

    found = report(workspace, GRID + STACK.replace("health: /", "health: /nope"))

    assert "health: stack.health: /nope is not mentioned" in "\n".join(lines(found, "warning"))
    assert found.lines == ("stack.health: /healthz",)
    assert "health: GET /healthz (healthcheck of api)" in lines(
        report(workspace, GRID + STACK.replace("health: /", "health: /healthz")), "ok"
    )


def test_the_services_are_shown_without_a_missing_env_file(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = workspace.root / ".env"
    use(monkeypatch, ProfileError(f"stack.compose: env file {missing} not found: stat"))
    config = {"services": {"api": {"image": "x", "expose": ["8000"]}}}
    monkeypatch.setattr(ComposeCli, "config", lambda *_, **__: (config, ""))

    found = report(workspace, GRID + STACK)

    assert lines(found) == [f"compose files: env file {missing} not found: stat"]
    assert any("scaled, receives" in line for line in lines(found, "ok"))


def test_other_problems_end_the_checks_that_depend_on_them(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "invalid YAML" in lines(report(workspace, "models: [1\nusers: [2]"))[0]
    found = report(workspace, GRID + "stack: {driver: compose, compose: [c.yaml], service: a}\n")
    assert lines(found)[0].endswith("c.yaml is not a file")
    assert found.lines == (f"stack.compose: [{workspace.root}/compose.yaml]",)
    use(monkeypatch, ProfileError("stack.compose: services.api: unknown key"))
    assert lines(report(workspace, GRID + STACK)) == ["compose files: services.api: unknown key"]


def test_a_missing_docker_is_a_problem_only_for_its_driver(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> Any:
        raise EngineError("Docker is not installed")

    monkeypatch.setattr(compose, "docker_for", missing)
    text = "Docker: Docker is not installed. The compose files were not checked"
    assert lines(report(workspace, GRID + STACK)) == [text]
    automatic = GRID + STACK.replace("driver: compose", "driver: auto")
    found = report(workspace, automatic)
    assert lines(found, "warning") == [text]
    assert lines(found) == ["preflight: no GPU"]


def test_drivers_without_compose_files_are_validated(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "validate", lambda *_: ["odd"])
    monkeypatch.setattr(registry, "preflight", lambda *_: Ready)
    external = "models: [1]\nusers: [4]\nspawn_rates: [4]\nrun_time: 5s\n"
    found = report(workspace, external + "host: http://x:1\nstack: {driver: external}\n")
    assert "driver: external, http://x:1/health" in lines(found, "ok")
    assert lines(found, "warning") == ["driver: odd"]
    assert lines(found) == []


class Ready:
    """A preflight that succeeds."""

    driver = "external"
    reason = "requested"


def test_locustfiles_are_read_and_not_executed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, {"api": {"image": "x", "expose": ["8000"]}})
    (workspace.root / "load").mkdir()
    (workspace.root / "far.py").write_text("import gone\n")
    users = workspace.root / "load/users.py"
    users.write_text(f"import far\n{LOCUSTFILE}raise SystemExit\n")
    (workspace.root / "load/more.py").write_text("x = 1\n")

    found = report(workspace, f"{GRID}{STACK}load: {{locustfile: [load/users.py, load/more.py]}}\n")

    shown = [line for line in lines(found, "ok") if line.startswith("locustfile: ")]
    assert shown == [
        f"locustfile: {users} and 1 more, users: Visitor",
        f"locustfile: Locust runs in {workspace.root}: its module far is in it",
    ]
    assert lines(found) == [
        (
            f"locustfile: {workspace.root}/far.py:1: module gone was not found: it "
            f"is not installed in "
            f"the environment of loadbench-tui, and not in {workspace.root}"
        )
    ]


def test_files_of_secrets_must_exist(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    file = workspace.root / "key.pem"
    api = {"image": "x", "expose": ["8000"], "secrets": [{"source": "key"}, {"source": "other"}]}
    use(monkeypatch, {"api": api}, secrets={"key": {"file": str(file)}, "other": {}})
    assert lines(report(workspace, GRID + STACK)) == [
        f"secrets key: {file} does not exist. Create it"
    ]
