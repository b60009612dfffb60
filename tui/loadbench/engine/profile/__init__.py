"""What a profile says, and the cells that it makes. Pure."""
