"""What screens are made of: they draw lines that they are given."""
