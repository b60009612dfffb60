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
There is one way. The `paint` method of a screen takes values (a `Run`, a `Catalog`, …: immutable,
and replaced after a change), turns them into lines, and passes these to its panels:

    panel.show(lines)       set_title(title)       note(subtitle)

A panel compares the new lines with the old ones and redraws only the rows that differ. `paint` can
therefore be called at any time and is cheap when nothing has changed; the caller need not know.
Only `repaint` calls it, and `repaint` does nothing for a hidden screen. `repaint` is called

- when a screen is resumed or resized (`BaseScreen`),
- after a read, by a message with the newest value (`CatalogRead`), or for the screens of a run by
  `WatchedRun.repaint`,
- by the timer of a live run, `refresh_hz` times a second, for clocks and new samples,
- immediately after a key that changes the display.

Why not `reactive` attributes and `Static`: nearly everything on a screen is a function of one
value, the `Run`, which is replaced every second. A watcher for each attribute would have to compare
them one by one, and Textual redraws whole widgets. Because rows are compared, a live screen costs
0.6 KB/s (`bench/ui.py`). Reactive attributes (`var`) hold widget state that keys change, such as
the selected tab (`widgets.panels`).

Painting opens no file and takes no lock: reading runs in the background
(`background.in_background`, the follower's thread) and passes on a value.

To add a panel to a screen
--------------------------
0. Values: the screens of a run get `View` (the run, `following.follower`) and `CellView` (the cell
   under the cursor, `lines.cell`; `is_live` while it is being measured).
1. `lines.py` of the feature: a function from the values to lines of text, and its test.
2. `panels.py`: a `LineView(id="…", title="…")` in `compose`; its tab in `PANELS`; every container
   around it in `PARTS`, so that the container is hidden together with its panels; and a line in
   the method that shows the values: `self.query_one("#…", LineView).show(lines)`. The Tab key
   reaches the panel unless `can_focus = False`. `reports` and `profiles` have few panels, laid out
   in `screen`.
3. `app.tcss`: its height, and what hides it on a low screen (`-short`). Ids apply to all screens.
4. `UPDATE_SCREENS=1 .venv/bin/pytest tests/screens` saves every look that has changed and fails
   once for each: review them. A look that shows another screen means that a key went elsewhere.

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
