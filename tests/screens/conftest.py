"""What the tests of the screens share."""

from tests.support.ui_fixtures import impatience, looks, opened, stage, utc

__all__ = ["impatience", "looks", "opened", "stage", "utc"]
