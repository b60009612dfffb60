"""Writes a first profile of a Compose project: what is found in its files, and what is guessed."""
