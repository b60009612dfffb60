"""What locustfiles contain, without executing them.

`files`: the files of a profile and the folder in which Locust runs.
"""
