"""All runs, the table of cells of one run, and its charts: `screen`, `cell_table`, `lines`."""
