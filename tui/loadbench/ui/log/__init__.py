"""The log of one container, followed and searched."""
