"""The `external` driver: a service that is running already; nothing is started, scaled or ended."""
