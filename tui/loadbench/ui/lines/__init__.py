"""Text shared by several screens, without Textual.

`text` defines lines, pieces and tones, with wrapping and tables. `glyphs` defines the symbols, and
`charts` draws charts. The text for a run is in `run`, `recommendation`, `matrix` (the grid of
cells), `metric` (its values and goals), `containers`, `events`, `service_log` and `actions` (the
actions that its state allows). The text for a cell is in `cell`, `stats` and `stages`.
"""
