"""The journal of a run: `reports/<profile>/<run>/journal.jsonl` and related files.

The journal is append-only, with one JSON object per line. Its only writer holds a lock on it while
the run is live. All views and decisions are derived from a fold of its entries.

- `events`: all event types, in one file. `cells`: how cells are recorded in events.
- `codec`: converts lines to events and back. Defines the field order, the line prefixes that allow
  skipping a line without parsing it, and defaults for lines of earlier versions.
- `writer`, `reader`, `lock`: access to the file.
- `state`: the only fold, from entries to `RunState`. `samples`: the seconds of the current cell,
  with older ones merged into a `time_bucket` per ten seconds.
- `phases`: the phases of an attempt and their lengths.
- `durations`: how long cells take, measured by runs or estimated from the settings. `progress`: the
  remaining time of a live run.
- `commands`: commands from viewers to the runner.
- `service_log`: the log lines of the services of a run.

To record more, append a field with a default to its type in `events`: a line that lacks a field
without a default is skipped. docs/journal.md describes the format.
"""
