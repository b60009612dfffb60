"""What the unit tests share."""

from tests.support.ui_fixtures import stage, utc

__all__ = ["stage", "utc"]
