"""Dialogs that several features share.

`dialog` has their base class. `question`, `name`, `notifications`, `palette`
and `help` are the dialogs; the last two get their keys from `keys`, and `help` its text from
`lines`. A dialog of a single feature is in the folder of
that feature.
"""
