"""The service, the port and the health check of a first profile, from the files of a project."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.drivers.compose.first_profile.evidence import Guess, ProjectEvidence
from loadbench.engine.drivers.compose.first_profile.health import guess_health
from loadbench.engine.drivers.compose.first_profile.port import (
    command_port,
    default_port,
    guess_port,
)
from loadbench.engine.drivers.compose.first_profile.service import guess_service
from loadbench.engine.drivers.compose.project.files import ComposeFiles
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.errors import ProfileError
from tests.support.builders import make_profile

BUILD = {"context": "/nowhere"}
REDIS = {"image": "redis:7"}
NGINX = {"image": "nginx:1.27"}
LOCUST = {"image": "locustio/locust", "command": ["--host", "http://web:9000"]}


def published(target: int, host: int | None = None) -> dict[str, Any]:
    return {"target": target, "published": str(host or target), "protocol": "tcp"}


TWO_PORTS = [published(8000), published(6000)]


def evidence(
    folder: Path, *, locustfile: str = "", enabled: set[str] | None = None, **services: Any
) -> ProjectEvidence:
    names = {name.replace("_", "-"): config for name, config in services.items()}
    files = ComposeFiles(
        paths=(folder / "compose.yaml",),
        is_bundled=False,
        scaled="",
        config={"services": names},
        enabled=frozenset(enabled or names),
    )
    return ProjectEvidence(files, folder, locustfile)


def port_of(project: ProjectEvidence, service: str) -> Guess:
    settings = ComposeSettings.from_profile(make_profile(models=[1, 2]))
    return guess_port(project, replace(settings, service=service, port=None))


def test_the_only_candidate_is_found(tmp_path: Path) -> None:
    guess = guess_service(evidence(tmp_path, db=REDIS, odd=NGINX, thing={"image": "x"}))
    assert (guess.value, guess.is_found) == ("thing", True)


@pytest.mark.parametrize(
    ("services", "name"),
    [
        ({"worker": {"build": BUILD}, "api": {"build": BUILD}}, "api"),
        ({"tool": {"image": "x"}, "thing": {"build": BUILD}}, "thing"),
        ({"first": {"image": "x"}, "second": {"image": "x", "expose": ["80"]}}, "second"),
        ({"frontend": {"build": BUILD}, "backend": {"build": BUILD}}, "backend"),
        ({"a": {"image": "x", "depends_on": {"b": {}}}, "b": {"image": "x"}}, "b"),
        ({"a": {"image": "x"}, "b": {"image": "x"}}, "a"),
        ({"gateway": {"build": BUILD}, "relay": {"image": "x", "expose": ["1"]}}, "gateway"),
        ({"shop": {"build": BUILD}, "web": {"image": "x"}, "load": LOCUST}, "web"),
        ({"api": {"build": BUILD, "command": ["celery", "-A", "x"]}, "b": {"image": "x"}}, "b"),
    ],
)
def test_the_service_that_handles_requests_is_scaled(
    tmp_path: Path, services: dict[str, Any], name: str
) -> None:
    guess = guess_service(evidence(tmp_path, **services))
    assert guess.value == name
    assert guess.comment.startswith("guessed: ")


def test_services_without_an_active_profile_come_last(tmp_path: Path) -> None:
    both: dict[str, Any] = {"api": {"build": BUILD}, "other": {"image": "x", "expose": ["80"]}}
    assert guess_service(evidence(tmp_path, enabled={"other"}, **both)).value == "other"
    assert guess_service(evidence(tmp_path, enabled={"db"}, db=REDIS, api={})).value == "api"


def test_a_project_without_a_service_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"Its services: db \(data store\), odd \(proxy\)"):
        guess_service(evidence(tmp_path, db=REDIS, odd=NGINX))


def test_a_declared_port_is_found(tmp_path: Path) -> None:
    guess = port_of(evidence(tmp_path, api={"expose": ["7000"]}), "api")
    assert (guess.value, guess.is_found) == ("api:7000", True)


def test_a_proxy_with_several_ports_receives_the_requests(tmp_path: Path) -> None:
    proxy = {**NGINX, "ports": [published(8404), published(80, 8080)]}
    guess = port_of(evidence(tmp_path, api={"expose": ["7000"]}, front=proxy), "api")
    assert (guess.value, guess.is_found) == ("front:80", False)


@pytest.mark.parametrize(
    ("service", "locustfile", "value"),
    [
        ({"ports": [published(9100), published(8000)]}, "", "api:8000"),
        (
            {"ports": [published(8000), published(6000)], "command": ["x", "-p", "6000"]},
            "",
            "api:6000",
        ),
        ({"ports": [published(8000), published(7, 77)]}, 'host = "http://localhost:77"', "api:7"),
        ({"command": ["uvicorn", "main:app", "--port", "8100"]}, "", "api:8100"),
        ({"command": ["uvicorn", "main:app"]}, "", "api:8000"),
        ({"command": ["app"], "environment": {"PORT": "4000"}}, "", "api:4000"),
        ({"command": ["app"]}, 'host = "http://api:4001"', "api:4001"),
        ({"command": ["app"]}, "", "api:8000"),
    ],
)
def test_the_most_plausible_port_is_chosen(
    tmp_path: Path, service: dict[str, Any], locustfile: str, value: str
) -> None:
    assert port_of(evidence(tmp_path, locustfile=locustfile, api=service), "api").value == value


def test_the_port_is_read_from_the_dockerfile_and_the_sources(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        'FROM x\nCMD ["gunicorn", \\\n "-b", "0.0.0.0:5001", "a:b"]'
    )
    build = {"build": {"context": str(tmp_path), "dockerfile": "Dockerfile"}}
    assert port_of(evidence(tmp_path, api=build), "api").value == "api:5001"
    (tmp_path / "Dockerfile").write_text("FROM x\nCMD python app.py")
    (tmp_path / "app.py").write_text("\napp.run(host='0.0.0.0', port=5002)\n")
    guess = port_of(evidence(tmp_path, api=build), "api")
    assert (guess.value, guess.comment) == ("api:5002", "guessed: app.py:2")


@pytest.mark.parametrize(
    ("command", "port"),
    [
        ("uvicorn main:app --host 0.0.0.0 --port 8100", 8100),
        ("uvicorn main:app --port=8100 --workers 2", 8100),
        ("gunicorn -b 0.0.0.0:8200 app:app", 8200),
        ("gunicorn --bind :8200 app:app", 8200),
        ("flask run -p 5001", 5001),
        ("python manage.py runserver 0.0.0.0:7000", 7000),
        ("sh -c 'migrate && server :9000'", 9000),
        ("uvicorn main:app", None),
        ("uvicorn main:app --port 99999", None),
        ("server --since 12:30:4500", None),
    ],
)
def test_ports_in_commands_are_recognised(command: str, port: int | None) -> None:
    assert command_port(command) == port


def test_servers_have_default_ports() -> None:
    assert default_port("gunicorn app:app") == (8000, "gunicorn")
    assert default_port("flask --app x run") == (5000, "flask")
    assert default_port("python app.py") is None


@pytest.mark.parametrize(
    ("service", "source", "locustfile", "value", "is_found"),
    [
        (
            {"healthcheck": {"test": ["CMD", "curl", "-f", "http://localhost:8000/hz?a=b"]}},
            '"/health"',
            "",
            "/hz",
            True,
        ),
        ({"healthcheck": {"test": ["CMD-SHELL", "pg_isready"]}}, "", "", "/", False),
        ({"healthcheck": {"test": ["CMD", "curl", "http://x/$URL"]}}, "", "", "/", False),
        ({}, 'import x\n@app.get("/api/healthz")', "", "/api/healthz", False),
        ({}, '@router.get("/health")\n@app.get("/ready")', "", "/ready", False),
        ({}, "", 'self.client.get("/ping")', "/ping", True),
        ({}, "", 'self.client.get("/items/1")\nself.client.get("/a")', "/a", False),
        ({}, "app = FastAPI()", "", "/docs", False),
        ({}, "app = FastAPI(docs_url=None)", "", "/", False),
        ({}, '@app.route("/add", methods=["POST"])\n@app.get("/sum")', "", "/sum", False),
    ],
)
def test_the_health_check_is_read_from_the_project(
    tmp_path: Path,
    service: dict[str, Any],
    source: str,
    locustfile: str,
    value: str,
    is_found: bool,
) -> None:
    (tmp_path / "main.py").write_text(source)
    config = {**service, "build": {"context": str(tmp_path)}}
    project = evidence(tmp_path, locustfile=locustfile, api=config)

    guess = guess_health(project, project.files.services["api"])

    assert (guess.value, guess.is_found) == (value, is_found)


def test_files_outside_the_project_and_locustfiles_are_not_read(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "main.py").write_text('"/health"')
    (project / "load.py").write_text('import locust\n"/health"')
    mount = {"type": "bind", "source": str(project), "target": "/app"}
    config = {"build": {"context": str(tmp_path)}, "volumes": [mount]}
    found = evidence(project, api=config)
    assert list(found.sources(found.files.services["api"])) == []


def test_values_of_variables_do_not_appear_in_guesses(tmp_path: Path) -> None:
    secret = "hunter2-token"
    load = {
        **LOCUST,
        "environment": {"TARGET": f"http://api:9000/?key={secret}", "PASSWORD": secret},
    }
    api = {"environment": {"PORT": secret, "KEY": secret}, "command": ["x", "--key", secret]}
    project = evidence(tmp_path, api=api, load=load)
    texts = [guess_service(project), port_of(project, "api")]
    assert texts[1].value == "api:9000"
    assert secret not in str(texts)
