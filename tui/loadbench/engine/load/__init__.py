"""What puts users on the service: one Protocol, and Locust."""
