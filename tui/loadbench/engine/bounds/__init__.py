"""Limits for everything that comes from outside the program: size, nesting and time.

`parsing` guards parsers, `files` and `lines` read files and pipes, and `http` sends requests. All
other modules use these functions instead of their own limits.
"""
