"""Base class of the screens that open the page of a run, a study or a comparison."""

from collections.abc import Callable
from functools import partial
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
        is_written = partial(is_current, folder)
        self.open_built(folder / PAGE_NAME, partial(build_page, folder), is_written)

    def open_built(
        self,
        page: Path,
        build: Callable[[], BuiltPage],
        is_written: Callable[[], bool] = lambda: False,
    ) -> None:
        """Open a page, unless another one is being opened.

        Args:
            page: The page.
            build: Writes it. Called in the background.
            is_written: Whether it need not be written. Called in the background.
        """
        if not self._is_opening:
            self._is_opening = True
            self._open(page, build, is_written)

    def copy_page(self, folder: Path) -> None:
        """Copy the path of the page of a run or study, or of its folder if it has no page."""
        self.copy_existing(folder / PAGE_NAME, folder)

    @work
    async def copy_existing(self, page: Path, otherwise: Path) -> None:
        """Copy the path of a page, or another path if the page does not exist."""
        has_page = await in_background(is_file, page)
        desktop.copy_path(self.app, page if has_page else otherwise)

    @work
    async def _open(
        self, page: Path, build: Callable[[], BuiltPage], is_written: Callable[[], bool]
    ) -> None:
        built = BuiltPage(page)
        try:
            if not await in_background(is_written):
                self.app.notify(f"Writing {page.name}…")
                built = await in_background(build)
        except LoadbenchError as error:
            self.app.notify(str(error), severity="error")
        else:
            if built.note:
                self.app.notify(built.note)
            desktop.open_file(self.app, built.path)
        finally:
            self._is_opening = False
