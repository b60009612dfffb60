"""What a run measures, and how its requests were distributed among replicas."""
