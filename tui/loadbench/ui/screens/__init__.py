"""The screens: what is laid out, and what keys do.

`profiles`, `run`, `cell`, `log`, `reports`; windows in front of them: `preview`, `add`, `since`,
`dialogs`, `palette`. `of_run`, `panelled` and `steady` are what several of them have in common.
"""
