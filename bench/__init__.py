"""Measurements that anyone can repeat: `python -m bench.NAME` in the folder of the project."""
