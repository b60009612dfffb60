"""Text that several screens share. No Textual.

`text` defines lines, pieces and tones, with wrapping and tables; `glyphs` defines the symbols;
`plot` draws charts. For a run: `run`, `matrix` (the grid of cells), `containers`, `events`,
`service_log` and `actions` (which commands its state allows). For a cell: `cell`, `stats`, `stages`
and `series` (charts over time).
"""
