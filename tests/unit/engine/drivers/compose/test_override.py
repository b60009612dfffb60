"""The override file: what a benchmark must change in a project."""

from pathlib import Path
from typing import Any

import yaml

from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.compose.override_file import compose_override
from loadbench.engine.drivers.docker.inspect import RUN_LABEL
from tests.support.compose_projects import GATEWAY, make_deployment, make_files, port

FREE = {"host_ip": "127.0.0.1", "mode": "ingress"}


class Loader(yaml.SafeLoader):
    """Reads Compose's tags as pairs of tag and value."""


def _tagged(loader: Loader, suffix: str, node: yaml.Node) -> object:
    match node:
        case yaml.SequenceNode():
            return suffix, loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            return suffix, loader.construct_mapping(node, deep=True)
        case _:
            return suffix, None


Loader.add_multi_constructor("!", _tagged)
RESET = ("reset", None)


def read(deployment: Deployment, run: str = "/run") -> dict[str, Any]:
    """Return the override file of a run as data."""
    text = compose_override(deployment).text(Path(run))
    data: dict[str, Any] = yaml.load(text, Loader)  # a SafeLoader
    return data


def services(deployment: Deployment) -> dict[str, Any]:
    return {
        name: {key: value for key, value in service.items() if key != "labels"}
        for name, service in read(deployment)["services"].items()
    }


def test_services_get_a_label_and_free_ports() -> None:
    added = read(make_deployment(), "/reports/run$1")
    label = {"labels": {RUN_LABEL: "/reports/run$$1"}}
    ports = ("override", [{"target": 80, "protocol": "tcp", **FREE}])
    assert added == {"services": {"app": label, "gateway": {**label, "ports": ports}}}


def test_names_and_host_ports_are_released_and_names_stay_reachable() -> None:
    files = make_files(
        top={"volumes": {"data": {"name": "prod"}}, "networks": {"default": {"name": "net"}}},
        app={
            "container_name": "shop-api",
            "ports": [port(8000, "8000"), {"target": 53, "published": "53", "protocol": "udp"}],
            "volumes": [{"type": "volume", "source": "data"}],
            "restart": "always",
        },
        db={"container_name": "db", "networks": {"back": None}},
    )
    deployment = make_deployment(files, models=[1, 2])
    data = read(deployment)

    assert services(deployment) == {
        "app": {
            "container_name": RESET,
            "networks": {"default": {"aliases": ["shop-api"]}},
            "ports": (
                "override",
                [
                    {"target": 8000, "protocol": "tcp", **FREE},
                    {"target": 53, "protocol": "udp", **FREE},
                ],
            ),
        },
        "db": {"container_name": RESET, "networks": {"back": {"aliases": ["db"]}}},
    }
    project = deployment.project
    assert data["volumes"] == {"data": {"name": f"{project}_data"}}
    assert data["networks"] == {"default": {"name": f"{project}_default"}}
    assert compose_override(deployment).changes == [
        "without container_name: app (shop-api), db",
        f"network net replaced by {project}_default",
        f"volume prod replaced by {project}_data",
        "free loopback ports instead of host ports: app 8000, app 53",
    ]


def test_a_port_that_nothing_publishes_is_published() -> None:
    added = services(make_deployment(make_files(app={}), stack={"port": "8000"}))
    assert added["app"]["ports"] == ("override", [{"target": 8000, "protocol": "tcp", **FREE}])


def test_restart_policies_are_removed_only_on_request() -> None:
    files = make_files(app={"restart": "always", "expose": ["80"]}, db={})
    assert all("restart" not in one for one in services(make_deployment(files)).values())
    without = services(make_deployment(files, stack={"restart": False}))
    assert {one["restart"] for one in without.values()} == {"no"}


def test_restart_policies_for_deployments_are_removed_too() -> None:
    deploy = {"restart_policy": {"condition": "any"}, "resources": {"limits": {"cpus": "1"}}}
    files = make_files(app={"deploy": deploy, "expose": ["80"]})
    app = services(make_deployment(files, stack={"restart": False, "memory_mb": 6}))["app"]
    limits = {"limits": {"memory": str(6 * 2**20)}}
    assert app["deploy"] == {"restart_policy": RESET, "resources": limits}


