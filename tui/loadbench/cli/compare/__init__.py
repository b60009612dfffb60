"""The command `compare`.

`command` defines it, `text` prints a comparison in the terminal, `gate` decides about regressions,
and `share` reads percentages.
"""
