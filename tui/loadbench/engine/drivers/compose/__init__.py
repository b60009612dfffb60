"""The `compose` driver: containers, by Docker Compose."""
