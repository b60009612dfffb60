"""One run: its sweep matrix, containers, events, and the cell under the cursor.

`screen`, `commands` (to the runner), `panels`, `matrix`, `containers`, `lines`; `add_cell` is the
dialog that adds a cell, its text is in `addition`.
"""
