"""One run: its sweep matrix, containers and events, and the selected cell.

Contents: `screen`, `commands` (to the runner), `panels`, `matrix`, `containers` and `lines`.
`detail` describes the selected cell below a maximised matrix.
`add_cell` is the dialog that adds a cell; `addition` has its text.
"""
