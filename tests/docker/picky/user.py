"""Locustfile for the picky service: one class of users with each of Locust's HTTP clients."""

from locust import FastHttpUser, HttpUser, constant, task


class Fast(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def ask(self) -> None:
        self.client.get("/fast")


class Plain(HttpUser):
    wait_time = constant(0.05)

    @task
    def ask(self) -> None:
        self.client.get("/plain")
