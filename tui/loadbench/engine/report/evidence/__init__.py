"""The evidence for a verdict: the conditions of a window with the limits of the rules.

`figures` defines the types; `collect` builds them from a finished cell or from the last seconds of
an attempt. Figures of the whole window have a `FigureName`; figures of a container or a worker are
fields of `ContainerEvidence` or `WorkerEvidence`.
"""
