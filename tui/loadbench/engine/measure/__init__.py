"""The arithmetic of a measurement. Pure: no clock, no file, no process.

- `buckets`, `stages`, `server_timing`: histograms of latency, and where the time went.
- `steady`: when a cell counts as settled.
- `conditions`: from the samples of a window to what the window was like.
- `rules`: a function per rule of the verdict. `limits`: what they compare with. `client_bound`: the
  largest of them. `verdict`: the worst that any rule says.
- `bottleneck`: what bounds a cell.

To add a rule, see `rules`; what a rule sees is put together in `report.verdicts`, and shown beside
its limit by `report.evidence`. docs/measurement.md has every formula, limit and source.
"""
