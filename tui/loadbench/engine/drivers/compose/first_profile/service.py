"""Guesses which service of a project to scale."""

from collections.abc import Iterator

from loadbench.engine.drivers.compose.first_profile.evidence import (
    Guess,
    ProjectEvidence,
    listed,
    words,
)
from loadbench.engine.drivers.compose.project.services import Role, Service
from loadbench.errors import ProfileError

_REQUEST_NAMES = """
    api apis app application web webapp model models server servidor backend back inference predict
    prediction predictor serving service services svc core classifier
    fastapi flask django express rails spring
    """
_SUPPORT_NAMES = """
    worker workers celery beat scheduler cron migrate migrator migration migrations init setup seed
    seeder test tests tester testrunner job jobs consumer producer mail mailhog mailpit smtp smtpdev
    jaeger zipkin tempo loki promtail otel opentelemetry collector fluentd fluentbit vector mlflow
    jupyter notebook monitoring monitor monitoreo dashboard autoscaler relay exporter sentinel
    simulator docs swagger agent ollama airflow exec
    """
_PREFERRED = frozenset(_REQUEST_NAMES.split())
"""Words in names of services that handle requests."""

_AUXILIARY = frozenset(_SUPPORT_NAMES.split())
"""Words in names of services that support others."""

_MAX_REASONS = 3


def guess_service(evidence: ProjectEvidence) -> Guess:
    """Guess which service to scale: one that handles requests and that the project develops.

    Raises:
        ProfileError: The project has no service that could be scaled.
    """
    candidates = [one for one in evidence.files.services.values() if _is_candidate(one)]
    if not candidates:
        found = ", ".join(f"{one.name} ({one.role})" for one in evidence.files.services.values())
        raise ProfileError(f"no service of the project can be scaled. Its services: {found}")
    # `max` returns the first of several with the same value, in the order of the files.
    best = max(candidates, key=lambda one: _rank(one, evidence))
    others = [one.name for one in candidates if one is not best]
    if not others:
        reason = "the only service that is not a data store, proxy, tool or load generator"
        return Guess(value=best.name, source=reason, is_found=True)
    text = ", ".join(list(_reasons(best, evidence))[:_MAX_REASONS]) or "the first service"
    return Guess(value=best.name, source=f"{text}; others: {listed(others)}")


def _is_candidate(service: Service) -> bool:
    if service.role is Role.PROXY:
        # Projects also name their own services `gateway` or `router`.
        return bool(service.config.get("build")) and not _is_proxy_image(service)
    return service.role is Role.SERVICE


def _is_proxy_image(service: Service) -> bool:
    renamed = Service("", {**service.config, "command": None, "entrypoint": None})
    return renamed.role is Role.PROXY


def _rank(service: Service, evidence: ProjectEvidence) -> tuple[int, int]:
    score = 0
    for points, is_true in (
        (4, bool(service.config.get("build"))),
        (4, bool(service.ports)),
        (1, bool(service.published)),
        (3, _is_preferred(service)),
        (6, any(name == service.name for name, *_ in evidence.targets)),
        (-1, service.role is Role.PROXY),
        (-6, service.name not in evidence.enabled),
        (-6, service.is_user_interface),
        (-8, bool(words(service.name) & _AUXILIARY or words(service.program) & _AUXILIARY)),
        (-8, " celery " in f" {evidence.command(service)} "),
    ):
        score += points if is_true else 0
    return score, _dependents(service, evidence)


def _reasons(service: Service, evidence: ProjectEvidence) -> Iterator[str]:
    if any(name == service.name for name, *_ in evidence.targets):
        yield "the project's own load test uses it"
    if service.config.get("build"):
        yield "built here"
    if service.ports:
        yield "listens on a port"
    if _is_preferred(service):
        yield "its name"
    if count := _dependents(service, evidence):
        yield f"{count} {'service depends' if count == 1 else 'services depend'} on it"


def _is_preferred(service: Service) -> bool:
    found = words(service.name)
    return bool(found & _PREFERRED) or any(word.endswith("api") for word in found)


def _dependents(service: Service, evidence: ProjectEvidence) -> int:
    others = evidence.files.services.values()
    return sum(service.name in one.dependencies or one.mentions(service.name) for one in others)
