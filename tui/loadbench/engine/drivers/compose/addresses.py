"""Finds the addresses of a started project: of its replicas, and of their health checks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from loadbench.engine.bounds.loopback import is_below_localhost
from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.docker.inspect import ContainerInfo, published_urls
from loadbench.engine.drivers.health import health_url
from loadbench.engine.drivers.protocol import Replica
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.fields import CONTAINERS
from loadbench.engine.profile.target import Balance


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where a started project can be reached."""

    host: str
    """Base URL of the service."""
    replicas: tuple[Replica, ...]
    """The replicas among which users are distributed. Empty if all requests go to `host`."""
    health: Mapping[str, str]
    """The URLs to check, with scheme `http`, `https` or `tcp`, and the names of the containers that
    respond, if known. Empty if only the containers' own health checks count."""


def find_addresses(
    deployment: Deployment, containers: Iterable[ContainerInfo], models: int
) -> Addresses | str:
    """Return the addresses of a project, or a phrase that describes which is missing.

    Args:
        deployment: What the run has started.
        containers: The containers of the project.
        models: Number of replicas of the scaled service.
    """
    receiver, known = deployment.receiver, tuple(containers)
    is_spread = receiver.balance is Balance.CLIENTS
    replicas = tuple(
        Replica(one.name, _placed(one.url, receiver.like))
        for one in _replicas(known, receiver.service, receiver.port, receiver.scheme)
    )
    hosts = [receiver.address] if receiver.address else [one.url for one in replicas]
    if len(hosts) < (models if is_spread else 1):
        return f"{receiver.service} has not published its port yet"
    checked = hosts if is_spread else hosts[:1]
    names = {one.url: one.name for one in replicas} if not receiver.address else {}
    health: dict[str, str] = {}
    for check in ComposeSettings.from_profile(deployment.profile).health:
        place = deployment.health_place(check)
        if check == CONTAINERS:
            continue
        if place is None:
            health |= {health_url(check, host): names.get(host, "") for host in checked}
            continue
        # The files publish the health check on a port that the run has replaced.
        found = _replicas(known, *place, urlsplit(check).scheme)
        if not found:
            return f"{place[0]} has not published its port yet"
        health |= {_placed(one.url, check): one.name for one in found}
    return Addresses(
        host=hosts[0],
        replicas=replicas if is_spread else (),
        health=health,
    )


def _placed(url: str, like: str) -> str:
    """Return a URL with the user name, password, path and query of another one.

    The host name is kept, too, if it is below `localhost`, because proxies may route by it, and
    `localhost` with TLS, because a certificate may be for this name.
    """
    parts, wanted = urlsplit(url), urlsplit(like)
    place = parts.netloc
    is_certified = wanted.scheme == "https" and wanted.hostname == "localhost"
    if is_certified or is_below_localhost(wanted.hostname):
        place = f"{wanted.hostname}:{parts.port}"
    userinfo, at, _ = wanted.netloc.rpartition("@")
    return parts._replace(
        netloc=f"{userinfo}{at}{place}", path=wanted.path, query=wanted.query
    ).geturl()


def _replicas(
    containers: Iterable[ContainerInfo], service: str, port: int, scheme: str
) -> tuple[Replica, ...]:
    """Return the replicas of a service that have published a port."""
    urls = published_urls(containers, service, port, scheme)
    return tuple(Replica(name, url) for name, url in urls.items())
