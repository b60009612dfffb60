"""References to environment variables in the values of a profile, and secret values.

- `references`: finds and resolves `${NAME}` in a text.
- `secrets`: decides which values of a profile are secret, and masks them. `secret_names`: by name.
- `urls`: masks the secret parts of URLs.
- `resolving`: a profile as written, as resolved for a run, and as recorded.
- `overrides`: masks overrides.
- `restoring`: the secret values of a run that is resumed.
"""
