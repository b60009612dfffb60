"""Checks the Compose project of a profile."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.drivers.compose.client import ComposeCli
from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.compose.first_profile.evidence import ProjectEvidence
from loadbench.engine.drivers.compose.first_profile.health import health_paths
from loadbench.engine.drivers.compose.first_profile.proposal import health_service
from loadbench.engine.drivers.compose.first_profile.search import ProjectFiles
from loadbench.engine.drivers.compose.override_file import compose_override
from loadbench.engine.drivers.compose.preflight import docker_for
from loadbench.engine.drivers.compose.project.files import (
    ComposeFiles,
    is_env_file_missing,
    project_name,
    read_compose_files,
)
from loadbench.engine.drivers.compose.project.services import Service
from loadbench.engine.drivers.docker.client import Docker, DockerCommandError, compose_version
from loadbench.engine.profile.driver_settings import ComposeSettings, settings_of
from loadbench.engine.profile.editing.compose_text import ComposeText
from loadbench.engine.profile.fields import CONTAINERS, TCP
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.values.urls import mask_url
from loadbench.engine.run.doctor import Check
from loadbench.engine.run.project_doctor.engine import engine_checks
from loadbench.engine.run.project_doctor.repair import repaired
from loadbench.errors import EngineError, ProfileError, RefusedError
from loadbench.paths import exists, is_dir, is_file
from loadbench.workspace import Workspace

MAX_BYTES = 1_000_000
_CONFIG_TIMEOUT_S = 30.0
_PARSE_SECONDS = 2.0
_REMOTE = ("http://", "https://", "git@", "git://", "ssh://", "github.com/")


@dataclass(slots=True)
class ComposeChecks:
    """The checks of a Compose project, and the profile lines that would correct it."""

    workspace: Workspace
    profile: Profile
    """The profile, without references."""
    locustfile: str
    """Text of the locustfile."""
    checks: list[Check] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Check everything that can be checked."""
        if missing := self._missing_files():
            for path in missing:
                self._add("problem", "compose files", f"stack.compose: {path} is not a file")
                self.lines += self._other_files(path)
            return
        try:
            docker = docker_for(self.workspace, self.profile)
            compose_version(docker)
        except (EngineError, RefusedError) as error:
            # The value `auto`, for which there are no settings, may select another driver.
            level = "problem" if settings_of(self.profile.stack.driver) else "warning"
            self._add(level, "Docker", f"{error}. The compose files were not checked")
            return
        files = self._read(docker)
        if files is None:
            return
        paths = ", ".join(map(str, files.paths))
        count = len(files.services)
        noun = "service" if count == 1 else "services"
        self._add("ok", "compose files", f"{paths}: {count} {noun}")
        evidence = ProjectEvidence(files, project_folder(files), self.locustfile)
        found = repaired(evidence, self.profile, is_remote=docker.endpoint.is_remote)
        for problem in found.problems:
            self._add("problem", "project", problem)
        self.lines += found.lines
        if found.deployment is None:
            for message in files.messages:
                self._add("warning", "compose", message)
            for service in files.services.values():
                self._add("ok", f"service {service.name}", described(service))
            return
        if found.lines:
            self._add("ok", "project", "after the corrections below, a run would do the following")
        self._deployment(found.deployment, evidence)
        self.checks += engine_checks(docker, found.deployment)

    def _deployment(self, deployment: Deployment, evidence: ProjectEvidence) -> None:
        for name, service in deployment.files.services.items():
            text = f"{described(service)}: {decision(deployment, name)}"
            self._add("ok", f"service {name}", text)
        receiver = deployment.receiver
        place = receiver.address or f"port {receiver.port} of {receiver.service}"
        balance = f"balance: {receiver.balance}"
        self._add("ok", "target", f"{place} ({receiver.reason}), {balance}")
        if not deployment.files.is_bundled:
            self._health(deployment, evidence)
        for name in deployment.built:
            self.checks += _build(deployment.files.services[name])
        for name, service in deployment.running.items():
            self.checks += _mounts(name, service)
        self.checks += _secret_files(deployment)
        for warning in deployment.warnings():
            self._add("warning", "project", warning)
        for change in compose_override(deployment).changes:
            self._add("ok", "changed in a run", change)

    def _health(self, deployment: Deployment, evidence: ProjectEvidence) -> None:
        for health in self.profile.stack.health:
            if health.startswith("/"):
                self._health_path(health, deployment, evidence)
            elif health == CONTAINERS:
                self._add("ok", "health", "the health checks of the containers")
            else:
                is_tcp = health.lower().startswith(TCP)
                self._add("ok", "health", f"connection: {health}" if is_tcp else f"GET {health}")

    def _health_path(self, health: str, deployment: Deployment, evidence: ProjectEvidence) -> None:
        port = f"{deployment.receiver.service}:{deployment.receiver.port}"
        service = health_service(evidence, deployment.scaled, port)
        found = list(health_paths(evidence, service))
        path = health.partition("?")[0]
        # The last guess is made if nothing is found.
        *found, fallback = found
        for guess in found:
            if guess.value.rstrip("/") == path.rstrip("/"):
                self._add("ok", "health", f"GET {health} ({guess.source})")
                return
        texts = (self.locustfile, *(text for _, text in evidence.sources(service)))
        if path != fallback.value and any(path in text for text in texts):
            self._add("ok", "health", f"GET {health}")
            return
        text = f"stack.health: {health} is not mentioned in the files of the project"
        if path == fallback.value:
            text = f"stack.health: no file of the project states that {path} responds with 2xx"
        if found:
            text += f". It may be {found[0].value} ({found[0].source})"
            self.lines.append(f"stack.health: {found[0].value}")
        self._add("warning", "health", text)

    def _missing_files(self) -> list[Path]:
        settings = ComposeSettings.from_profile(self.profile)
        paths = [(self.workspace.root / path).absolute() for path in settings.compose]
        return [path for path in paths if not is_file(path)]

    def _other_files(self, missing: Path) -> list[str]:
        """Return the profile line with the compose file next to a missing one, if there is one."""
        if not is_dir(missing.parent):
            return []
        found = ProjectFiles(missing.parent, skipped=(self.workspace.stack,)).compose_files
        return [f"stack.compose: [{found[0]}]"] if found else []

    def _read(self, docker: Docker) -> ComposeFiles | None:
        """Read the compose files; without their env files, if one of them is missing."""
        try:
            return read_compose_files(docker, self.workspace, self.profile)
        except EngineError as error:
            self._add("problem", "compose files", str(error))
            return None
        except ProfileError as error:
            text = str(error).removeprefix("stack.compose: ")
        self._add("problem", "compose files", text)
        return self._read_without_env_files(docker) if is_env_file_missing(text) else None

    def _read_without_env_files(self, docker: Docker) -> ComposeFiles | None:
        settings = ComposeSettings.from_profile(self.profile)
        paths = tuple((self.workspace.root / path).absolute() for path in settings.compose)
        names = _service_names(paths)
        if not names:
            return None
        lines = [f"  {_quoted(name)}: {{env_file: !reset null}}" for name in names]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "compose.yaml"
            file.write_text("\n".join(["services:", *lines]) + "\n", encoding="utf-8")
            cli = ComposeCli(docker, project_name(paths), (*paths, file))
            try:
                config, _ = cli.config("--profile", "*", timeout_s=_CONFIG_TIMEOUT_S)
                plain, _ = cli.config(timeout_s=_CONFIG_TIMEOUT_S)
            except (DockerCommandError, EngineError):
                return None
        return ComposeFiles(
            paths=paths,
            is_bundled=False,
            scaled=settings.service,
            config=config,
            enabled=frozenset(plain.get("services") or {}),
        )

    def _add(self, level: Any, subject: str, text: str) -> None:
        self.checks.append(Check(level, subject, text))


