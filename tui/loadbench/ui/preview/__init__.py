"""The preview of a run: `screen`, `lines`, and `previewed_run`, which builds its request."""
