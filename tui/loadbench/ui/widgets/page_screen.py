"""Base class of the screens that open the page of a run or study."""

from pathlib import Path

from textual import work

from loadbench.engine.requests.pages import PAGE_NAME, BuiltPage, build_page, is_current
from loadbench.errors import LoadbenchError
from loadbench.paths import is_file
from loadbench.ui.background import in_background
from loadbench.ui.terminal import desktop
from loadbench.ui.widgets.panel_screen import PanelScreen


class PageScreen(PanelScreen):
    """Base class of screens that open pages. Writing a page takes seconds."""

    _is_opening = False

    def open_page(self, folder: Path) -> None:
        """Open the page of a run or study. If it is not current, write it first.

        Args:
            folder: The folder of the run or study.
        """
        if not self._is_opening:
            self._is_opening = True
            self._open(folder)

    @work
    async def copy_page(self, folder: Path) -> None:
        """Copy the path of the page of a run or study, or of its folder if it has no page."""
        page = folder / PAGE_NAME
        has_page = await in_background(is_file, page)
        desktop.copy_path(self.app, page if has_page else folder)

    @work
    async def _open(self, folder: Path) -> None:
        page = BuiltPage(folder / PAGE_NAME)
        try:
            if not await in_background(is_current, folder):
                self.app.notify(f"Writing {PAGE_NAME}…")
                page = await in_background(build_page, folder)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            if page.note:
                self.app.notify(page.note)
            desktop.open_file(self.app, page.path)
        finally:
            self._is_opening = False
