"""What happened in a run while it was not watched.

`absence` keeps how far the run was seen and finds what happened since, `window` shows it with the
text of `lines`, `seen` is the file in which that is kept.
"""
