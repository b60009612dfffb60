"""The gate of a comparison: `gate` decides, `sentences` words the decision, `junit` exports it."""
