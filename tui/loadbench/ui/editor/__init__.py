"""The profile editor: `screen`, and its dialogs `template` and `conflict`."""
