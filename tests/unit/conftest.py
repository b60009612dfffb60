"""Fixtures of the unit tests."""

from tests.support.ui_fixtures import stage, utc

__all__ = ["stage", "utc"]
