"""Dialogs that several features share.

`dialog` has their base class. `question`, `name`, `palette` and `help` are the dialogs; `help` gets
its keys from `keys` and its text from `lines`. A dialog of a single feature is in the folder of
that feature.
"""
