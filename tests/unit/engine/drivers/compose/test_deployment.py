"""Which services are started, where requests go, and what is refused."""

from typing import Any

import pytest

from loadbench.engine.drivers.compose.project.files import ComposeFiles
from loadbench.engine.profile.target import Balance
from loadbench.errors import ProfileError
from tests.support.compose_projects import GATEWAY, make_deployment, make_files, port

LOCUST = {"image": "locustio/locust", "ports": [port(8089, "8089")]}
SEVERAL = "stack.port: required, because the compose files declare several ports. Write one of:"
TOOL = "monitoring or admin tool"
GRAFANA = {"image": "grafana/grafana", "ports": [port(3000, "3000")]}


def receiver(files: ComposeFiles, **keys: Any) -> tuple[str, int, str]:
    """Return the service and port that receive the requests, and who balances them."""
    found = make_deployment(files, **keys).receiver
    return found.service, found.port, found.balance.value


def left_out(files: ComposeFiles, **keys: Any) -> dict[str, str]:
    return {one.service: one.reason for one in make_deployment(files, **keys).left_out}


def refusal(files: ComposeFiles, **keys: Any) -> str:
    with pytest.raises(ProfileError) as caught:
        make_deployment(files, **keys)
    return str(caught.value)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        # A service with a single port needs no front, however it is declared.
        ({"app": {"ports": [port(8000, "8000")]}}, ("app", 8000, "clients")),
        ({"app": {"ports": [port(8000, "8000-8003")]}}, ("app", 8000, "clients")),
        ({"app": {"expose": ["8000"]}}, ("app", 8000, "clients")),
        ({"app": {"expose": ["8000"]}, "locust": LOCUST}, ("app", 8000, "clients")),
        ({"app": {"expose": ["8000"]}, "grafana": GRAFANA}, ("app", 8000, "clients")),
        (
            {"app": {"expose": ["8000"]}, "frontend": {"ports": [port(3000, "3000")]}},
            ("app", 8000, "clients"),
        ),
        (
            {"app": {"ports": [port(8000)]}, "redis": {"ports": [port(6379)]}},
            ("app", 8000, "clients"),
        ),
        # A proxy, or the only other published port, receives the requests.
        ({"app": {}, "gateway": GATEWAY}, ("gateway", 80, "front")),
        ({"app": {"ports": [port(8000)]}, "nginx": GATEWAY}, ("app", 8000, "clients")),
        ({"app": {"expose": ["8000"]}, "nginx": GATEWAY}, ("nginx", 80, "front")),
        ({"app": {}, "web": GATEWAY, "locust": LOCUST}, ("web", 80, "front")),
        (
            {"app": {}, "api": GATEWAY, "redis": {"ports": [port(6379, "6379")]}},
            ("api", 80, "front"),
        ),
    ],
)
def test_the_only_plausible_port_receives_the_requests(
    services: dict[str, Any], expected: tuple[str, int, str]
) -> None:
    assert receiver(make_files(**services), models=[1, 2]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8000", ("app", 8000, "clients")),
        ("80", ("web", 80, "front")),
        ("web:80", ("web", 80, "front")),
        ("app:9999", ("app", 9999, "clients")),
    ],
)
def test_the_profile_names_the_port(text: str, expected: tuple[str, int, str]) -> None:
    files = make_files(app={"expose": ["8000", "9000"]}, web=GATEWAY, api=GATEWAY)
    if text == "80":
        files = make_files(app={"expose": ["8000", "9000"]}, web=GATEWAY)
    assert receiver(files, stack={"port": text}) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("http://127.0.0.1:8080", ("gateway", 80, "front")),
        ("http://localhost:18201", ("app", 8000, "clients")),
        ("https://0.0.0.0:8080", ("gateway", 80, "front")),
        ("http://10.0.0.7:8080", ("", 0, "front")),
    ],
)
def test_a_host_that_the_project_publishes_is_found_on_any_port(
    host: str, expected: tuple[str, int, str]
) -> None:
    files = make_files(app={"ports": [port(8000, "18200-18203")]}, gateway=GATEWAY)
    assert receiver(files, host=host) == expected


