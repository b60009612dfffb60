"""Reports: folds from a run's state to files. Rebuilt from the journal, they are the same."""
