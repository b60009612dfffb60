"""The worker: take jobs from the broker and run inference on them in batches."""
