"""Access to the terminal and the desktop.

- `capabilities`: detects what the terminal supports.
- `cell_diff`: sends only changed cells to the terminal.
- `shutdown`: handles signals and a lost terminal.
- `alerts`: rings the bell and sends notifications.
- `themes`: defines the colours.
- `desktop`: opens the editor and the browser, and copies to the clipboard.
- `opener`: opens the browser, also for commands.
"""
