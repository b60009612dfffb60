"""How long cells take, and how much of a live run remains."""