def described(service: Service) -> str:
    """Return the role, the image or build, and the ports of a service."""
    build = service.config.get("build")
    if build:
        origin = f"built from {_build_place(build)}"
    else:
        origin = f"image {service.config.get('image') or 'unknown'}"
    published = {
        int(port["target"]): str(port.get("published") or "") for port in service.published
    }
    ports = [
        f"{port} (published at {published[port]})" if published.get(port) else str(port)
        for port in service.ports
    ]
    return f"{service.role}, {origin}, ports: {', '.join(ports) or 'none declared'}"


def decision(deployment: Deployment, name: str) -> str:
    """Return what a run does with a service."""
    for one in deployment.left_out:
        if one.service == name:
            return f"left out ({one.reason})"
    if name not in deployment.running:
        profiles = ", ".join(deployment.files.services[name].config.get("profiles") or ())
        return f"not started (Compose profile {profiles})" if profiles else "not started"
    roles = [
        text
        for text, is_true in (
            ("scaled", name == deployment.scaled),
            ("receives the requests", name == deployment.receiver.service),
        )
        if is_true
    ]
    return ", ".join(roles) or "started"


def project_folder(files: ComposeFiles) -> Path:
    """Return the folder of a project: that of its compose file and of what it builds."""
    # Compose prints paths without `..`, which those in profiles may contain.
    folder = Path(os.path.normpath(files.paths[0])).parent
    builds = (one.config.get("build") or {} for one in files.services.values())
    contexts = [str(build["context"]) for build in builds if build.get("context")]
    local = [path for path in contexts if path.startswith("/")]
    common = Path(os.path.commonpath([str(folder), *local]))
    # A compose file in docker/ builds its parent folder, but not the whole file system.
    return common if common in (folder, folder.parent) else folder


