"""A form for the keys of a profile.

`state` has the entered texts and what they mean, `lines` the help; the other modules are widgets:
`editors` for single values, `field` for the rows, `form` for all of them.
"""
