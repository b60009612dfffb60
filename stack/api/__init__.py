"""The API: accepts images over HTTP and returns predictions."""
