"""Lines of text that more than one feature shows. No Textual.

`text` (lines, pieces, tones, wrapping, tables) and `glyphs` are what all lines are made of; `plot`
draws charts. Of a run: `run`, `matrix` (its grid), `containers`, `events`, `service_log`, `actions`
(what its state allows). Of a cell: `cell`, `stats`, `stages`, `series` (charts over time).
"""
