"""Docker from outside: asked, followed and inspected; no Compose."""
