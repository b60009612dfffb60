"""The worker side of the service: takes jobs, runs the network on them in batches."""
