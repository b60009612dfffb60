"""The latest catalog of a workspace, read in the background."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from loadbench.engine.catalog import Catalog, CatalogReader, SavedProfile
from loadbench.ui.background import in_background
from loadbench.workspace import Workspace


class CatalogFeed:
    """Read saved profiles and runs, and keep the newest catalog.

    Args:
        workspace: The workspace to read.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._reader = CatalogReader(workspace)
        self._newest = Catalog()
        self._is_reading = False

    @property
    def newest(self) -> Catalog:
        """The catalog that was read most recently."""
        return self._newest

    async def changes(self) -> AsyncIterator[Catalog]:
        """Read the workspace and yield each catalog that differs from the previous one.

        A long list of runs is read in parts, the newest runs first. Yields nothing while an
        earlier call is still reading.
        """
        if self._is_reading:
            return
        self._is_reading = True
        try:
            while (catalog := await in_background(self._reader.read)) is not None:
                self._newest = catalog
                yield catalog
                if catalog.complete:
                    return
        finally:
            self._is_reading = False

    async def read_profiles(self) -> Catalog:
        """Read the saved profiles now and return the updated catalog."""
        profiles = await in_background(self._reader.read_profiles)
        self._newest = replace(self._newest, profiles=profiles, has_profiles=True)
        return self._newest

    async def read_profile(self, file: Path) -> SavedProfile | None:
        """Read one saved profile now. Return None if the file no longer exists."""
        catalog = await self.read_profiles()
        return next((saved for saved in catalog.profiles if saved.file == file), None)
