"""The label of a run: a short text by which people recognise the run."""

from typing import Annotated

from pydantic import BeforeValidator

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.hardware.values import clean_text
from loadbench.errors import UsageError

MAX_LABEL_CHARACTERS = 60


def read_label(text: str) -> str:
    """Return a label that a user entered, on one line and without control characters.

    Raises:
        UsageError: The label is too long, or it has no printable characters.
    """
    label = clean_text(text) or ""
    if len(label) > MAX_LABEL_CHARACTERS:
        raise UsageError(f"the label is too long: at most {MAX_LABEL_CHARACTERS} characters")
    if text.strip() and not label:
        raise UsageError("the label has no printable characters")
    return label


def clean_label(value: object) -> str:
    """Return a recorded label, cleaned and truncated, because any program can write a journal."""
    return shortened(clean_text(value) or "", MAX_LABEL_CHARACTERS)


Label = Annotated[str, BeforeValidator(clean_label)]
"""The type of a label in an event. An invalid label does not make the event unreadable."""
