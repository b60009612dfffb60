"""Steps of an attempt whose length depends on the results: settle and measure."""