def test_a_fixed_host_is_kept_and_its_service_is_started() -> None:
    front = {**GATEWAY, "depends_on": {"app": {}}}
    files = make_files(app={"expose": ["1"]}, gateway=front, other={"ports": [port(5, "5")]})
    deployment = make_deployment(files, is_remote=True, host="http://10.0.0.7:8080")
    assert deployment.receiver.address == "http://10.0.0.7:8080"
    assert deployment.receiver.service == "gateway"
    assert "gateway" in deployment.running


def test_nothing_that_may_receive_the_requests_is_left_out() -> None:
    front = {"ports": [port(80)], "depends_on": {"app": {}}}
    files = make_files(app={"expose": ["1"]}, gateway=front, grafana=GRAFANA)
    assert left_out(files, host="http://balancer.local") == {"grafana": TOOL}


def test_a_host_keeps_its_scheme() -> None:
    assert make_deployment(host="https://127.0.0.1:8080").receiver.scheme == "https"


@pytest.mark.parametrize(
    ("services", "keys", "message"),
    [
        (
            {"api": GATEWAY},
            {},
            "stack.service: no service 'app' in the compose files (services: api). Did you mean",
        ),
        ({"app": {}}, {}, "stack.port: required, because app declares no port"),
        (
            {"app": {}, "a": GATEWAY, "b": GATEWAY},
            {},
            f"{SEVERAL} stack.port: a:80, stack.port: b:80",
        ),
        (
            {"app": {"ports": [port(1), port(2)]}},
            {},
            f"{SEVERAL} stack.port: app:1, stack.port: app:2",
        ),
        (
            {"app": {"expose": ["8000"]}, "nginx": {"ports": [port(80), port(8080)]}},
            {},
            f"{SEVERAL} stack.port: app:8000, stack.port: nginx:80, stack.port: nginx:8080",
        ),
        ({"app": {}}, {"port": "api:80"}, "stack.port: no service 'api'"),
        ({"app": {}, "locust": LOCUST}, {"port": "locust:8089"}, "stack.port: locust is a load"),
        ({"app": LOCUST}, {}, "stack.service: app is a load generator"),
        ({"app": {}, "gateway": GATEWAY}, {"without": ["gate"]}, "stack.without: no service"),
        ({"app": {}, "gateway": GATEWAY}, {"without": ["app"]}, "stack.without: app is"),
        (
            {"app": {}, "gateway": GATEWAY},
            {"without": ["gateway"], "port": "gateway:80"},
            "stack.without: gateway receives the requests",
        ),
        (
            {"app": {}, "gateway": GATEWAY},
            {"balance": "clients"},
            "stack.balance: clients requires that requests go to app itself, but they go to gate",
        ),
        ({"app": GATEWAY}, {"balance": "front"}, "stack.balance: front requires a service that"),
        (
            {"app": {}, "web": {**GATEWAY, "deploy": {"replicas": 2}}},
            {},
            "stack.port: web has 2 replicas, each with a port of its own",
        ),
        (
            {"app": {"network_mode": "service:db"}, "db": {}},
            {"port": "8000"},
            "stack.port: app has network_mode: service:db, and so no port of its own",
        ),
        (
            {"app": {"network_mode": "none"}, "web": GATEWAY},
            {},
            "stack.service: app cannot be scaled because it has network_mode: none",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_with_the_line_to_write(
    services: dict[str, Any], keys: dict[str, Any], message: str
) -> None:
    assert refusal(make_files(**services), models=[1, 2], stack=keys).startswith(message)


def test_the_page_of_a_load_generator_is_never_the_target() -> None:
    files = make_files(app={"ports": [port(8000, "8000")]}, locust=LOCUST)
    message = refusal(files, host="http://localhost:8089")
    assert message.startswith("host: http://localhost:8089 is the page of locust, a load generator")
    hidden = {**LOCUST, "profiles": ["load"]}
    files = make_files(app={"ports": [port(8000, "8000")]}, locust=hidden)
    assert refusal(files, host="http://localhost:8089") == message


def test_a_local_host_that_the_project_does_not_publish_is_refused() -> None:
    message = refusal(make_files(), host="http://127.0.0.1:1")
    assert message.startswith("host: the project publishes no port at http://127.0.0.1:1")
    on_host = make_files(app={}, agent={"network_mode": "host"})
    assert make_deployment(on_host, host="http://127.0.0.1:1").receiver.service == ""


def test_a_port_and_a_host_exclude_each_other() -> None:
    message = refusal(make_files(), host="http://127.0.0.1:8080", stack={"port": "80"})
    assert message.startswith("stack.port: cannot be combined with host: http://127.0.0.1:8080")


def test_load_generators_are_always_left_out() -> None:
    files = make_files(app={"expose": ["80"]}, master=LOCUST, worker={"command": "locust --worker"})
    assert left_out(files) == {"master": "load generator", "worker": "load generator"}
    assert left_out(files, stack={"without": []}) == left_out(files)


def test_dashboards_and_pages_that_nothing_uses_are_left_out() -> None:
    files = make_files(
        app={"expose": ["80"]},
        grafana={**GRAFANA, "depends_on": {"prometheus": {}}},
        prometheus={"image": "prom/prometheus"},
        frontend={"ports": [port(3000)], "depends_on": {"app": {}}},
        worker={"depends_on": {"app": {}}},
        redis={},
        seed={"depends_on": {"app": {}}},
    )
    assert left_out(files) == {
        "grafana": TOOL,
        "prometheus": TOOL,
        "frontend": "nothing needs it",
    }
    assert set(make_deployment(files).running) == {"app", "worker", "redis", "seed"}
    assert left_out(files, stack={"without": []}) == {}
    assert left_out(files, stack={"without": ["redis"]}) == {"redis": "stack.without"}
    both = left_out(files, stack={"without": ["auto", "redis"]})
    assert both.keys() == {"grafana", "prometheus", "frontend", "redis"}


def test_pages_behind_a_proxy_are_started() -> None:
    page = {"ports": [port(3000)], "depends_on": {"app": {}}}
    front = {**GATEWAY, "depends_on": {"app": {}}}
    behind = make_files(app={"expose": ["80"]}, web=page, nginx=front)
    assert left_out(behind) == {}
    direct = make_files(app={"ports": [port(80)]}, page=page, nginx=front)
    assert left_out(direct).keys() == {"page", "nginx"}


def test_data_that_a_data_store_writes_outside_the_project_is_known() -> None:
    mounts = [
        {"type": "bind", "source": "/srv/db"},
        {"type": "bind", "source": "/srv/init", "read_only": True},
        {"type": "volume", "source": "own"},
        {"type": "volume", "source": "outside"},
    ]
    top = {"volumes": {"own": {"name": "a"}, "outside": {"name": "x", "external": True}}}
    files = make_files(
        top=top, app={"expose": ["1"]}, db={"image": "postgres", "volumes": mounts}, job=GATEWAY
    )
    assert make_deployment(files).shared_data == [("db", "/srv/db"), ("db", "x")]


@pytest.mark.parametrize(
    "app",
    [
        {"environment": {"DASHBOARD": "http://grafana:3000"}},
        {"depends_on": {"grafana": {}}},
        {"command": ["serve", "--dashboard", "grafana"]},
    ],
)
def test_a_service_that_another_one_uses_is_started(app: dict[str, Any]) -> None:
    files = make_files(app={**app, "expose": ["80"]}, grafana=GRAFANA)
    assert left_out(files) == {}


def test_the_scaled_service_is_started_even_if_its_profiles_are_not_active() -> None:
    files = make_files(
        app={"profiles": ["cpu"], "depends_on": {"redis": {}, "extra": {"required": False}}},
        gpu={"profiles": ["gpu"]},
        redis={"profiles": ["infra"]},
        extra={"profiles": ["extra"]},
        front=GATEWAY,
    )
    deployment = make_deployment(files, models=[1, 2])
    assert set(deployment.running) == {"app", "redis", "front"}
    assert deployment.left_out == ()


def test_a_service_on_the_host_s_network_is_reached_at_its_own_port() -> None:
    files = make_files(app={"network_mode": "host"})
    deployment = make_deployment(files, models=[1], stack={"port": "8000"})
    assert deployment.receiver.address == "http://127.0.0.1:8000"
    assert "app has network_mode: host" in deployment.warnings()[-1]
    [error] = deployment.errors(deployment.profile.model_copy(update={"models": (2,)}))
    assert "network_mode: host" in error


def test_it_leaves_the_host_s_network_to_be_scaled_if_it_can_reach_nothing_there() -> None:
    alone = make_files(app={"network_mode": "host"}, worker={})
    deployment = make_deployment(alone, models=[1, 2], stack={"port": "8000"})
    assert deployment.leaves_host_network
    assert deployment.receiver.balance is Balance.CLIENTS

    with_redis = make_files(app={"network_mode": "host"}, redis={"ports": [port(6379, "6379")]})
    message = refusal(with_redis, models=[1, 2], stack={"port": "8000"})
    assert message.startswith(
        "stack.service: app cannot be scaled because it has network_mode: host"
    )
    assert "{network_mode: !reset null}" in message


def test_ports_beside_a_service_on_the_host_s_network_stay() -> None:
    files = make_files(app=GATEWAY, agent={"network_mode": "host"}, redis={"ports": [port(1, "1")]})
    deployment = make_deployment(files)
    assert (deployment.keeps_ports("redis"), deployment.keeps_ports("app")) == (True, False)


def test_a_remote_engine_keeps_ports_and_requires_them_to_be_free() -> None:
    files = make_files(app={"ports": [port(80, "8080")]})
    assert make_deployment(files, is_remote=True, host="http://10.0.0.7:8080").keeps_ports("app")
    message = refusal(files, is_remote=True, host="http://10.0.0.7:8080", models=[2])
    assert "app cannot be scaled because it has the fixed host port 8080" in message


def test_the_scaled_and_the_published_services_are_required() -> None:
    files = make_files(app={}, gateway=GATEWAY, seed={})
    assert make_deployment(files).required == {"app", "gateway"}
    bundled = make_files(is_bundled=True, app={}, gateway=GATEWAY, broker={})
    assert make_deployment(bundled).required == {"app", "gateway", "broker"}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, False),
        ({"runtime": "nvidia"}, True),
        ({"gpus": [{"count": -1}]}, True),
        ({"deploy": {"resources": {"reservations": {"devices": [{"driver": "nvidia"}]}}}}, True),
        ({"deploy": {"resources": {"reservations": {"devices": [{"driver": "tpu"}]}}}}, False),
    ],
)
def test_a_gpu_request_is_recognised(service: dict[str, Any], expected: bool) -> None:
    files = make_files(app={**service, "expose": ["80"]})
    assert make_deployment(files).needs_nvidia is expected


