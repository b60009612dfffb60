"""How many samples the percentiles of a profile need, and how long it takes to collect them."""
