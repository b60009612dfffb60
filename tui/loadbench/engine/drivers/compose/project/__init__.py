"""Reads a Compose project: its services, which of them a run needs, and where requests go.

`files` reads the compose files with `docker compose config`, `services` recognises what each
service is, `dockerfile` which ports an image declares, `selection` what is not needed, `receiver`
which service receives the requests.
"""
