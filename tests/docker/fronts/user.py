"""Locustfile for the service behind nginx."""

from locust import FastHttpUser, task


class Caller(FastHttpUser):
    @task
    def work(self) -> None:
        self.client.get("/work")
