"""Small windows over a screen.

`dialog` is their base; `question`, `name`, `help` (its keys are found by `keys`, its text is in
`lines`), `palette`. A dialog of one feature lies in the folder of that feature.
"""
