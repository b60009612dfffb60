"""Catch-up window: what a run did while the user was away.

`controller` connects a run's screen to the rest: `state` is the state machine, `tracker` records
how far the run was seen, `seen` is the file for that record, `window` shows the text of `lines`.
"""
