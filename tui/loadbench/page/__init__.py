"""The page of a run, `summary.html`, and other forms of its report for readers elsewhere.

- `write`: writes the page of a run. `__main__` is the process that does so, because drawing charts
  takes seconds and about 100 MB.
- `content`: what a page shows, as data for the templates in `templates/`.
- `charts`: the charts of a page and how they are drawn.

A page needs no JavaScript and fetches nothing.
"""
