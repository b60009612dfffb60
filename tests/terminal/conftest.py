"""What the tests on a real terminal share."""

from tests.support.ui_fixtures import opened, stage, utc

__all__ = ["opened", "stage", "utc"]
