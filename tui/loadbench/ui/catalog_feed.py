"""The catalog of a workspace as it was last read; reading is done in the background."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from loadbench.engine.catalog import Catalog, CatalogReader, SavedProfile
from loadbench.ui.background import in_background
from loadbench.workspace import Workspace


class CatalogFeed:
    """Reads the saved profiles and all runs, and keeps the newest result.

    Args:
        workspace: Where they are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._reader = CatalogReader(workspace)
        self._newest = Catalog()
        self._is_reading = False

    @property
    def newest(self) -> Catalog:
        """What was last read."""
        return self._newest

    async def changes(self) -> AsyncIterator[Catalog]:
        """Read all of it, and yield each catalog that differs from the one before.

        Many runs are read in several parts. Does nothing while an earlier call is reading.
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
        """Read the saved profiles again, now, and return the catalog with them."""
        profiles = await in_background(self._reader.read_profiles)
        self._newest = replace(self._newest, profiles=profiles, has_profiles=True)
        return self._newest

    async def read_profile(self, file: Path) -> SavedProfile | None:
        """Read one saved profile again, now; None: it is gone."""
        catalog = await self.read_profiles()
        return next((it for it in catalog.profiles if it.file == file), None)
