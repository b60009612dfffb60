"""The recommendation of a run: how many models carry how much load, as data and as sentences.

A pure fold over the finished cells of a run, in layers:

- `goals`: the results of one cell against the goals of the profile.
- `loads`: one load, such as 50 users, over its spawn rates and repeats.
- `capacity`: one number of models, with the largest load that passed and the smallest that failed.
- `scaling`: throughput against the number of models, and the load from which on it does not grow.
- `next_step`: what to try next, from the bottleneck.
- `recommend`: all of the above for a run, with its doubts.
- `sentences`: the recommendation as text. `record`: as plain data for `summary.json`.
"""
