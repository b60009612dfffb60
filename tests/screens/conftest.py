"""Fixtures of the screen tests."""

from tests.support.ui_fixtures import fast_catalog, looks, opened, stage, utc

__all__ = ["fast_catalog", "looks", "opened", "stage", "utc"]
