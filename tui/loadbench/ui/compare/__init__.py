"""The comparison of two runs, with charts of both: `screen`, `panels`, `lines`."""