def test_names_of_containers_become_names_of_services() -> None:
    files = make_files(
        app={"expose": ["80"]},
        vpn={"container_name": "vpn-one"},
        side={"network_mode": "container:vpn-one", "pid": "container:other"},
    )
    assert services(make_deployment(files))["side"] == {"network_mode": "service:vpn"}


def test_fixed_subnets_are_released_unless_addresses_are_used() -> None:
    top = {"networks": {"back": {"name": "b", "ipam": {"config": [{"subnet": "10.9.0.0/24"}]}}}}
    db = {"networks": {"back": {"ipv4_address": "10.9.0.2"}}}
    app: dict[str, Any] = {"networks": {"back": None}, "expose": ["80"]}
    released = read(make_deployment(make_files(top=top, app=app, db=db)))
    assert released["networks"]["back"]["ipam"] == RESET
    assert released["services"]["db"]["networks"] == {"back": {"ipv4_address": RESET}}

    files = make_files(top=top, app={**app, "environment": {"DB": "10.9.0.2:5432"}}, db=db)
    used = make_deployment(files)
    assert "ipam" not in read(used)["networks"]["back"]
    assert any("fixed address 10.9.0.2" in warning for warning in used.warnings())


def test_tags_of_builds_are_removed() -> None:
    build = {"context": ".", "tags": ["me/api:latest"]}
    app = services(make_deployment(make_files(app={"build": build, "expose": ["80"]})))["app"]
    assert app["build"] == {"tags": ("reset", [])}


def test_capitals_in_names_of_services_do_not_enter_image_names() -> None:
    files = make_files(scaled="API", API={"build": {"context": "."}, "image": "me/api"})
    added = services(make_deployment(files, stack={"port": "80"}))
    assert added["API"]["image"] == f"{files.project}-api"


def test_links_to_services_that_are_not_started_are_removed() -> None:
    app = {
        "expose": ["80"],
        "depends_on": {"stats": {}, "db": {}},
        "links": ["stats", "db:database"],
    }
    files = make_files(app=app, stats={}, db={})
    added = services(make_deployment(files, stack={"without": ["stats"]}))["app"]
    assert added["links"] == ("override", ["db:database"])


def test_the_receiver_is_published_beside_a_service_on_the_host_s_network() -> None:
    files = make_files(app={}, front={}, agent={"network_mode": "host"})
    added = services(make_deployment(files, stack={"port": "front:80"}))
    assert added["front"]["ports"] == [{"target": 80, "protocol": "tcp", **FREE}]


def test_dependencies_on_services_that_are_not_started_are_removed() -> None:
    depends_on = {"redis": {"condition": "service_healthy"}, "locust": {"required": True}}
    files = make_files(
        app={"expose": ["80"], "depends_on": depends_on},
        redis={},
        locust={"image": "locustio/locust"},
    )
    added = services(make_deployment(files))
    kept = {"redis": {"condition": "service_healthy"}}
    assert added["app"]["depends_on"] == ("override", kept)
    assert added.keys() == {"app", "redis"}


def test_needed_services_are_enabled() -> None:
    files = make_files(app={"profiles": ["cpu"], "expose": ["80"]})
    assert services(make_deployment(files))["app"]["profiles"] == ("reset", [])


def test_addresses_that_only_one_replica_can_have_are_removed() -> None:
    networks = {"back": {"ipv4_address": "10.0.0.2", "mac_address": "x"}, "front": None}
    files = make_files(app={"networks": networks, "mac_address": "y", "expose": ["80"]})
    app = services(make_deployment(files, models=[2]))["app"]
    assert app["networks"] == {"back": {"ipv4_address": RESET, "mac_address": RESET}}
    assert app["mac_address"] == RESET


def test_the_network_of_the_host_is_left_for_several_replicas() -> None:
    files = make_files(app={"network_mode": "host"})
    scaled = services(make_deployment(files, models=[2], stack={"port": "80"}))["app"]
    assert scaled["network_mode"] == RESET
    assert scaled["ports"][1][0]["target"] == 80
    single = services(make_deployment(files, models=[1], stack={"port": "80"}))["app"]
    assert single == {}


def test_a_remote_engine_keeps_the_published_ports() -> None:
    deployment = make_deployment(is_remote=True, host="http://10.0.0.7:8080")
    assert services(deployment) == {"app": {}, "gateway": {}}
    assert not compose_override(deployment).needs_tags


