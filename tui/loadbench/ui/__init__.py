"""The screens.

`app` is a table of contents: which screens there are, and what opens them. A feature is a folder:
`profiles`, `run`, `cell`, `reports`, `log`, `preview` (what a run would do) and `catch_up` (what
happened while the user was away). In each, `screen` lays out and takes keys, `panels` shows values
in widgets, and `lines` makes lines of text, without Textual. Features do not import each other; a
screen asks for another one by a message (`messages`). `run_base` is the base of the screens of one
run.

What features share: `dialogs`, `widgets`, `lines` (text and charts, no Textual), `following`
(reading a run while it grows), `catalog_feed` (profiles and runs, read in the background),
`context` (what every screen is given), `background` (work in threads), `terminal` (what talks to
the terminal). `show` is the way in from the command line.

How screens are painted
-----------------------
There is one way. A screen has a method `paint`, which takes values (a `Run`, a `Catalog`, …:
immutable, and replaced when something has changed), makes lines of them and gives these to its
panels:

    panel.show(lines)       entitle(title)       note(subtitle)

A panel compares them with what it shows, and repaints only the rows that differ. So `paint` may be
called at any time and is cheap where nothing has changed; no caller has to know what has. It is
called by `repaint` alone, which does nothing for a screen that cannot be seen. `repaint` is called

- when a screen is resumed or resized (`BaseScreen`),
- when something has been read: by a message with the newest value (`CatalogRead`), for the screens
  of a run by `WatchedRun.repaint`,
- by a live run's timer, `refresh_hz` times a second, for clocks and for what was read meanwhile,
- at once after a key that changes what is shown.

Why not `reactive` attributes and `Static`: what is shown is nearly always a function of one value,
the `Run`, of which each second brings a new one. A watcher for each attribute would have to compare
them one by one, and Textual repaints whole widgets. With rows compared, a live screen costs
0.6 KB/s (`bench/ui.py`). Reactive attributes (`var`) are for the state of a
widget that keys change, such as the tab that is shown (`widgets.panels`).

No file is opened and no lock is taken on the way: what reads files runs in the background
(`background.in_background`, the follower's thread) and hands over a value.

To add a panel to a screen
--------------------------
0. The values: on the screens of a run they are `View` (the run, `following.follower`) and
   `CellView` (the cell under the cursor, `lines.cell`; `is_live` while it is being measured).
1. `lines.py` of the feature: a function from the values to lines of text, and a test of it.
2. `panels.py`: a `LineView(id="…", title="…")` in `compose`; in `PANELS` its tab, in `PARTS` every
   container around it, so that it is hidden where there is no room; and a line in the method that
   shows the values: `self.query_one("#…", LineView).show(lines)`. Tab stops at it, unless
   `can_focus = False`. `reports` and `profiles` have few panels, laid out in `screen`.
3. `app.tcss`: its height, and what hides it on a low screen (`-short`). Ids count on all screens.
4. `UPDATE_SCREENS=1 .venv/bin/pytest tests/screens` saves the looks that have changed, and fails
   for each: look at them. One that shows another screen means that a key went elsewhere.

To add a dialog
---------------
A class in the folder of the feature that opens it, in `dialogs/` if several do; `dialogs.help` is
the shortest example. Its text is made in the feature's `lines.py`.

    class About(Dialog[None]):                       # what it returns; None: nothing
        BINDINGS = [Binding("escape", "close", "close")]

        def compose_window(self):
            with Vertical() as window:
                window.border_title = "about"
                yield LineView(id="about")

        def paint(self):
            self.query_one(LineView).show(self._lines)

        def action_close(self):
            self.dismiss(None)

The action of a key opens it: `self.app.push_screen(About(lines), callback)`.
"""
