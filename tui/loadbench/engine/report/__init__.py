"""Folds of a run into data for reports, tables and screens, without columns or colours.

- `rows`: one row of numbers per cell. `repeats`, `drift`: cells measured more than once.
- `verdicts`: the verdict on a cell in its run. `evidence`: the figures behind it.
- `recommendation`: which cells meet the goals, and the best of them.
- `statistics`, `running_totals`: per request name, for finished and for running cells.
- `series`, `slices`: a cell by the second, complete or in as many points as a chart can show.
- `by_level`: latency and throughput against load. `sorting`: the order of rows.
- `highlights`: the main events since the last visit. `container_status`: the status of a container.
- `export`: files built from this data.

To add a column to the summary: add a field to `rows.Row`, its value to `rows._numbers` and its name
to the end of `rows.COLUMNS`. Add a percentile to `rows.PERCENTILES`, `rows.PERCENTILE_NAMES` and
`series.SeriesRow` instead; all tables of percentiles follow.
"""
