"""The HTTP side of the service: takes pictures, answers with classes."""
