"""Fixtures of the tests on a pseudo-terminal."""

from tests.support.ui_fixtures import opened, stage, utc

__all__ = ["opened", "stage", "utc"]
