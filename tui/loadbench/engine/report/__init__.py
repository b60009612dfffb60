"""Folds of a run to data: what every report, table and screen shows, without columns or colours.

- `rows`: a row of numbers per cell. `repeats`, `drift`: cells that were measured more than once.
- `verdicts`: the verdict on a cell, with what only its run knows. `evidence`: what it rests on.
- `recommendation`: which cells meet the goals, and which is the best.
- `statistics`, `running_totals`: per request name, of a finished and of a running cell.
- `series`, `slices`: a cell by the second, in full and as many points as a chart has room for.
- `by_level`: latency and throughput against load. `sorting`: the order of rows.
- `highlights`: what happened since somebody looked. `container_status`: how a container is.
- `export`: the files that are made of these.

To add a column to the summary: a field of `rows.Row`, its number in `rows._numbers`, its name at
the end of `rows.COLUMNS`. A percentile goes into `rows.PERCENTILES` and `rows.PERCENTILE_NAMES`
instead, and into `series.SeriesRow`; all tables of percentiles follow.
"""
