"""Makes the picture of the README again: `make screenshot`.

Runs the demo for real, with the processes of the embedded stack, waits for its last cell to be
measured, saves what the screen then shows, and stops the run.
"""

import asyncio
import re
import tempfile
from pathlib import Path

from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import Phase
from loadbench.engine.journal.lock import is_held
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.requests.launch import RunRequest, start_runner
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.workspace import Workspace, bundled_root

PICTURE = Path(__file__).parent / "live.svg"
SIZE = (120, 40)
SECONDS_MEASURED = 12


def main() -> None:
    """Run the demo, and save the picture."""
    with tempfile.TemporaryDirectory() as reports:
        workspace = Workspace(bundled_root(), Path(reports))
        file = workspace.profiles / "demo.yaml"
        folder = start_runner(RunRequest.to_run(workspace, file, load_profile(file)))
        try:
            asyncio.run(_photograph(workspace, folder))
        finally:
            asyncio.run(_stop(folder))
    print(PICTURE)


async def _photograph(workspace: Workspace, folder: Path) -> None:
    app = LoadbenchApp(workspace, Terminal(), folder=folder)
    async with app.run_test(size=SIZE) as pilot:
        while not _is_worth_it(app.screen):
            await asyncio.sleep(0.2)
        await pilot.pause(1.5)
        # A picture that fetches its fonts is none everywhere.
        picture = re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(), flags=re.DOTALL)
        PICTURE.write_text(picture, encoding="utf-8")


def _is_worth_it(screen: object) -> bool:
    run = screen.run if isinstance(screen, RunScreen) else None
    if run is None or not run.state.current:
        return False
    last = run.state.current == list(run.state.cells)[-1]
    return last and len(run.state.samples_in(Phase.MEASURING)) >= SECONDS_MEASURED


async def _stop(folder: Path) -> None:
    send_command(folder, "stop")
    while is_held(folder):
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    main()
