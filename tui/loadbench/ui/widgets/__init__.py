"""What two or more features have on their screens.

`screen` and `panel_screen` (base classes of screens), `line_view`, `menu`, `log_view`, `chart`,
`cell_charts`; `panels` lays several of them out; `tabs`, `footer`, `scrollbar`, `too_small` stand
around them.
"""
