"""Editing of profile files: keys, notation of values, templates, and changes that keep the rest."""
