"""All runs, and the cells and charts of the selected one: `screen`, `cell_table`, `lines`."""
