"""Finds where the requests of a run go: which port of which service, or a fixed address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from urllib.parse import urlsplit

from loadbench.engine.bounds.loopback import is_loopback
from loadbench.engine.drivers.compose.project.services import Role, Service, host_ports
from loadbench.engine.drivers.requirements import LOOPBACK
from loadbench.engine.profile.driver_settings import AUTO, ComposeSettings
from loadbench.engine.profile.fields import split_service_port
from loadbench.engine.profile.target import Balance
from loadbench.errors import ProfileError

HTTP_PORTS = {"http": 80, "https": 443}

_NOT_RECEIVERS = (Role.LOAD_GENERATOR, Role.TOOL, Role.DATA_STORE)
"""Roles of services that never receive the requests unless the profile says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where requests go."""

    service: str = ""
    """The service that receives the requests. Empty if they go to a fixed address."""
    port: int = 0
    """Its port in the container."""
    scheme: str = "http"
    address: str = ""
    """The fixed base URL. Empty if the engine chooses the port on this machine."""
    like: str = ""
    """URL whose user name, password, path and name below `localhost` requests keep."""
    balance: Balance = Balance.FRONT
    reason: str = ""
    """How it was found."""


def find_receiver(
    services: Mapping[str, Service],
    settings: ComposeSettings,
    *,
    host: str | None,
    is_fixed: bool,
    is_scaled: bool,
) -> Receiver:
    """Find where the requests of a run go.

    Args:
        services: The enabled services of the project.
        settings: The settings of the profile.
        host: The address in the profile, or None.
        is_fixed: Whether requests go to `host` as it is, even if the project publishes that port.
        is_scaled: Whether a cell needs more than one replica.

    Raises:
        ProfileError: It is not found or cannot be used. The message starts with a key.
    """
    if settings.port and host and not is_fixed:
        raise ProfileError(
            f"stack.port: cannot be combined with host: {host}. Remove host, to send the requests "
            "to this port; or remove stack.port, to send them to host"
        )
    scaled = services[settings.service]
    if host:
        found = _at_host(services, host, is_fixed=is_fixed)
    elif settings.port:
        name, port = _named(services, settings.port, scaled)
        scheme = split_service_port(settings.port)[0] or "http"
        # The name for which a certificate is most likely valid.
        like = "https://localhost" if scheme == "https" else ""
        found = Receiver(
            service=name, port=port, scheme=scheme, like=like, reason="from stack.port"
        )
    else:
        left_out = [name for name in settings.without if name != scaled.name]
        found = _declared([one for one in services.values() if one.name not in left_out], scaled)
    _refuse_load_generator(services, found.service)
    if host and not is_fixed and not found.service:
        _refuse_unpublished(services, host)
    service = services.get(found.service)
    if service and service.shares_network and not is_fixed:
        raise ProfileError(
            f"stack.port: {service.name} has network_mode: {service.network_mode}, and so no port "
            "of its own. Name the port of another service, such as stack.port: api:8000"
        )
    moves = service is scaled and is_scaled
    if service and service.is_on_host_network and not found.address and not moves:
        found = replace(found, address=f"{found.scheme}://{LOOPBACK}:{found.port}")
    elif service and service is not scaled and service.replicas > 1 and not is_fixed:
        raise ProfileError(
            f"stack.port: {service.name} has {service.replicas} replicas, each with a port of its "
            f"own, and only one would get requests. Set its replicas to 1 in a further compose "
            "file, or scale it as stack.service"
        )
    return _balanced(found, settings, is_scaled=is_scaled)


def published_at(services: Mapping[str, Service], url: str) -> tuple[str, int] | None:
    """Return the service and the container port that a project publishes at a local URL, or None.

    Args:
        services: The services of the project.
        url: A URL. Only one of this machine can be published by the project.
    """
    return _publisher(services, url) if is_local(url) else None


def _publisher(services: Mapping[str, Service], url: str) -> tuple[str, int] | None:
    """Return the service and the container port that a project publishes at the port of a URL."""
    parts = urlsplit(url)
    number = parts.port or HTTP_PORTS.get(parts.scheme, 0)
    for service in services.values():
        for port in service.published:
            if number in host_ports(port):
                return service.name, int(port["target"])
    return None


def _at_host(services: Mapping[str, Service], host: str, *, is_fixed: bool) -> Receiver:
    place = _publisher(services, host) if is_fixed else published_at(services, host)
    service, port = place or ("", 0)
    if is_fixed or place is None:
        return Receiver(service=service, port=port, address=host, reason="from host")
    return Receiver(
        service=service,
        port=port,
        scheme=urlsplit(host).scheme,
        like=host,
        reason=f"host {host} is its published port",
    )


def _named(services: Mapping[str, Service], text: str, scaled: Service) -> tuple[str, int]:
    """Return the service and the port that `stack.port` names."""
    _, name, port_text = split_service_port(text)
    port = int(port_text)
    if name:
        if name not in services:
            raise ProfileError(f"stack.port: {unknown_service(name, services)}")
        return name, port
    declaring = [service.name for service in services.values() if port in service.ports]
    if scaled.name not in declaring and len(declaring) == 1:
        return declaring[0], port
    return scaled.name, port


def unknown_service(name: str, services: Mapping[str, Service]) -> str:
    """Return the message that a project has no service of a name."""
    similar = get_close_matches(name, list(services), 1)
    hint = f". Did you mean {similar[0]!r}?" if similar else ""
    listed = ", ".join(services) or "none"
    return f"no service {name!r} in the compose files (services: {listed}){hint}"


def _declared(services: Iterable[Service], scaled: Service) -> Receiver:
    """Find the only plausible port among those that the project declares."""
    others = [
        service
        for service in services
        if service is not scaled
        and service.published
        and not service.shares_network
        and service.role not in _NOT_RECEIVERS
        # A web page of the project receives other requests than its API.
        and not (scaled.ports and service.is_user_interface)
    ]
    fronts = [
        service
        for service in others
        if len(service.published_ports) == 1
        and (service.role is Role.PROXY or (len(others) == 1 and not scaled.published))
    ]
    if len(scaled.published_ports) == 1:
        # Measured directly, even if a proxy is in front of it.
        return Receiver(
            service=scaled.name,
            port=scaled.published_ports[0],
            reason="the only port that it publishes",
        )
    wide_proxies = [
        one for one in others if one.role is Role.PROXY and len(one.published_ports) > 1
    ]
    if len(fronts) == 1 and not wide_proxies:
        [front] = fronts
        role = "proxy" if front.role is Role.PROXY else "only other service with a published port"
        return Receiver(service=front.name, port=front.published_ports[0], reason=f"the {role}")
    if len(scaled.ports) == 1 and not wide_proxies:
        return Receiver(
            service=scaled.name, port=scaled.ports[0], reason="the only port that it declares"
        )
    candidates = [
        f"{service.name}:{port}"
        for service in (scaled, *others)
        for port in (service.ports if service is scaled else service.published_ports)
    ]
    if not scaled.ports and len(candidates) == 1 and not wide_proxies:
        [front] = others
        return Receiver(service=front.name, port=front.published_ports[0], reason="the only port")
    if candidates:
        raise ProfileError(
            "stack.port: required, because the compose files declare several ports. Write one of: "
            + ", ".join(f"stack.port: {place}" for place in candidates)
        )
    raise ProfileError(
        f"stack.port: required, because {scaled.name} declares no port. Write the port on which it "
        "listens in its container, such as stack.port: 8000"
    )


def _refuse_load_generator(services: Mapping[str, Service], name: str) -> None:
    if name in services and services[name].role is Role.LOAD_GENERATOR:
        raise ProfileError(
            f"stack.port: {name} is a load generator, which is not started. Name the port of the "
            "service under test, as in stack.port: api:8000"
        )


def _refuse_unpublished(services: Mapping[str, Service], host: str) -> None:
    """Refuse a local address that only another copy of the project could have."""
    on_host = any(one.is_on_host_network for one in services.values())
    if is_local(host) and not on_host:
        raise ProfileError(
            f"host: the project publishes no port at {host}, so requests would not reach the "
            "containers of the run. Remove host, and name the port in the container, as in "
            "stack.port: api:8000"
        )


def is_local(url: str) -> bool:
    """Return whether a URL is that of a port on this machine."""
    hostname = urlsplit(url).hostname
    return is_loopback(hostname) or hostname == "0.0.0.0"  # noqa: S104  # compared


def refuse_names_of_services(services: Mapping[str, Service], settings: ComposeSettings) -> None:
    """Refuse host names in health checks that are known only inside of the project's network.

    Raises:
        ProfileError: There is one. The message starts with a key.
    """
    for check in settings.health:
        name = urlsplit(check).hostname if "://" in check else None
        if name in services:
            raise ProfileError(
                f"stack.health: {check}: {name} is a service of the project, whose name this "
                "machine does not know. Write the address at which the project publishes the "
                "port, such as tcp://localhost:6379, or a path of the service under test"
            )


def _balanced(found: Receiver, settings: ComposeSettings, *, is_scaled: bool) -> Receiver:
    is_own = found.service == settings.service and not found.address
    wanted = settings.balance
    if wanted == Balance.CLIENTS and not is_own:
        place = found.address or f"{found.service}:{found.port}"
        raise ProfileError(
            f"stack.balance: clients requires that requests go to {settings.service} itself, but "
            f"they go to {place}. Set stack.port: {settings.service}:PORT, or use front"
        )
    if wanted == Balance.FRONT and is_own and is_scaled:
        raise ProfileError(
            f"stack.balance: front requires a service that distributes the requests, but they go "
            f"to {settings.service} itself. Set stack.port: SERVICE:PORT, or use clients"
        )
    chosen = (Balance.CLIENTS if is_own else Balance.FRONT) if wanted == AUTO else Balance(wanted)
    return replace(found, balance=chosen)
