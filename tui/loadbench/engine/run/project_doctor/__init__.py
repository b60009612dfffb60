"""Checks everything that can be known about the project of a profile, without starting anything."""
