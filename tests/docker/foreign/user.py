"""Locustfile for the foreign service."""

from locust import HttpUser, constant, task


class Reader(HttpUser):
    wait_time = constant(0.05)

    @task
    def read(self) -> None:
        self.client.get("/page", name="page")
