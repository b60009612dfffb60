"""One cell of a run alone: `screen`, `panels`, `lines`, and `evidence`, its tables of evidence."""
