"""The arithmetic of a measurement. Pure: no clock, no file, no process."""
