"""Roles, ports and dependencies of the services of a project."""

from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.drivers.compose.project.dockerfile import parse_dockerfile
from loadbench.engine.drivers.compose.project.services import Role, Service, host_ports
from tests.support.compose_projects import port


@pytest.mark.parametrize(
    ("name", "config", "role"),
    [
        ("tester", {"image": "locustio/locust:2.31"}, Role.LOAD_GENERATOR),
        ("tester", {"image": "registry.local:5000/grafana/k6@sha256:abc"}, Role.LOAD_GENERATOR),
        ("load", {"command": ["sh", "-c", "locust -f /mnt/locustfile.py"]}, Role.LOAD_GENERATOR),
        ("load", {"command": ["python", "-m", "locust", "--headless"]}, Role.LOAD_GENERATOR),
        ("load", {"entrypoint": ["/usr/local/bin/locust"]}, Role.LOAD_GENERATOR),
        ("locust_worker", {"image": "python:3.11"}, Role.LOAD_GENERATOR),
        ("api", {"command": "sh -c 'pip install locust && python app.py'"}, Role.SERVICE),
        ("api", {"command": ["python", "locustfree.py"]}, Role.SERVICE),
        ("api", {"command": "pip install flask locust && python app.py"}, Role.SERVICE),
        ("hey", {"image": "acme/hello"}, Role.SERVICE),
        ("metrics", {"image": "prom/prometheus"}, Role.TOOL),
        ("flower", {"image": "python:3.11"}, Role.TOOL),
        ("monitor", {"command": "celery -A app flower --port=5555"}, Role.TOOL),
        ("redis_exporter", {"image": "x"}, Role.TOOL),
        ("web", {"image": "nginx:1.27-alpine"}, Role.PROXY),
        ("frontend", {"image": "nginx:1.27-alpine"}, Role.SERVICE),
        ("load-balancer", {"image": "python:3.11"}, Role.PROXY),
        ("store", {"image": "bitnami/postgresql:16"}, Role.DATA_STORE),
        ("db", {"image": "acme/custom"}, Role.DATA_STORE),
        ("celery", {"command": "celery -A app worker"}, Role.SERVICE),
    ],
)
def test_the_role_follows_from_image_command_and_name(
    name: str, config: dict[str, Any], role: Role
) -> None:
    assert Service(name, config).role is role


def test_the_command_of_the_image_decides_too(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text('FROM python:3.11\nCMD ["locust", "-f", "locustfile.py"]\n')
    config: dict[str, Any] = {"build": {"context": str(tmp_path)}}
    assert Service("tester", config).role is Role.LOAD_GENERATOR
    assert Service("tester", {**config, "command": ["python", "app.py"]}).role is Role.SERVICE
    file.write_text('FROM a\nENTRYPOINT ["python", "-m"]\nCMD ["locust"]\n')
    assert Service("tester", config).dockerfile.command == "python -m locust"


def test_the_base_image_of_a_built_service_decides_its_role(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM locustio/locust\nCOPY . .\n")
    config = {"build": {"context": str(tmp_path)}, "image": "acme/tester"}
    assert Service("tester", config).role is Role.LOAD_GENERATOR


@pytest.mark.parametrize(
    ("config", "ports"),
    [
        ({}, ()),
        ({"ports": [port(8000, "80")], "expose": ["9000"]}, (8000,)),
        ({"ports": [port(80), port(80), port(443)]}, (80, 443)),
        ({"ports": [{"target": 53, "protocol": "udp"}]}, ()),
        ({"expose": ["8000", "8001/tcp", "53/udp", "9000-9002"]}, (8000, 8001, 9000, 9001, 9002)),
        ({"expose": ["${PORT}"]}, ()),
        ({"expose": ["1-30000000", "0", "80²", "9-1"]}, ()),
    ],
)
def test_published_ports_come_before_exposed_ones(
    config: dict[str, Any], ports: tuple[int, ...]
) -> None:
    assert Service("api", config).ports == ports


def test_ports_of_the_dockerfile_are_the_last_choice(tmp_path: Path) -> None:
    (tmp_path / "Api.Dockerfile").write_text("FROM python:3.11\nEXPOSE 7000\n")
    build = {"context": str(tmp_path), "dockerfile": "Api.Dockerfile"}
    assert Service("api", {"build": build}).ports == (7000,)
    assert Service("api", {"build": build, "expose": ["8000"]}).ports == (8000,)
    assert Service("api", {"build": {"context": str(tmp_path)}}).ports == ()


@pytest.mark.parametrize(
    ("published", "numbers"),
    [("8000", [8000]), ("8000-8002", [8000, 8001, 8002]), ("0", []), ("", []), (None, [])],
)
def test_host_ports_are_those_that_the_project_fixes(
    published: str | None, numbers: list[int]
) -> None:
    assert list(host_ports({"target": 80, "published": published})) == numbers


def test_a_dependency_may_be_optional() -> None:
    depends_on = {"db": {"required": True}, "cache": {"required": False}}
    service = Service("api", {"depends_on": depends_on})
    assert service.dependencies == {"db": True, "cache": False}


def test_a_name_is_mentioned_only_as_a_whole_word() -> None:
    service = Service("api", {"environment": {"URL": "http://grafana:3000", "X": None}})
    assert service.mentions("grafana")
    assert not service.mentions("graf")
    assert not Service("api", {"environment": {"A": "my-grafana"}}).mentions("grafana")
    assert Service("api", {"command": ["run", "--db=db:5432"]}).mentions("db")


@pytest.mark.parametrize(
    ("text", "target", "base", "ports"),
    [
        ("FROM python:3.11\nEXPOSE 8000 9000/tcp 53/udp\n", "", "python:3.11", (8000, 9000)),
        ("ARG V=3\nFROM py:${V}\nENV PORT=5000\nEXPOSE $PORT\n", "", "py:3", (5000,)),
        ("FROM a AS base\nEXPOSE 1\nFROM base\nEXPOSE 2\n", "", "a", (1, 2)),
        ("FROM a AS dev\nEXPOSE 1\nFROM b\nEXPOSE 2\n", "dev", "a", (1,)),
        ("FROM --platform=linux/amd64 a\nEXPOSE 80 \\\n  81\n", "", "a", (80, 81)),
        ("FROM a\nEXPOSE ${PORT:-8080}\n", "", "a", (8080,)),
        ("FROM a\nEXPOSE 80² 99999 0 81\n", "", "a", (81,)),
        ("FROM a\nENV A=xx\n" + "ENV A=$A$A\n" * 30 + "EXPOSE 80\n", "", "a", (80,)),
        ("not a Dockerfile", "", "", ()),
        ("", "", "", ()),
    ],
)  # fmt: skip
def test_a_dockerfile_declares_a_base_image_and_ports(
    text: str, target: str, base: str, ports: tuple[int, ...]
) -> None:
    found = parse_dockerfile(text, target)
    assert (found.base_image, found.ports) == (base, ports)


def test_a_dockerfile_that_cannot_be_read_declares_nothing(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").mkdir()
    odd = {"context": str(tmp_path), "dockerfile": "a\0b"}
    assert Service("api", {"build": odd}).ports == ()
    service = Service("api", {"build": {"context": str(tmp_path)}})
    assert (service.ports, service.program) == ((), "")
