"""Derive data for reports, tables and the terminal UI from a run, without columns or colours.

- `rows`: one row of numbers per cell. `repeats`, `drift`: cells measured more than once.
- `verdicts`: the verdict on a cell in its run. `evidence`: the figures behind it.
- `recommendation`: how many models carry how much load.
- `statistics`, `running_totals`: per request name, for finished and for running cells.
- `series`: a run second by second. `slices`: an attempt in as many points as a chart can show.
- `metrics`: the metrics that screens show per cell, and the states of their goals. `by_level`: a
  metric against load. `sorting`: the order of rows.
- `highlights`: the main events since the user last viewed a run. `container_status`: the status of
  a container.
- `export`: files built from this data.

To add a column to the summary: add a field to `rows.Row`, its value to `rows._numbers` and its name
to the end of `rows.COLUMNS`. To add a percentile, extend `rows.PERCENTILES`,
`rows.PERCENTILE_NAMES` and `series.SeriesRow`. All percentile tables then include it.
"""
