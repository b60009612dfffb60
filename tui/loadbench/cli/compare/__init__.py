"""The command `compare`.

`command` defines it, `text` prints a comparison in the terminal, and `share` reads percentages.
"""
