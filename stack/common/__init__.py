"""What the API and the workers share: configuration, messages and the broker."""
