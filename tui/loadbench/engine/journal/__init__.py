"""A run as it is written and read: `reports/<profile>/<run>/journal.jsonl` and its neighbours.

The journal is append-only, one JSON object a line, locked by its only writer for as long as the run
is performed. Everything that is shown or decided is a fold of it.

- `events`: the vocabulary, on one page. `cells`: how cells stand in it.
- `codec`: a line to an event and back; the order of the fields, the prefixes by which lines are
  skipped unread, and what lines of earlier versions lack.
- `writer`, `reader`, `lock`: the file.
- `state`: the only fold, from entries to `RunState`. `samples`: seconds of the current cell, the
  older ones as a `time_bucket` for every ten.
- `progress`: how far a run is, by the estimates of its plan.
- `commands`: the way back, from viewers to the runner.
- `service_log`: what the services of a run said.

To record something more: a field at the end of its type in `events`, with a default, since a line
that lacks a field without one is skipped unread. docs/journal.md describes the format.
"""
