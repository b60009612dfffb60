"""Check and start a run, for the screens that preview it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.screen import Screen

from loadbench.engine.requests.holder import Holder, find_holder
from loadbench.engine.requests.launch import RunPlan, RunRequest, preview, start_runner
from loadbench.engine.requests.stopping import stop_run
from loadbench.engine.run_reader import RunReader
from loadbench.errors import LoadbenchError
from loadbench.ui.background import in_background
from loadbench.ui.context import UiContext
from loadbench.ui.dialogs.question import Question
from loadbench.ui.preview.lines import holder_lines

HOLDER_S = 2.0
"""Seconds between two checks of which run uses the service."""
_ATTACH, _WAIT, _STOP = "a", "w", "x"


class RunStarter:
    """Asks the runner for the plan of a run, and starts it at most once.

    Args:
        screen: The screen that shows the preview.
        context: The context of the screen.
        changed: Called when there is something new to show.
        opened: Called with the folder of the run to show: the started one, or one attached to.
    """

    def __init__(
        self,
        screen: Screen[Any],
        context: UiContext,
        *,
        changed: Callable[[], object],
        opened: Callable[[Path], object],
    ) -> None:
        self._screen, self._context = screen, context
        self._changed, self._opened = changed, opened
        self._wanted: RunRequest | None = None
        self._checked: RunRequest | None = None
        self._is_checking = False
        self._plan: RunPlan | None = None
        self._refusal = ""
        self.is_starting = False

    @property
    def plan(self) -> RunPlan | None:
        """The plan, or None if it has not arrived yet or the run was refused."""
        return self._plan if self._is_current else None

    @property
    def refusal(self) -> str:
        """Why the run cannot start. Empty if it can, or if the answer has not arrived yet."""
        return self._refusal if self._is_current else ""

    @property
    def busy(self) -> str:
        """What the user is waiting for. Empty if nothing."""
        if self.is_starting:
            return "Starting…"
        return "" if self._is_current else "Checking which driver can run it…"

    @property
    def _is_current(self) -> bool:
        return self._checked == self._wanted

    async def check(self, request: RunRequest | None) -> None:
        """Ask for the plan of a run, one at a time, until the newest request is answered.

        Args:
            request: The request. None if it is incomplete.
        """
        self._wanted = request
        if self._is_checking:
            return
        self._is_checking = True
        while self._wanted is not None and not self._is_current:
            self._changed()
            wanted, plan, refusal = self._wanted, None, ""
            try:
                plan = await in_background(preview, wanted)
            except LoadbenchError as error:
                refusal = str(error)
            self._plan, self._refusal, self._checked = plan, refusal, wanted
        self._is_checking = False
        self._changed()

    async def look_for_holder(self) -> None:
        """Look again which run uses the service."""
        plan = self.plan
        if plan is None or self.is_starting:
            return
        reports = self._context.workspace.reports
        holder = await in_background(find_holder, plan.preflight.lock, reports)
        if plan is self._plan and holder != plan.holder:
            self._plan = replace(plan, holder=holder)
            self._changed()

    async def start(self, request: RunRequest) -> None:
        """Start a run. If another run uses the service, ask what to do about it."""
        if self.is_starting:
            return
        holder = self.plan.holder if self.plan else None
        if holder:
            self._ask(request, holder)
        else:
            await self._start(request)

    def _ask(self, request: RunRequest, holder: Holder) -> None:
        """Ask what to do about the run that uses the service."""

        def answered(answer: str | None) -> None:
            if answer == _ATTACH:
                self._opened(Path(holder.folder))
            elif answer:
                self._screen.run_worker(self._start_after(request, holder, stop=answer == _STOP))

        answers = [(_WAIT, "start after it")]
        if holder.folder:
            answers = [(_ATTACH, "attach"), *answers, (_STOP, "stop it")]
        lines = holder_lines(holder)
        title = "Another run uses the service"
        self._screen.app.push_screen(Question(title, lines, answers, safe="cancel"), answered)

    async def _start_after(self, request: RunRequest, holder: Holder, *, stop: bool) -> None:
        if stop:
            try:
                reader = RunReader(Path(holder.folder), max_samples=0)
                await in_background(lambda: stop_run(reader.poll()))
            except LoadbenchError as error:
                self._refuse(request, str(error))
                return
        await self._start(replace(request, wait=True), request)

    async def _start(self, request: RunRequest, checked: RunRequest | None = None) -> None:
        self.is_starting = True
        self._changed()
        try:
            folder = await in_background(start_runner, request)
        except LoadbenchError as error:
            if checked:
                self._refuse(checked, str(error))
            else:
                await self._refused(request, str(error))
        else:
            self._opened(folder)

    async def _refused(self, request: RunRequest, reason: str) -> None:
        """Show why a run was refused, or ask about the run that uses the service."""
        # Enter may come before the preview, which would have shown that run.
        try:
            plan = await in_background(preview, request)
        except LoadbenchError:
            plan = None
        if plan is None or plan.holder is None:
            self._refuse(request, reason)
            return
        self.is_starting = False
        self._plan, self._refusal, self._checked, self._wanted = plan, "", request, request
        self._changed()
        self._ask(request, plan.holder)

    def _refuse(self, request: RunRequest, reason: str) -> None:
        self.is_starting = False
        self._plan, self._refusal, self._checked = None, reason, request
        self._changed()
