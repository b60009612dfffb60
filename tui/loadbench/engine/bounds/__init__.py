"""Limits for everything that comes from outside the program: size, nesting and time.

`parsing` guards parsers, `files` and `lines` read files and pipes, `http` sends requests, and
`relay` limits the output of commands that a library starts. `texts` cuts off long texts. All other
modules use these functions instead of their own limits.
"""
