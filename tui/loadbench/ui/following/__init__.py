"""A run that is followed: read in a thread, and kept for all screens that show it. No Textual.

`follower` reads the journal as it grows; `watched` keeps the newest view, and what was read of
cells.
"""
