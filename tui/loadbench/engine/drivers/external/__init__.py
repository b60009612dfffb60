"""The `external` driver: a service that is running already."""