def test_tags_are_needed_only_where_something_is_removed() -> None:
    assert compose_override(make_deployment()).needs_tags
    bundled = make_files(is_bundled=True, scaled="model", api=GATEWAY, model={}, broker={})
    assert not compose_override(make_deployment(bundled)).needs_tags


def test_bundled_services_get_the_profile_s_settings_and_the_names_of_its_variables() -> None:
    stack = {"environment": {"MAX_QUEUE": "7", "X": "a$b"}, "model_threads": 3}
    bundled = make_files(is_bundled=True, scaled="model", api=GATEWAY, model={}, broker={})

    added = services(make_deployment(bundled, batch_size=4, stack=stack))

    assert "environment" not in added["broker"]
    assert "ports" not in added["api"]
    for name in ("api", "model"):
        environment = added[name]["environment"]
        assert environment["BATCH_SIZE"] == "4"
        assert environment["MODEL_THREADS"] == "3"
        # Compose takes these from its own environment, so that the file contains no secrets.
        assert environment["MAX_QUEUE"] is None
        assert environment["X"] is None


def test_built_images_are_named_after_the_project() -> None:
    built = {"build": {"context": "."}, "image": "shop:latest"}
    files = make_files(
        app={**built, "expose": ["80"]}, worker={"image": "shop:latest"}, db={"image": "postgres"}
    )
    added = services(make_deployment(files))
    name = f"{files.project}-app"
    assert added["app"]["image"] == added["worker"]["image"] == name
    assert "image" not in added["db"]


def test_an_image_of_a_service_that_is_not_started_is_built_for_others() -> None:
    files = make_files(
        app={"image": "shop:latest", "expose": ["80"]},
        tests={"build": {"context": "."}, "image": "shop:latest", "command": "locust"},
    )
    deployment = make_deployment(files)
    assert deployment.built == ["tests"]
    assert services(deployment) == {
        "app": {
            "image": f"{files.project}-tests",
            "ports": ("override", [{"target": 80, "protocol": "tcp", **FREE}]),
        },
        "tests": {"image": f"{files.project}-tests"},
    }


def test_a_folder_name_with_an_emoji_is_written_unescaped() -> None:
    assert "/runs/🚀" in compose_override(make_deployment()).text(Path("/runs/🚀"))


def test_a_memory_limit_uses_the_notation_of_the_file() -> None:
    limit = 100 * 2**20
    plain = services(make_deployment(stack={"memory_mb": 100}))
    assert plain["app"]["mem_limit"] == plain["app"]["memswap_limit"] == limit
    assert "mem_limit" not in plain["gateway"]

    files = make_files(app={"deploy": {"resources": {"limits": {"cpus": "1"}}}}, gateway=GATEWAY)
    swarm = services(make_deployment(files, stack={"memory_mb": 100}))["app"]
    assert swarm["deploy"] == {"resources": {"limits": {"memory": str(limit)}}}
    assert "mem_limit" not in swarm


def test_overruled_health_checks_are_removed_except_those_of_data_stores() -> None:
    check = {"test": ["CMD", "curl", "-f", "http://localhost/"]}
    healthy = {"condition": "service_healthy", "required": True}
    files = make_files(
        app={
            "expose": ["80"],
            "healthcheck": check,
            "depends_on": {
                "db": healthy,
                "migrate": {"condition": "service_completed_successfully"},
            },
        },
        front={"image": "nginx", "ports": [port(80)], "depends_on": {"app": healthy}},
        migrate={"image": "migrate"},
        db={"image": "postgres", "healthcheck": check},
    )

    deployment = make_deployment(files, stack={"healthcheck": False})
    added = services(deployment)

    disabled = ("override", {"disable": True})
    assert [name for name, one in added.items() if "healthcheck" in one] == [
        *("app", "front", "migrate")
    ]
    assert added["app"]["healthcheck"] == disabled
    # A data store must be ready before its dependents start.
    assert "depends_on" not in added["app"]
    started = {**healthy, "condition": "service_started"}
    assert added["front"]["depends_on"] == ("override", {"app": started})
    changes = compose_override(deployment).changes
    assert "containers without their health checks: app" in changes
    assert not any("healthcheck" in one for one in services(make_deployment(files)).values())
