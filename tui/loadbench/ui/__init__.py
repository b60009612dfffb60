"""The screens. They read journals and send commands; they have no other line to a run."""
