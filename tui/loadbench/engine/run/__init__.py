"""Performing a run: the runner's own process."""
