"""Code shared by the API and the workers: settings, messages and access to the broker."""
