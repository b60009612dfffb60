"""What a profile says, and the cells that it makes. Pure.

- `model`: every key, with the description that docs and help show. `fields`: the kinds of values.
- `driver_settings`: which keys of `stack` a driver takes.
- `loading`: from a YAML file to a `Profile`, with the place of every mistake.
- `recorded`: a profile as a run recorded it, perhaps by another version.
- `levels`: the load of a cell, as a type. `plan`: cells in order, and the time they take.
- `changes`: the digest of a profile, and what differs between two.
- `duration`: `90s`, `7m`, `1h20m`.
"""
