"""The worker: takes jobs from the broker and runs inference on them in batches."""
