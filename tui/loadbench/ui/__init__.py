"""The terminal user interface.

`app` is a table of contents: it lists the screens and what opens them. Each feature has a folder:
`profiles`, `run`, `cell`, `reports`, `log`, `preview` (what a run would do) and `catch_up` (what
happened while the user was away). In each, `screen` handles layout and keys, `panels` shows values
in widgets, and `lines` turns values into lines of text, without Textual. Features do not import
each other; a screen opens another one with a message (`messages`). `run_base` is the base of the
screens of one run.

Shared by the features: `dialogs`, `widgets`, `lines` (text and charts, no Textual), `following`
(reads a run while it grows), `catalog_feed` (reads profiles and runs in the background), `context`
(passed to every screen), `background` (work in threads), `terminal` (terminal input and output).
`show` is the entry point for the command line.

How screens are painted
-----------------------
All screens are painted in the same way. The `paint` method of a screen takes immutable values (such
as a `Run` or a `Catalog`, replaced after each change), turns them into lines, and passes these to
its panels:

    panel.show(lines)       set_title(title)       note(subtitle)

A panel compares the new lines with the old ones and redraws only the rows that differ. `paint` can
therefore be called at any time, and is cheap when nothing has changed. Only `repaint` calls it, and
`repaint` does nothing for a hidden screen. `repaint` is called:

- when a screen is resumed or resized (`BaseScreen`),
- after data has been read: by a message with the newest value (`CatalogRead`) or, for the screens
  of a run, by `WatchedRun.repaint`,
- by the timer of a live run, `refresh_hz` times a second, to update clocks and show new samples,
- immediately after a key that changes the display.

`reactive` attributes and `Static` are not used for this, because nearly everything on a screen
depends on one value, the `Run`, which is replaced every second. Watchers would have to compare its
attributes one by one, and Textual would redraw whole widgets. Because rows are compared, a live
screen sends only 0.6 KB/s (`bench/ui.py`). Reactive attributes (`var`) hold widget state that keys
change, such as the selected tab (`widgets.panels`).

Painting opens no files and takes no locks. Files are read in the background
(`background.in_background`, the follower's thread), and the values are passed to the screen.

To add a panel to a screen
--------------------------
0. Find the values. The screens of a run get a `View` (the run, see `following.follower`) and a
   `CellView` (the cell under the cursor, see `lines.cell`; `is_live` while it is being measured).
1. In `lines.py` of the feature, add a function that turns the values into lines, and its test.
2. In `panels.py`, add a `LineView(id="…", title="…")` to `compose`, and its id to its tab in
   `PANELS` and to every container around it in `PARTS`, so that a container is hidden together with
   its panels. In the method that shows the values, add
   `self.query_one("#…", LineView).show(lines)`. The Tab key reaches the panel unless
   `can_focus = False`. `reports` and `profiles` have few panels and lay them out in `screen`.
3. In `app.tcss`, set its height and when to hide it on a low screen (`-short`). Ids apply to all
   screens.
4. Run `UPDATE_SCREENS=1 .venv/bin/pytest tests/screens`. It saves each look that has changed, and
   fails once for it. Review the saved looks. If a look shows the wrong screen, a key was sent to
   the wrong place.

To add a dialog
---------------
Write a class in the folder of the feature that opens it, or in `dialogs/` if several features do;
`dialogs.help` is the shortest example. Its text comes from the feature's `lines.py`.

    class About(Dialog[None]):                       # the type of its result
        BINDINGS = [Binding("escape", "close", "close")]

        def compose_window(self):
            with Vertical() as window:
                window.border_title = "About"
                yield LineView(id="about")

        def paint(self):
            self.query_one(LineView).show(self._lines)

        def action_close(self):
            self.dismiss(None)

The action of a key opens it: `self.app.push_screen(About(lines), callback)`.
"""
