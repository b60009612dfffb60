"""From the state of a run to lines of text. Pure: no terminal, no Textual."""
