"""The screens.

`present` says what is shown, as lines of text; `widgets` draw it; `screens` lay it out and take
keys. To change a text or a number, begin in `present`. `app` is the program, `show` the way into
it; `follow`, `watched` and `seen` know the run that is looked at; `cell_diff`, `terminal`,
`outside`, `ending`, `alerts` and `themes` know the terminal; `intentions` makes the requests to
start a run.
"""
