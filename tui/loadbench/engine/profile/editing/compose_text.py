"""What compose files state as text, without Docker: services, published ports, health checks."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from loadbench.engine.profile.editing.document import YamlNode, parse_yaml
from loadbench.errors import ProfileError

_BACKENDS = (
    "postgres", "mysql", "mariadb", "mongo", "redis", "valkey", "keydb", "dragonfly", "memcached",
    "rabbitmq", "kafka", "redpanda", "zookeeper", "nats", "mosquitto", "activemq", "cassandra",
    "elasticsearch", "opensearch", "clickhouse", "influxdb", "etcd", "minio", "qdrant", "milvus",
    "prometheus", "grafana",
)  # fmt: skip
"""Parts of image names of databases, brokers and similar services."""

_MAX_MERGES = 20
_MAX_PORTS = 20
"""Maximum number of ports of a range."""

# Without backtracking, which would take hours for a long text without the closing brace.
_VARIABLE = re.compile(r"\$(?:\$|(\w++)|\{(\w++)(?::?-([^{}]*+))?+[^{}]*+\})")
_URL = re.compile(r"https?://[^\s/'\"|;)\]]+(/[^\s'\"|;)\]]*)?")
_QUOTED_PATH = re.compile(r"['\"](/[\w./?=&-]*)['\"]")
_EVERY_ADDRESS = ("", "0.0.0.0", "::", "127.0.0.1", "localhost")  # noqa: S104  # read from a file


@dataclass(frozen=True, slots=True)
class ServiceText:
    """A service as the compose files describe it."""

    name: str
    image: str = ""
    is_built: bool = False
    ports: tuple[str, ...] = ()
    """Published ports in short notation, such as `127.0.0.1:8080:80`."""
    health_check: str = ""

    @property
    def rank(self) -> int:
        """0 for services with an image, 1 for those without, 2 for databases and brokers."""
        name = self.image.rpartition("/")[2].partition(":")[0].lower()
        if not self.is_built and any(backend in name for backend in _BACKENDS):
            return 2
        return 0 if self.is_built or self.image else 1

    def addresses(self) -> Iterator[str]:
        """Yield the URL of each port that is published on a fixed host port."""
        for port in self.ports:
            address, _, published = port.rpartition(":")[0].rpartition(":")
            host = address.strip("[]")
            name = "127.0.0.1" if host in _EVERY_ADDRESS else f"[{host}]" if ":" in host else host
            for number in _numbers(published):
                yield f"http://{name}:{number}"

    def health_paths(self) -> Iterator[str]:
        """Yield the paths that the health check requests."""
        urls = [match[1] or "/" for match in _URL.finditer(self.health_check)]
        yield from urls or (match[1] for match in _QUOTED_PATH.finditer(self.health_check))


@dataclass(frozen=True, slots=True)
class ComposeText:
    """The services of several compose files. Later files extend earlier ones."""

    services: tuple[ServiceText, ...] = ()

    def with_file(self, text: str, *, deadline_s: float) -> "ComposeText":
        """Return these services together with those of a file.

        Raises:
            ProfileError: The text is not YAML, or the deadline has passed.
        """
        document = parse_yaml(text, deadline_s=deadline_s)
        reader = _Reader(_anchors(document.root), deadline_s)
        merged = {service.name: service for service in self.services}
        for name, node in reader.pairs(reader.entry(document.root, "services")):
            service = reader.service(name, node)
            known = merged.get(name, ServiceText(name))
            merged[name] = ServiceText(
                name,
                image=service.image or known.image,
                is_built=service.is_built or known.is_built,
                ports=known.ports + service.ports,
                health_check=service.health_check or known.health_check,
            )
        return ComposeText(tuple(merged.values()))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Looks up entries of YAML mappings, through aliases and merge keys."""

    anchors: dict[str, YamlNode]
    deadline_s: float

    def service(self, name: str, node: YamlNode | None) -> ServiceText:
        test = self.entry(self.entry(node, "healthcheck"), "test")
        return ServiceText(
            name,
            image=self.text(self.entry(node, "image")),
            is_built=self.entry(node, "build") is not None,
            ports=tuple(self._port(port) for port in self.items(self.entry(node, "ports"))),
            health_check=" ".join(map(self.text, self.items(test))) or self.text(test),
        )

    def entry(self, node: YamlNode | None, name: str) -> YamlNode | None:
        """Return the value of a name in a mapping, or in the mappings merged into it."""
        waiting, count = [node], 0
        while waiting and count < _MAX_MERGES:
            count += 1
            pairs = self.pairs(waiting.pop(0))
            for key, value in pairs:
                if key == name:
                    return self.resolved(value)
            for key, value in pairs:
                if key == "<<":
                    waiting += self.items(value) or [value]
        return None

    def pairs(self, node: YamlNode | None) -> list[tuple[str, YamlNode]]:
        """Return the entries of a mapping; none if the node is not one.

        Raises:
            ProfileError: The deadline has passed. Aliases can repeat a long mapping many times.
        """
        if time.monotonic() > self.deadline_s:
            raise ProfileError("the file takes too long to read")
        mapping = self.resolved(node)
        if mapping is None or mapping.kind != "mapping":
            return []
        return [(self.text(key), value) for key, value in mapping.pairs]

    def items(self, node: YamlNode | None) -> list[YamlNode]:
        """Return the items of a list; none if the node is not one."""
        found = self.resolved(node)
        return list(found.children) if found and found.kind == "list" else []

    def text(self, node: YamlNode | None) -> str:
        """Return the text of a scalar with the default values of its variables."""
        scalar = self.resolved(node)
        if scalar is None or scalar.kind != "scalar":
            return ""
        return _VARIABLE.sub(lambda match: "$" if match[0] == "$$" else match[3] or "", scalar.text)

    def resolved(self, node: YamlNode | None) -> YamlNode | None:
        """Return the node that an alias stands for, or the node itself."""
        if node is None or node.kind != "alias":
            return node
        return self.anchors.get(node.text)

    def _port(self, node: YamlNode) -> str:
        short = self.text(node)
        host, published = (self.text(self.entry(node, key)) for key in ("host_ip", "published"))
        protocol = self.text(self.entry(node, "protocol")) or short.partition("/")[2] or "tcp"
        if protocol != "tcp":
            return ""
        return (
            short.partition("/")[0] or f"{host}:{published}:{self.text(self.entry(node, 'target'))}"
        )


def _anchors(root: YamlNode | None) -> dict[str, YamlNode]:
    found, waiting = {}, [root] if root else []
    while waiting:
        node = waiting.pop()
        waiting += node.children
        if node.anchor:
            found[node.anchor] = node
    return found


def _numbers(published: str) -> range:
    """Return the ports of `8080` or `8080-8082`; none if the text is neither."""
    first, dash, last = published.partition("-")
    limits = (first, last if dash else first)
    if not all(part.isascii() and part.isdigit() and len(part) <= 5 for part in limits):
        return range(0)
    low, high = max(1, int(limits[0])), min(65535, int(limits[1]))
    return range(low, min(high, low + _MAX_PORTS - 1) + 1)
