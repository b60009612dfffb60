"""Proposes the keys of a first profile for a Compose project, and writes the file."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loadbench.engine.drivers.compose.deployment import deploy
from loadbench.engine.drivers.compose.first_profile.evidence import ProjectEvidence, listed
from loadbench.engine.drivers.compose.first_profile.health import guess_health
from loadbench.engine.drivers.compose.first_profile.port import guess_port
from loadbench.engine.drivers.compose.first_profile.search import (
    LOCUSTFILE_NAME,
    OVERRIDE_NAMES,
    ProjectFiles,
    text_of,
)
from loadbench.engine.drivers.compose.first_profile.service import guess_service
from loadbench.engine.drivers.compose.preflight import docker_for
from loadbench.engine.drivers.compose.project.files import ComposeFiles, read_compose_files
from loadbench.engine.drivers.compose.project.services import Role, Service
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.editing.one_line_yaml import one_line_yaml
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.schema import SCHEMA_FILE
from loadbench.engine.profile.sections.stack import StackSection
from loadbench.errors import ProfileError
from loadbench.paths import is_dir, is_file, resolved
from loadbench.printable import printable
from loadbench.workspace import Workspace, bundled_root

MODELS = (1, 2, 4)
USERS = (10, 50)
SPAWN_RATES = (10.0,)
RUN_TIME_S = 30.0

_MAX_TRIED = 5
"""Maximum number of compose files that are read."""

_GOAL = "# goals: {p95_ms: 300}"
_COMMENT_COLUMN = 34
_EXAMPLE = """\
from locust import HttpUser, task

class User(HttpUser):
    @task
    def request(self):
        self.client.get("/")"""


@dataclass(frozen=True, slots=True)
class ProposedKey:
    """A key of a first profile."""

    name: str
    """Dotted name."""
    value: str | int | float | list[str] | list[int]
    comment: str = ""

    @property
    def is_of_project(self) -> bool:
        """Whether the value was found or guessed from the files of the project."""
        return self.comment.startswith(("found: ", "guessed: "))

    @property
    def shown(self) -> str:
        """The value for people."""
        return ", ".join(map(str, self.value)) if isinstance(self.value, list) else str(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A first profile for a Compose project."""

    folder: Path
    keys: tuple[ProposedKey, ...]
    notes: tuple[str, ...]
    """What else was found, such as further locustfiles. One sentence each."""

    def text(self, name: str) -> str:
        """Return the text of the profile.

        Args:
            name: Name of the profile, for the command in its header.
        """
        lines = [
            f"# yaml-language-server: $schema={SCHEMA_FILE}",
            f"# First profile of {_one_line(self.folder.name)}. Check the values marked `guessed`.",
            "# All keys: loadbench-tui profiles --keys",
            f"#   loadbench-tui run {shlex.quote(name)}",
        ]
        section = ""
        for key in self.keys:
            prefix, _, last = key.name.rpartition(".")
            if prefix != section:
                lines += ["", f"{prefix}:"]
                section = prefix
            indent = "  " if prefix else ""
            line = f"{indent}{last}: {one_line_yaml(_escaped(key.value))}"
            comment = _one_line(key.comment)
            lines.append(f"{line:<{_COMMENT_COLUMN - 2}}  # {comment}" if comment else line)
        lines += ["", "# A goal decides the recommendation. 300 ms is an example.", _GOAL]
        return "\n".join(lines) + "\n"


def propose(workspace: Workspace, folder: Path) -> Proposal:
    """Propose a first profile for the Compose project in a folder.

    Args:
        workspace: The workspace of the profile, where relative paths start.
        folder: The folder of the project.

    Raises:
        ProfileError: The project has no compose file, locustfile or service to scale, or its
            compose files are invalid. The message states what to do.
        EngineError: Docker Compose is not installed.
    """
    root = resolved(folder)
    if not is_dir(root):
        raise ProfileError(f"{folder} is not a folder. Name the folder of a Compose project")
    found = ProjectFiles(
        root,
        skipped=(workspace.stack, workspace.reports),
        ignored_locustfile=text_of(bundled_root() / LOCUSTFILE_NAME),
    )
    if not found.compose_files:
        raise ProfileError(
            f"no compose file in {root} or its direct subfolders. Name the folder that contains "
            "compose.yaml or docker-compose.yml. To measure a service that already runs, use "
            "`stack.driver: external` (see docs/drivers.md)"
        )
    if not found.locustfiles:
        example = _EXAMPLE.replace("\n", "\n  ")
        raise ProfileError(
            f"no locustfile in {root}: no Python file in it imports locust. Write "
            f"{root / LOCUSTFILE_NAME}, such as:\n  {example}"
        )
    locustfile = text_of(found.locustfiles[0])
    errors: list[ProfileError] = []
    for file in found.compose_files[:_MAX_TRIED]:
        profile = Profile(
            models=MODELS,
            users=USERS,
            spawn_rates=SPAWN_RATES,
            run_time=RUN_TIME_S,
            stack=StackSection(driver=ComposeSettings.name, compose=(str(file),)),
        )
        try:
            files = _read(workspace, profile, file)
            return _proposal(workspace, profile, found, ProjectEvidence(files, root, locustfile))
        except ProfileError as error:
            errors.append(error)
    raise errors[0]


