"""The `external` driver: measures a service that is already running; starts and stops nothing."""
