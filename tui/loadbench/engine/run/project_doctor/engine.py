"""Checks what a project needs of the Docker engine: images, networks, volumes."""

import os
from collections.abc import Iterator

from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.compose.preflight import creating_command, resource_exists
from loadbench.engine.drivers.docker.client import Docker
from loadbench.engine.run.doctor import Check
from loadbench.errors import EngineError

MAX_IMAGES = 30
_PROJECT_LABEL = "com.docker.compose.project"
_FORMAT = f'{{{{.Label "{_PROJECT_LABEL}"}}}}\t{{{{.Label "{_PROJECT_LABEL}.config_files"}}}}'


def engine_checks(docker: Docker, deployment: Deployment) -> Iterator[Check]:
    """Check images, external networks and volumes, and running copies of a project."""
    try:
        docker.run("version", "--format", "{{.Server.Version}}")
    except EngineError as error:
        text = f"{error}. Images, external networks and volumes were not checked"
        yield Check("problem", "engine", text)
        return
    try:
        yield from _images(docker, deployment)
        yield from _external(docker, deployment)
        yield from _copies(docker, deployment)
    except EngineError as error:
        yield Check("warning", "engine", str(error))


def _images(docker: Docker, deployment: Deployment) -> Iterator[Check]:
    files = deployment.files
    names = dict.fromkeys(files.image(name) for name in deployment.running)
    built = {files.image(name) for name in deployment.built}
    present, missing, to_build = [], [], []
    for image in list(names)[:MAX_IMAGES]:
        if resource_exists(docker, "image", image):
            present.append(image)
        elif image in built:
            to_build.append(image)
        else:
            missing.append(image)
    for text, images in (
        ("present", present),
        ("built at the start of a run", to_build),
        ("pulled at the start of a run", missing),
    ):
        if images:
            yield Check("ok", "images", f"{text}: {', '.join(images)}")


def _external(docker: Docker, deployment: Deployment) -> Iterator[Check]:
    for kind, name in deployment.external_resources:
        if resource_exists(docker, kind, name):
            yield Check("ok", kind, f"{name} exists")
        else:
            command = creating_command(kind, name)
            yield Check("problem", kind, f"{name} is external and missing. Create it: {command}")


def _copies(docker: Docker, deployment: Deployment) -> Iterator[Check]:
    """Report other Compose projects that run from the same files."""
    output = docker.run("ps", "--filter", f"label={_PROJECT_LABEL}", "--format", _FORMAT)
    own = {os.path.normpath(path) for path in deployment.files.paths}
    projects = {
        project
        for project, _, files in (line.partition("\t") for line in output.splitlines())
        if project != deployment.project and own & set(map(os.path.normpath, files.split(",")))
    }
    for project in sorted(projects):
        text = f"the project also runs as {project}, which shares this machine's CPU with a run"
        yield Check("warning", "running copy", f"{text}. A run has containers of its own")
