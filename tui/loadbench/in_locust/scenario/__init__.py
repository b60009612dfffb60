"""The locustfiles: how they are loaded, what is selected of them, and their mistakes.

`userfile` loads them; `options` and `arguments` pass their command-line options; `user_classes`
selects user classes by tags and keeps their hosts. `places` finds lines of the user's code,
`mistakes` describes and counts its exceptions, and `status` reports to the runner what is executed.
"""
