"""Finds the paths of a project that could serve as its health check."""

import re
from collections.abc import Iterator

from loadbench.engine.drivers.compose.first_profile.evidence import Guess, ProjectEvidence
from loadbench.engine.drivers.compose.project.services import Service

_URL = re.compile(r"https?://[^\s/'\"|;)\]]+(/[^\s'\"|;)\]?#\\]*)?")
_NAMES = r"health(?:z|y|check|_check|-check)?|ready(?:z)?|live(?:z)?|ping|status|up"
_ROUTE = re.compile(rf"[\"'`](/(?:[\w-]+/){{0,4}}(?:{_NAMES})/?)[\"'`]", re.IGNORECASE)
_ROOT = re.compile(r"(?:@?\bapp\.(?:get|route)|HandleFunc)\(\s*[\"']/[\"']")
_GET_ROUTE = re.compile(r"@app\.(?:get|route)\(\s*[\"'](/[\w/.-]*)[\"']([^)\n]*)")
_REQUESTED = re.compile(r"\.get\(\s*f?[\"'](/[^\"'{}?#\s%]*)[\"']")
_PLAIN = re.compile(r"/[\w.~/%-]*", re.ASCII)
"""Paths that need no escapes. Others may contain variables of a shell."""

_DOCS = re.compile(r"\bFastAPI\s*\(")
_NO_DOCS = re.compile(r"\bdocs_url\s*=\s*None")


def guess_health(evidence: ProjectEvidence, service: Service) -> Guess:
    """Guess the health check of the service that receives the requests, or that is scaled."""
    return next(health_paths(evidence, service))


def health_paths(evidence: ProjectEvidence, service: Service) -> Iterator[Guess]:
    """Yield paths that could serve as the health check, the most plausible one first."""
    test = service.config.get("healthcheck") or {}
    if path := _path_in(str(test.get("test") or "")):
        yield Guess(value=path, source=f"healthcheck of {service.name}", is_found=True)
    if path := _path_in(service.dockerfile.health):
        yield Guess(value=path, source=f"HEALTHCHECK of {service.name}", is_found=True)
    found = (match[1] for match in _REQUESTED.finditer(evidence.locustfile))
    requested = [path for path in found if _PLAIN.fullmatch(path)]
    for path in requested:
        if _ROUTE.fullmatch(f'"{path}"'):
            yield Guess(value=path, source="the locustfile requests it", is_found=True)
    yield from _routes(evidence, service)
    for path in sorted(requested, key=len):
        yield Guess(value=path, source="the locustfile requests it")
    for file, text in evidence.sources(service):
        for match in _GET_ROUTE.finditer(text):
            if "methods" not in match[2] or "GET" in match[2]:
                place = evidence.shown(file, text, match.start(1))
                yield Guess(value=match[1], source=f"route in {place}")
    yield Guess(value="/", source="no path for health checks was found")


def _routes(evidence: ProjectEvidence, service: Service) -> Iterator[Guess]:
    """Yield the paths that the sources of a service mention."""
    found: list[tuple[tuple[bool, bool, int], Guess]] = []
    rest: list[Guess] = []
    for path, text in evidence.sources(service):
        for match in _ROUTE.finditer(text):
            place = evidence.shown(path, text, match.start(1))
            guess = Guess(value=match[1], source=f"mentioned in {place}")
            # The router of a part of the project may add a prefix to the path.
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            is_part = re.search(r"router|blueprint|\bbp\b", line) is not None
            rank = (is_part, "health" not in match[1].lower(), match[1].count("/"))
            found.append((rank, guess))
        if match_root := _ROOT.search(text):
            place = evidence.shown(path, text, match_root.start())
            rest.append(Guess(value="/", source=f"route in {place}"))
        elif (docs := _DOCS.search(text)) and not _NO_DOCS.search(text):
            place = evidence.shown(path, text, docs.start())
            rest.append(Guess(value="/docs", source=f"the page of FastAPI, {place}"))
    yield from (guess for _, guess in sorted(found, key=lambda one: one[0]))
    yield from sorted(rest, key=lambda one: len(one.value))


def _path_in(command: str) -> str:
    """Return the path of the first URL in a command, or an empty string."""
    match = _URL.search(command)
    if not match:
        return ""
    path = match[1] or "/"
    return path if _PLAIN.fullmatch(path) else ""
