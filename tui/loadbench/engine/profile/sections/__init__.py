"""The sections of a profile: `base`, their base class; `stack` and `load`.

`locust_options` lists the options of Locust that `load` must not set.
"""
