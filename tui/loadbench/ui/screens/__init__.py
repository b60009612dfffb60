"""One module a screen, and the dialogs that they open."""
