"""The log of one container, with follow and search."""
