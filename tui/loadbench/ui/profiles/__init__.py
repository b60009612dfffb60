"""The first screen: the saved profiles."""
