"""Where a started project can be reached, and which of its health checks are requested."""

from typing import Any

import pytest

from loadbench.engine.drivers.compose.addresses import Addresses, find_addresses
from loadbench.engine.drivers.docker.inspect import ContainerInfo, Port
from loadbench.errors import ProfileError
from tests.support.compose_projects import make_deployment, make_files, port, running_container


def container(service: str, number: int, **ports: int) -> ContainerInfo:
    """Return a running container, with published ports such as `p8000=49153`."""
    published = tuple(
        Port(target=int(name[1:]), address="127.0.0.1", published=at) for name, at in ports.items()
    )
    return running_container(f"{service}-{number}", ports=published)


APP = {"ports": [port(8000, "8000"), port(9000, "9000")]}


def addresses(models: int = 1, *, ports: dict[str, int] | None = None, **keys: Any) -> Addresses:
    deployment = make_deployment(make_files(app=APP), models=[models], **keys)
    published = ports or {"p8000": 50_000, "p9000": 60_000}
    containers = [
        container("app", number, **{name: port + number for name, port in published.items()})
        for number in range(1, models + 1)
    ]
    found = find_addresses(deployment, containers, models)
    assert isinstance(found, Addresses)
    return found


def test_a_base_path_and_a_password_are_kept_in_the_copy_of_the_project() -> None:
    found = addresses(2, host="http://me:pw@127.0.0.1:8000/v1")

    assert [one.url for one in found.replicas] == [
        "http://me:pw@127.0.0.1:50001/v1",
        "http://me:pw@127.0.0.1:50002/v1",
    ]
    assert found.health == {f"{one.url}/health": one.name for one in found.replicas}


def test_a_name_below_localhost_is_kept_for_proxies_that_route_by_it() -> None:
    assert addresses(host="https://api.localhost:8000").host == "https://api.localhost:50001"
    assert addresses(host="http://localhost:8000").host == "http://127.0.0.1:50001"


def test_a_range_of_ports_is_used_as_a_whole() -> None:
    files = make_files(app={"ports": [port(8000, "18200-18203")]})
    deployment = make_deployment(files, models=[2], host="http://127.0.0.1:18200")
    containers = [container("app", number, p8000=50_000 + number) for number in (1, 2)]

    found = find_addresses(deployment, containers, 2)

    assert isinstance(found, Addresses)
    assert [one.url for one in found.replicas] == [
        *("http://127.0.0.1:50001", "http://127.0.0.1:50002")
    ]


def test_a_port_with_tls_needs_not_be_published_by_the_project() -> None:
    assert addresses(stack={"port": "https://app:9000"}).host == "https://localhost:60001"
    assert addresses(stack={"port": "http://app:9000"}).host == "http://127.0.0.1:60001"
    assert addresses(stack={"port": "9000"}).host == "http://127.0.0.1:60001"


def test_several_health_checks_are_found_in_the_copy_of_the_project() -> None:
    checks = ["/ready", "tcp", "tcp://127.0.0.1:9000", "http://localhost:9000/up?a=b", "containers"]

    found = addresses(2, host="http://127.0.0.1:8000", stack={"health": checks})

    assert tuple(found.health) == (
        *("http://127.0.0.1:50001/ready", "http://127.0.0.1:50002/ready"),
        *("tcp://127.0.0.1:50001", "tcp://127.0.0.1:50002"),
        *("tcp://127.0.0.1:60001", "tcp://127.0.0.1:60002"),
        *("http://127.0.0.1:60001/up?a=b", "http://127.0.0.1:60002/up?a=b"),
    )


def test_the_containers_own_health_alone_needs_no_request() -> None:
    found = addresses(host="http://127.0.0.1:8000", stack={"health": "containers"})

    assert not found.health


@pytest.mark.parametrize("check", ["tcp://app:9000", "http://app/health"])
def test_the_name_of_a_service_in_a_health_check_is_refused(check: str) -> None:
    with pytest.raises(ProfileError, match="app is a service of the project, whose name this mach"):
        addresses(host="http://127.0.0.1:8000", stack={"health": check})
