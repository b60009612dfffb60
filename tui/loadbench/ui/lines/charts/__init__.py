"""Charts as lines of text, without Textual.

`plot` draws charts, with the ticks of `axes`. `series` makes the charts of a cell over time, and
`by_level` those of a run over load. `sparkline` draws one series in one line of text, and `usage`
the usage of containers with it.
"""
