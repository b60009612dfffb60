"""From the state of a run to lines of text. Pure: no terminal, no Textual.

One module a subject. Of a run: `header`, `matrix` (its grid), `containers`, `event_lines`, `since`
(what happened in an absence), `said_lines` (log lines). Of a cell: `cell`, `stats`, `stages`,
`series` (charts over time), `evidence`. Of many: `profiles`, `results` (runs, the table of cells
and its columns, charts over load). Of what can be done: `actions`, `addition`, `preview`, `help`.
All are made of `lines`, `glyphs` and `plot`.
"""
