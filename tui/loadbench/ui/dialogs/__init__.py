"""Dialogs that several features share.

`dialog` is their base class; `question`, `name`, `palette` and `help` (its keys come from `keys`,
its text from `lines`) are the dialogs. A dialog of a single feature lives in that feature's folder.
"""
