"""Completion in shells.

`command` prints or installs the script, `names` completes names, and `shells` completes options
with an equals sign.
"""
