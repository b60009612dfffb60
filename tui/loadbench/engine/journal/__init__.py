"""A run as it is written and read."""
