"""A study: the ranking of the configurations of its runs: `screen`, `lines`."""
