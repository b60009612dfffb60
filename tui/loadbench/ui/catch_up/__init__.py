"""Catch-up window: what a run did while the user was away.

`controller` connects a run's screen to the other modules: `state` is the state machine, `tracker`
records the position up to which the user has seen the run, `seen` stores that position in a file,
and `window` shows the text of `lines`.
"""
