"""Completion in shells: `command` prints or installs the script, `names` completes names."""
