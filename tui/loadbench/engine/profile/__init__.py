"""Profiles and the cells that they define.

- `model`: all keys, with their labels, descriptions and comments. `sections`: the larger
  sections. `fields`: types of values.
- `reference`: the table of keys for docs and help. `schema`: the JSON schema for editors.
- `editing`: what forms and editors need.
- `driver_settings`: the keys of `stack` that each driver supports.
- `loading`: reads a YAML file into a `Profile` and reports each error with its location.
  `error_messages`: the texts of these errors.
- `recorded`: reads a profile recorded by a run, possibly by another version of this program.
- `levels`: types of load levels. `plan`: the cells in order.
- `changes`: the digest of a profile, and the differences between two.
- `duration`: durations such as `90s`, `7m`, `1h20m`.
"""
