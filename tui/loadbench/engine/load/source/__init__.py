"""What locustfiles contain, without executing them.

`files`: the files of a profile and the folder in which Locust runs. `checks`: findings about the
files, for `validate` and `doctor`. The other modules are parts of these two.
"""
