"""Access to the terminal and the desktop.

`capabilities` (detect what the terminal supports), `cell_diff` (send only changed cells),
`shutdown` (signals, lost terminal), `alerts` (bell and notification), `themes` (colours),
`desktop` (editor, browser and clipboard).
"""
