"""What tests, and benches, share: the only package here that others import."""