def test_resources_shared_with_other_copies_of_a_project_cause_warnings() -> None:
    top = {
        "volumes": {"own": {"name": "prod-data"}, "outside": {"name": "x", "external": True}},
        "networks": {"default": {"name": "loadbench_default"}},
    }
    mounts = [
        {"type": "bind", "source": "/srv/data"},
        {"type": "bind", "source": "/srv/code", "read_only": True},
        {"type": "volume", "source": "own"},
        {"type": "volume", "source": "outside"},
    ]

    files = make_files(top=top, app={"volumes": mounts}, gateway=GATEWAY)

    assert make_deployment(files).warnings() == [
        "volume x is external: other copies of the project share it",
        "app writes to /srv/data, which other copies of the project share",
    ]


def test_keys_that_apply_only_to_the_bundled_stack_cause_warnings() -> None:
    keys: dict[str, Any] = {"batch_size": 8, "stack": {"gpu_memory_mb": 5}}
    assert make_deployment(**keys).warnings() == [
        "batch_size has no effect with your own compose files",
        "stack.gpu_memory_mb has no effect with your own compose files",
    ]
    bundled = make_files(is_bundled=True)
    assert make_deployment(bundled, **keys).warnings() == []


def test_fewer_users_than_replicas_cause_a_warning() -> None:
    files = make_files(app={"expose": ["80"]})
    [warning] = make_deployment(files, models=[1, 4], users=[1, 8]).warnings()
    assert (
        warning == "cells with fewer users than replicas leave replicas idle: 1 user for 4 replicas"
    )


def test_the_health_check_moves_with_its_port() -> None:
    files = make_files(app={"ports": [port(8000, "8000")]}, admin={"ports": [port(9, "9000")]})
    deployment = make_deployment(files, stack={"port": "8000"})
    assert deployment.health_place("/health") is None
    assert deployment.health_place("http://localhost:9000/ready") == ("admin", 9)
    assert deployment.health_place("http://localhost:1/ready") is None
