"""Guesses which port receives the requests."""

import re
from collections.abc import Iterator, Mapping

from loadbench.engine.drivers.compose.first_profile.evidence import Guess, ProjectEvidence
from loadbench.engine.drivers.compose.project.receiver import find_receiver
from loadbench.engine.drivers.compose.project.services import Role, Service
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.errors import ProfileError

DEFAULT_PORT = 8000
MAX_PORTS = 2**16
_USUAL = (80, 8000, 8080, 5000, 3000, 8888, 8081, 7000)
_UNUSUAL = (8001, 8002, 8089, 9090, 9091, 9100, 5555, 5678, 22)
"""Ports that often serve metrics, gRPC, a debugger or a dashboard."""

_OPTION = re.compile(
    r"(?:--(?:port|http-port|http_port|server\.port|bind|host)[= ]|(?<!\S)-[bp][= ]?)"
    r"(?:[\w.*]*:)?(\d{2,5})(?!\S)"
)
_ADDRESS = re.compile(r"(?<![\w:])(?:0\.0\.0\.0|127\.0\.0\.1|localhost|\[::\])?:(\d{2,5})(?![\d:])")
_RUNSERVER = re.compile(r"\brunserver\s+(?:[\w.]+:)?(\d{2,5})\b")
_DEFAULTS = (
    (re.compile(r"\b(?:uvicorn|gunicorn|hypercorn|daphne|runserver)\b"), 8000),
    (re.compile(r"\bfastapi\s+(?:run|dev)\b"), 8000),
    (re.compile(r"\bflask\b.*\brun\b"), 5000),
    (re.compile(r"\bstreamlit\s+run\b"), 8501),
)
"""Ports of servers that are started without one."""

_IN_SOURCES = re.compile(
    r"(?:\brun\([^\n]{0,200}?\bport\s*=\s*|\.listen\(\s*|ListenAndServe\(\s*\"[^\"\n]*:|"
    r"HTTPServer\(\s*\([^,\n]*,\s*|\.port\(|[\"']PORT[\"']\s*,\s*[\"']?|"
    r"\bPORT\b\s*(?:\|\||\?\?)\s*[\"']?)(\d{2,5})\b"
)


def guess_port(evidence: ProjectEvidence, settings: ComposeSettings) -> Guess:
    """Guess where the requests go, as `SERVICE:PORT`.

    Args:
        evidence: The project.
        settings: Settings with the service to scale and without a port.
    """
    services = evidence.enabled
    scaled = evidence.files.services[settings.service]
    try:
        found = find_receiver(
            {**services, scaled.name: scaled}, settings, host=None, is_fixed=False, is_scaled=True
        )
    except ProfileError:
        return next(_guesses(services, scaled, evidence))
    proxies = list(_proxies(services))
    if found.service == scaled.name and not scaled.published and proxies:
        return proxies[0]
    return _guess(found.service, found.port, found.reason, is_found=True)


def command_port(command: str) -> int | None:
    """Return the port on which a command listens, or None if it does not state one."""
    for pattern in (_OPTION, _RUNSERVER, _ADDRESS):
        if (match := pattern.search(command)) and is_port(match[1]):
            return int(match[1])
    return None


def is_port(text: str) -> bool:
    """Return whether a text is the number of a port."""
    return text.isascii() and text.isdigit() and 0 < int(text[:9]) < MAX_PORTS


def default_port(command: str) -> tuple[int, str] | None:
    """Return the port of a server that is started without one and its name, or None."""
    for pattern, port in _DEFAULTS:
        if match := pattern.search(command):
            return port, match[0].split()[0]
    return None


def _guesses(
    services: Mapping[str, Service], scaled: Service, evidence: ProjectEvidence
) -> Iterator[Guess]:
    """Yield guesses, the most plausible one first."""
    name = scaled.name
    command = evidence.command(scaled)
    for target, port, _ in evidence.targets:
        service = evidence.files.services[target]
        if target == name or service.role is Role.PROXY:
            yield _guess(target, port, "the project's own load test uses it")
    if not scaled.published:
        yield from _proxies(services)
    stated = command_port(command)
    if stated and (stated in scaled.ports or not scaled.ports):
        yield _guess(name, stated, "the command of the service states it", is_found=True)
    if scaled.ports:
        reason = f"the most usual of its ports {', '.join(map(str, scaled.ports))}"
        yield _guess(name, min(scaled.ports, key=_oddity), reason)
    environment = scaled.config.get("environment") or {}
    number = str(environment.get("PORT") or "")
    if is_port(number):
        yield _guess(name, int(number), "the variable PORT of the service")
    for path, text in evidence.sources(scaled):
        if (match := _IN_SOURCES.search(text)) and is_port(match[1]):
            yield _guess(name, int(match[1]), evidence.shown(path, text, match.start(1)))
    if usual := default_port(command):
        yield _guess(name, usual[0], f"the default port of {usual[1]}")
    yield _guess(name, DEFAULT_PORT, "no port is declared; check on which one it listens")


def _proxies(services: Mapping[str, Service]) -> Iterator[Guess]:
    """Yield the port of each proxy that publishes ports."""
    for service in services.values():
        if service.role is Role.PROXY and (ports := service.published_ports):
            reason = f"the most usual of the proxy's ports {', '.join(map(str, ports))}"
            yield _guess(service.name, min(ports, key=_oddity), reason)


def _guess(service: str, port: int, source: str, *, is_found: bool = False) -> Guess:
    return Guess(value=f"{service}:{port}", source=source, is_found=is_found)


def _oddity(port: int) -> int:
    """Return a low number for ports that usually serve requests, a high one for others."""
    if port in _USUAL:
        return _USUAL.index(port)
    return len(_USUAL) + (port in _UNUSUAL)
