"""What views may ask the engine for."""
