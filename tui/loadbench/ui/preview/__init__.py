"""The preview of a run.

`run_form` previews a new run and can change it, `screen` previews the resumption of a run. `lines`
has their text, and `previewed_run` builds the request of a resumption.
"""
