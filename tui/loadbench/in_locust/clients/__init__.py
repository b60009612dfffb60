"""HTTP clients of the users: their connections, and what of a latency is due to the client."""
