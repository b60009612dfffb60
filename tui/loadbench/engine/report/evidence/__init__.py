"""The evidence for a verdict: what a window was like, with the limits of the rules. Pure.

`figures` has the types; `collect` makes them of a finished cell or of the last seconds of an
attempt. A figure of the whole window has a `FigureName`; one of a container or a worker is a field
of `ContainerEvidence` or `WorkerEvidence`.
"""
