"""Compares runs: what differs between them, and how their results differ.

`model` has the result, `compare` computes it from two runs, and `sides` finds the runs that names
stand for.
"""
