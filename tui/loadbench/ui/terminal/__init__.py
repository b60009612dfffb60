"""What talks to the terminal and the desktop around it.

`capabilities` (what the terminal can do), `cell_diff` (only changed cells are sent), `shutdown`
(signals, a terminal that is gone), `alerts` (bell and notification), `themes` (colours), `desktop`
(the user's editor, browser and clipboard).
"""
