"""The `local` driver: processes of this machine, no Docker."""
