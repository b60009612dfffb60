"""Measurements beside the requests: their statistics and the metrics that screens show."""
