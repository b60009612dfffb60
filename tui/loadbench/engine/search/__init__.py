"""The search for the capacity: which cell to measure next, from the state of a run alone.

`strategy` decides, `status` has what is known, and `eta` estimates the remaining time.
"""
