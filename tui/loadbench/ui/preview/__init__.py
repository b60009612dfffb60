"""What a run would do, before it is started: `screen`, `lines`, and `intention`, its request."""
