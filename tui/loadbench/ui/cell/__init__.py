"""The screen of one cell: `screen`, `panels`, `lines`, and `evidence` with its tables."""
