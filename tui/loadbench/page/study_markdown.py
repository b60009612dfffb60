"""A study as Markdown, for a job summary or a comment on GitHub."""

from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.engine.studies.doubts import doubts
from loadbench.engine.studies.ranked import RankedStudy
from loadbench.engine.studies.sentences import sentences
from loadbench.engine.studies.table import num_left, ranking_legend, ranking_table
from loadbench.page.markdown import cut, omitted
from loadbench.page.markdown_text import paragraph, table, text

MAX_ROWS = 100
"""Maximum number of configurations."""
MAX_SENTENCES = 20
"""Maximum number of sentences after the ranking, and of doubts."""
MAX_SENTENCE_CHARACTERS = 500


def markdown_of_study(ranked: RankedStudy) -> str:
    """Return a study as Markdown, at most as long as that of a run, with the ranking first."""
    ranking = ranked.ranking
    first, *rest = sentences(ranking)
    header, body = ranking_table(ranking)
    rows = table(header, body[:MAX_ROWS], left=num_left(header)) if body else []
    found = doubts(ranking)
    blocks = (
        [f"**{text(first)}**"],
        rows,
        omitted(len(body) - MAX_ROWS, "configuration"),
        [paragraph(filter(None, [ranking_legend(rows)]))],
        [f"- {text(one, MAX_SENTENCE_CHARACTERS)}" for one in rest[:MAX_SENTENCES]],
        omitted(len(rest) - MAX_SENTENCES, "result"),
        [f"- Doubt: {text(one, MAX_SENTENCE_CHARACTERS)}." for one in found[:MAX_SENTENCES]],
        omitted(len(found) - MAX_SENTENCES, "doubt"),
        [f"- Study: {text(ranked.study.full_name)}, see {PAGE_NAME}"],
    )
    return cut("\n\n".join("\n".join(lines) for lines in blocks if any(lines)) + "\n")
