"""A fake driver that starts nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from loadbench.engine.drivers.protocol import Leftovers, Stack
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.profile.model import Profile
from loadbench.engine.requests.preflight import Facts, Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import LoadbenchError
from loadbench.workspace import Workspace
from tests.support.fakes import FakeStack, Trap


@dataclass
class FakeDriver:
    """A driver that records its calls. If `refusal` is set, its checks raise it."""

    name: str
    refusal: LoadbenchError | None = None
    warnings: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Recorded calls, and the names of the runs whose leftovers were requested or cleared."""
    opened: list[Path] = field(default_factory=list)
    """Folders of the runs whose stacks were opened."""
    facts: Facts = field(default_factory=Facts)
    trap: Trap | None = None
    """Called when a stack is opened."""

    def preflight(self, _workspace: Workspace, _profile: Profile) -> Preflight:
        self._record("preflight")
        return Preflight(
            driver=self.name, reason=f"{self.name} works", lock=self.name, facts=self.facts
        )

    def validate(self, _workspace: Workspace, _profile: Profile) -> list[str]:
        self._record("validate")
        return self.warnings

    def open(
        self, _workspace: Workspace, _profile: Profile, folder: Path, _masker: Masker = NO_SECRETS
    ) -> Stack:
        self.opened.append(folder)
        if self.trap:
            self.trap()
        return FakeStack([])

    def leftovers(self, runs: Iterable[Run]) -> Leftovers:
        folders = [run.folder for run in runs]
        self.asked += [folder.name for folder in folders]
        return Leftovers(dict.fromkeys(folders, (f"{self.name}-1",)), (f"{self.name} is away",))

    def clear_leftovers(self, run: Run) -> str | None:
        self.asked.append(run.folder.name)
        return f"{self.name} cannot"

    def _record(self, call: str) -> None:
        self.asked.append(call)
        if self.refusal:
            raise self.refusal
