"""The preview of a run: `screen`, `lines`, and `intention`, which builds its request."""
