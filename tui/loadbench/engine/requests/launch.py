"""Start runners. Each runner is a process in a separate session, independent of its viewers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from loadbench import errors
from loadbench.engine.profile.changes import digest_of
from loadbench.engine.profile.model import Profile
from loadbench.engine.requests.holder import Holder
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.requests.runner_process import PREVIEW, RunnerProcess
from loadbench.errors import LoadbenchError
from loadbench.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A request to start or resume a run, as plain data that can be sent to the runner.

    A request contains the profile itself, so that the run uses the previewed profile. The runner
    reads the file again only to refuse the run if the file has changed since.
    """

    workspace_root: str
    reports: str
    bundled: bool
    profile_name: str = ""
    """Name of the profile and of its folder of reports."""
    profile_file: str = ""
    """File from which the profile was loaded."""
    profile: Mapping[str, Any] = field(default_factory=dict)
    """All keys and values, with overrides applied. References are not resolved yet."""
    digest: str = ""
    """Digest of the profile, from `digest_of`."""
    overrides: tuple[str, ...] = ()
    """Overrides as `KEY=VALUE` texts."""
    label: str = ""
    """Label of a new run. Empty if it has none."""
    resume: str | None = None
    """Folder of the run to resume, which keeps its profile. None to start a new run."""
    again: tuple[str, ...] = ()
    """Keys of the cells to measure again, too. Used only with `resume`."""
    added: tuple[Mapping[str, float], ...] = ()
    """Grid points to add, each with the fields of a `Point`. Used only with `resume`."""
    wait: bool = False
    """Whether to start after the run that uses the service, instead of being refused."""

    @property
    def workspace(self) -> Workspace:
        """The workspace of the run."""
        return Workspace(Path(self.workspace_root), Path(self.reports), self.bundled)

    @classmethod
    def to_run(
        cls,
        workspace: Workspace,
        file: Path,
        profile: Profile,
        overrides: Sequence[str] = (),
        *,
        label: str = "",
        wait: bool = False,
    ) -> "RunRequest":
        """Return a request for a new run.

        Args:
            workspace: Workspace with the stack, the locustfile and the images.
            file: File from which the profile was loaded.
            profile: The profile, with overrides applied.
            overrides: Overrides as `KEY=VALUE` texts.
            label: Label of the run, from `read_label`.
            wait: Whether to start after the run that uses the service.
        """
        resolved = profile.resolved()
        return cls(
            workspace_root=str(workspace.root),
            reports=str(workspace.reports),
            bundled=workspace.bundled,
            profile_name=file.stem,
            profile_file=str(file),
            profile=resolved,
            digest=digest_of(resolved),
            overrides=tuple(overrides),
            label=label,
            wait=wait,
        )

    @classmethod
    def to_resume(
        cls,
        workspace: Workspace,
        folder: Path,
        *,
        again: Sequence[str] = (),
        added: Sequence[Mapping[str, float]] = (),
        wait: bool = False,
    ) -> "RunRequest":
        """Return a request to resume a run. Its remaining cells are measured in any case.

        Args:
            workspace: Workspace of the run.
            folder: Folder of the run.
            again: Keys of the cells to measure again, too, such as from `cells_to_retry`.
            added: Grid points to add, each with the fields of a `Point`.
            wait: Whether to start after the run that uses the service.
        """
        return cls(
            workspace_root=str(workspace.root),
            reports=str(workspace.reports),
            bundled=workspace.bundled,
            resume=str(folder),
            again=tuple(again),
            added=tuple(added),
            wait=wait,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """Preview of a run, determined by a runner process."""

    preflight: Preflight
    needed_bytes: int
    """Estimated disk space for the run."""
    free_bytes: int
    lack_of_space: str = ""
    """What the disk lacks for the run. Empty if there is enough space."""
    notes: tuple[str, ...] = ()
    """Notes about the secret values of the profile."""
    sampling: str = ""
    """How long cells must last for their percentiles. Empty if the run is resumed."""
    too_short: str = ""
    """Which cells are too short for their percentiles. Empty if none is."""
    window_s: Mapping[str, float] = field(default_factory=dict)
    """Expected length of the measurement window in seconds by cell, with `run_time: auto`."""
    holder: Holder | None = None
    """The run that uses the service now. None if the run can start immediately."""


def start_runner(request: RunRequest, runner: RunnerProcess | None = None) -> Path:
    """Start a run and return once it has started.

    Args:
        request: The request.
        runner: A runner process that waits for its request. Default: a new one.

    Returns:
        The folder of the run, with its journal.

    Raises:
        LoadbenchError: The run was refused. Nothing was started.
    """
    return Path(_ask(request, runner or RunnerProcess())["folder"])


def preview(request: RunRequest) -> RunPlan:
    """Return the preview of a run without starting it.

    Can take seconds, because the preflight contacts the Docker engine.

    Raises:
        LoadbenchError: The run would be refused.
    """
    return TypeAdapter(RunPlan).validate_python(_ask(request, RunnerProcess(PREVIEW)))


def _ask(request: RunRequest, runner: RunnerProcess) -> dict[str, Any]:
    """Send a request to a runner process and return its answer."""
    with runner:
        output = runner.ask(json.dumps(asdict(request)))
    try:
        answer: dict[str, Any] = json.loads(output.answer)
    except ValueError:
        last_line = output.log_lines[-1] if output.log_lines else "no log output"
        raise LoadbenchError(f"the runner exited before the run started: {last_line}") from None
    if "refused" in answer:
        raise _error_class(answer["refused"])(answer["message"])
    return answer


def _error_class(name: str) -> type[LoadbenchError]:
    candidate = getattr(errors, name, LoadbenchError)
    is_error = isinstance(candidate, type) and issubclass(candidate, LoadbenchError)
    return candidate if is_error else LoadbenchError
