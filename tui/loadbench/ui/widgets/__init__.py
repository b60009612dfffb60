"""What draws lines of text on a screen, and charts.

`lines`, `menu`, `log`, `matrix`, `containers`, `cell_table` (the table of the reports screen; its
columns are those of `present.results`), `chart`, `cell_charts`; `panels`, `run_panels` and
`cell_panels` lay several of them out; `tabs`, `footer`, `scrollbar`, `too_small` stand around them.
"""
