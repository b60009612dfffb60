"""Shared by the API and the workers: settings, messages and the broker."""
