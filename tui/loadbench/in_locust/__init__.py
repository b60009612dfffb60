"""What runs inside Locust's process: the only code that imports locust; nobody imports it."""
