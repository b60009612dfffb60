"""Locustfile for the unbalanced project: two classes of users."""

from locust import FastHttpUser, constant, task


class Reader(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def read(self) -> None:
        self.client.get("/read")


class Writer(Reader):
    @task
    def write(self) -> None:
        self.client.get("/write")
