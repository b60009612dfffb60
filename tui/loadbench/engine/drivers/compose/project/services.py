"""What the services of a Compose project are: load generators, tools, proxies, data stores.

The role of a service is derived from its image, its command and its name. It decides which services
are started and which may receive the requests.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from loadbench.engine.drivers.compose.project.dockerfile import Dockerfile, read_dockerfile
from loadbench.engine.profile.fields import MAX_PORT


class Role(StrEnum):
    """What a service is for."""

    SERVICE = "service"
    LOAD_GENERATOR = "load generator"
    TOOL = "monitoring or admin tool"
    PROXY = "proxy"
    DATA_STORE = "data store"


_NAMES = {
    Role.LOAD_GENERATOR: """
        locust k6 artillery jmeter gatling vegeta wrk wrk2 hey oha tsung siege
        """,
    Role.TOOL: """
        grafana grafana-oss grafana-enterprise prometheus alertmanager flower celery-flower adminer
        pgadmin pgadmin4 phpmyadmin kibana chronograf cadvisor redis-commander redisinsight
        mongo-express portainer portainer-ce watchtower dozzle kafka-ui kafdrop rq-dashboard
        opensearch-dashboards loki promtail alloy fluentd fluent-bit jaeger all-in-one zipkin tempo
        otel-collector opentelemetry-collector opentelemetry-collector-contrib mailhog mailpit
        smtp4dev
        """,
    Role.PROXY: """
        nginx nginx-unprivileged nginx-proxy openresty traefik haproxy envoy caddy kong httpd apisix
        krakend varnish ingress reverse-proxy proxy lb balancer load-balancer loadbalancer gateway
        front
        """,
    Role.DATA_STORE: """
        redis redis-stack redis-stack-server valkey keydb dragonfly memcached postgres postgresql
        postgis pgvector pgbouncer timescaledb mysql mariadb mssql mongo mongodb rabbitmq kafka
        zookeeper elasticsearch opensearch minio clickhouse cassandra scylla nats mosquitto etcd
        influxdb neo4j qdrant weaviate milvus chroma localstack dynamodb-local couchdb db database
        broker cache
        """,
}
_PROGRAMS = {role: frozenset(names.split()) for role, names in _NAMES.items()}
"""Names of images and services, by role."""

_LOAD_COMMAND = re.compile(r"(?:^|[\s;&|/])(?:locust|k6|artillery|vegeta|wrk2?|jmeter)(?=\s|$)")
_INSTALL_COMMAND = re.compile(r"\b(?:install|add)\s[^;&|]*")
_LOAD_NAMES = frozenset(("locust", "k6", "jmeter", "gatling", "artillery"))
_TOOL_COMMAND = re.compile(r"\bcelery\b.*\bflower\b")
_USER_INTERFACE = re.compile(
    r"(?:^|[-_.])(?:front-?end|ui|client|react|vue|angular|site)(?:[-_.]|$)"
)


@dataclass(frozen=True, eq=False)  # no slots: cached properties need a __dict__
class Service:
    """A service of a Compose project."""

    name: str
    config: Mapping[str, Any]
    """Its configuration, as printed by `docker compose config`."""

    @cached_property
    def role(self) -> Role:
        """What the service is for."""
        for role, programs in _PROGRAMS.items():
            # Pages built with JavaScript are often served by a proxy's image.
            is_page = role is Role.PROXY and self.is_user_interface
            if self.program in programs and not is_page:
                return role
        if any(one.endswith(("-exporter", "_exporter")) for one in (self.program, self.name)):
            return Role.TOOL
        command = self.command or self.dockerfile.command
        if _LOAD_COMMAND.search(_INSTALL_COMMAND.sub("", command)):
            return Role.LOAD_GENERATOR
        if _TOOL_COMMAND.search(self.command):
            return Role.TOOL
        # A load generator may have several parts: locust-master, locust_worker.
        words = set(re.split(r"[^a-z0-9]+", self.name.lower()))
        if words & _LOAD_NAMES:
            return Role.LOAD_GENERATOR
        for role, programs in _PROGRAMS.items():
            # Other names of load generators, such as `hey`, are also those of services.
            is_clear = role is not Role.LOAD_GENERATOR
            if is_clear and self.name.lower().replace("_", "-") in programs:
                return role
        return Role.SERVICE

    @property
    def is_user_interface(self) -> bool:
        """Whether it is named like the web page of a project."""
        return _USER_INTERFACE.search(self.name.lower()) is not None

    @property
    def program(self) -> str:
        """Last part of the name of the image, or of the base image if built, such as `nginx`."""
        build = self.config.get("build")
        image = self.dockerfile.base_image if build else str(self.config.get("image") or "")
        return PurePosixPath(image).name.partition("@")[0].partition(":")[0].lower()

    @cached_property
    def dockerfile(self) -> Dockerfile:
        """What its Dockerfile declares. Empty if it has none that can be read."""
        build = self.config.get("build")
        return read_dockerfile(build) if isinstance(build, Mapping) else Dockerfile()

    @property
    def command(self) -> str:
        """Its entrypoint and command as one line."""
        parts: list[str] = []
        for key in ("entrypoint", "command"):
            value = self.config.get(key) or ()
            parts += [value] if isinstance(value, str) else map(str, value)
        return " ".join(parts)

    @property
    def published(self) -> list[Mapping[str, Any]]:
        """Its published TCP ports, as printed by `docker compose config`."""
        ports = self.config.get("ports") or ()
        return [port for port in ports if (port.get("protocol") or "tcp") == "tcp"]

    @property
    def published_ports(self) -> tuple[int, ...]:
        """The container ports of its published TCP ports."""
        # A port that is published for both IPv4 and IPv6 counts once.
        return tuple(dict.fromkeys(int(port["target"]) for port in self.published))

    @cached_property
    def ports(self) -> tuple[int, ...]:
        """TCP ports on which it listens, as declared: published, in `expose`, or by `EXPOSE`."""
        exposed = self.config.get("expose") or ()
        numbers = [number for text in exposed for number in _numbers(str(text))]
        return self.published_ports or tuple(dict.fromkeys(numbers)) or self.dockerfile.ports

    @property
    def dependencies(self) -> Mapping[str, bool]:
        """The services that it depends on, each with whether it cannot start without it.

        Compose adds those of `links`, `volumes_from` and shared namespaces to `depends_on`.
        """
        depends_on: Mapping[str, Any] = self.config.get("depends_on") or {}
        return {name: bool(one.get("required", True)) for name, one in depends_on.items()}

    @property
    def replicas(self) -> int:
        """Number of its replicas in the project."""
        count = (self.config.get("deploy") or {}).get("replicas", self.config.get("scale"))
        return 1 if count is None else int(count)

    @property
    def is_on_host_network(self) -> bool:
        """Whether it uses the network of its Docker host directly."""
        return self.network_mode == "host"

    @property
    def networks(self) -> tuple[str, ...]:
        """Keys of the networks to which it is attached."""
        if self.network_mode:
            return ()
        return tuple(self.config.get("networks") or ("default",))

    @property
    def network_mode(self) -> str:
        """Its `network_mode`. Empty if it is attached to networks."""
        return str(self.config.get("network_mode") or "")

    @property
    def shares_network(self) -> bool:
        """Whether it has no network of its own: none, or that of a service or container."""
        return self.network_mode == "none" or self.network_mode.startswith(
            ("service:", "container:")
        )

    def mentions(self, name: str) -> bool:
        """Return whether its environment or command contains a name or an address."""
        environment: Mapping[str, Any] = self.config.get("environment") or {}
        values = (str(value) for value in environment.values() if value)
        text = " ".join((self.command, *values))
        return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def host_ports(port: Mapping[str, Any]) -> range:
    """Return the fixed host ports of a published port. Empty if Docker chooses one."""
    first, _, last = str(port.get("published") or "").partition("-")
    return _port_range(first, last)


def _numbers(text: str) -> Iterable[int]:
    """Return the ports of an entry of `expose`, such as `8000`, `8000/tcp` or `8000-8002`."""
    ports, _, protocol = text.partition("/")
    first, _, last = ports.partition("-")
    if protocol not in ("", "tcp"):
        return range(0)
    return _port_range(first, last)


def _port_range(first: str, last: str) -> range:
    """Return the ports from one to another, which may be missing. Empty if they are no ports."""
    numbers = [int(text) for text in (first, last or first) if text.isascii() and text.isdigit()]
    is_valid = len(numbers) == 2 and all(0 < number <= MAX_PORT for number in numbers)
    return range(numbers[0], numbers[1] + 1) if is_valid else range(0)
