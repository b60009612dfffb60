"""Widgets shared by two or more features.

`screen` and `panel_screen` are base classes of screens. `line_view`, `menu`, `log_view`, `chart`
and `cell_charts` show content, and `panels` arranges them. `tabs`, `footer`, `scrollbar` and
`too_small` frame the screen.
"""
