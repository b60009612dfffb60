"""Widgets shared by two or more features.

`screen` and `panel_screen` contain the base classes of screens. `line_view`, `menu`, `log_view`,
`chart` and `cell_charts` show content, and `panels` arranges it. `tabs`, `footer`,
`notification_line`, `scrollbar` and `too_small` provide the elements around it.
"""