def health_service(evidence: ProjectEvidence, scaled: str, port: str) -> Service:
    """Return the service whose files state the health check.

    Args:
        evidence: The project.
        scaled: The service to scale. Requests to a proxy reach this service.
        port: Where requests go, as `SERVICE:PORT`.
    """
    receiver = evidence.files.services[port.rpartition(":")[0] or scaled]
    is_own = receiver.role is not Role.PROXY or receiver.config.get("build")
    return receiver if is_own else evidence.files.services[scaled]


def _read(workspace: Workspace, profile: Profile, file: Path) -> ComposeFiles:
    try:
        return read_compose_files(docker_for(workspace, profile), workspace, profile)
    except ProfileError as error:
        text = str(error).removeprefix("stack.compose: ")
        raise ProfileError(f"{file} cannot be read: {text}") from None


def _proposal(
    workspace: Workspace, profile: Profile, found: ProjectFiles, evidence: ProjectEvidence
) -> Proposal:
    settings = ComposeSettings.from_profile(profile)
    service = guess_service(evidence)
    port = guess_port(evidence, replace(settings, service=service.value, port=None))
    health = guess_health(evidence, health_service(evidence, service.value, port.value))
    compose, locustfile = evidence.files.paths[0], found.locustfiles[0]
    models, reason = _models(profile, evidence.files, service.value, port.value)
    is_named = locustfile.name == LOCUSTFILE_NAME
    in_file = "the only file that imports locust" if not found.locustfiles[1:] else "imports locust"
    return Proposal(
        folder=found.folder,
        keys=(
            ProposedKey("models", models, reason or f"replicas of {service.value}"),
            ProposedKey("users", list(USERS), "simulated users"),
            ProposedKey("spawn_rates", list(map(int, SPAWN_RATES)), "users started per second"),
            ProposedKey("run_time", f"{RUN_TIME_S:g}s", "measured time of each cell"),
            ProposedKey("stack.driver", settings.name),
            ProposedKey(
                "stack.compose",
                [_relative(compose, workspace)],
                f"found: {evidence.shown(compose)}",
            ),
            ProposedKey("stack.service", service.value, service.comment),
            ProposedKey("stack.port", port.value, port.comment),
            ProposedKey("stack.health", health.value, health.comment),
            ProposedKey(
                "load.locustfile",
                _relative(locustfile, workspace),
                f"{'found' if is_named else 'guessed'}: "
                f"{evidence.shown(locustfile) if is_named else in_file}",
            ),
        ),
        notes=tuple(_notes(found, evidence)),
    )


def _models(
    profile: Profile, files: ComposeFiles, service: str, port: str
) -> tuple[list[int], str]:
    """Return the values of `models`, and why there is only one if the service cannot be scaled."""
    stack = profile.stack.model_copy(update={"service": service, "port": port})
    named = profile.model_copy(update={"stack": stack})
    try:
        deploy(replace(files, scaled=service), named)
    except ProfileError as error:
        if "cannot be scaled" in str(error):
            reason = re.split(r"[;.] ", str(error).partition(" because ")[2])[0]
            return [1], f"guessed: {service} cannot be scaled, because {reason}"
    return list(MODELS), ""


def _notes(found: ProjectFiles, evidence: ProjectEvidence) -> Iterator[str]:
    compose = evidence.files.paths[0]
    if others := [path for path in found.compose_files if path != compose]:
        yield f"Other compose files: {_shown(others, evidence)}"
    overrides = [compose.with_name(name) for name in OVERRIDE_NAMES]
    if overrides := [path for path in overrides if is_file(path)]:
        yield (
            f"{evidence.shown(overrides[0])} is not used. If the service needs it, add it to "
            "stack.compose"
        )
    if others := list(found.locustfiles[1:]):
        yield f"Other files that import locust: {_shown(others, evidence)}"


def _shown(paths: Sequence[Path], evidence: ProjectEvidence) -> str:
    return listed(map(evidence.shown, paths))


def _relative(path: Path, workspace: Workspace) -> str:
    """Return a path relative to the workspace if it is in it or next to it, else absolute."""
    root = resolved(workspace.root)
    if path.is_relative_to(root.parent) and root.parent != Path(root.anchor):
        return os.path.relpath(path, root)
    return str(path)


def _escaped(value: object) -> object:
    """Escape what profiles would take as references to environment variables."""
    match value:
        case str():
            return value.replace("${", "$${")
        case list():
            return [_escaped(one) for one in value]
        case _:
            return value


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))
