"""Text in place of a recommendation."""

UNREADABLE = "This version cannot read the profile of the run, so it has no recommendation."