def _build(service: Service) -> Iterator[Check]:
    build: Mapping[str, Any] = service.config.get("build") or {}
    context = str(build.get("context") or "")
    subject = f"build {service.name}"
    if context.startswith(_REMOTE):
        return
    if not is_dir(context):
        yield Check("problem", subject, f"build context {context} is not a folder")
    elif not build.get("dockerfile_inline"):
        file = Path(context) / str(build.get("dockerfile") or "Dockerfile")
        if not is_file(file):
            yield Check("problem", subject, f"Dockerfile not found: {file}")


def _mounts(name: str, service: Service) -> Iterator[Check]:
    for mount in service.config.get("volumes") or ():
        source = str(mount.get("source") or "")
        if mount.get("type") == "bind" and source and not exists(source):
            text = f"{source} does not exist. Docker creates an empty folder in its place"
            yield Check("warning", f"mount {name}", text)


def _secret_files(deployment: Deployment) -> Iterator[Check]:
    """Check the files of the secrets and configs that services use, without reading them."""
    for section in ("secrets", "configs"):
        declared: Mapping[str, Any] = deployment.files.config.get(section) or {}
        used = {
            str(one.get("source"))
            for service in deployment.running.values()
            for one in service.config.get(section) or ()
        }
        for name in sorted(used):
            file = str((declared.get(name) or {}).get("file") or "")
            if file and not exists(file):
                yield Check("problem", f"{section} {name}", f"{file} does not exist. Create it")


def _build_place(build: Mapping[str, Any]) -> str:
    # A URL may contain a password.
    context = mask_url(str(build.get("context") or "."))
    dockerfile = str(build.get("dockerfile") or "Dockerfile")
    return context if dockerfile == "Dockerfile" else f"{context} ({dockerfile})"


def _service_names(paths: tuple[Path, ...]) -> list[str]:
    """Return the names of the services in compose files, as far as they can be read."""
    merged = ComposeText()
    deadline_s = time.monotonic() + _PARSE_SECONDS
    for path in paths:
        try:
            text = read_file(path, max_bytes=MAX_BYTES).decode("utf-8")
            merged = merged.with_file(text, deadline_s=deadline_s)
        except (OSError, BadInputError, UnicodeDecodeError, ProfileError):
            continue
    return [service.name for service in merged.services]


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
