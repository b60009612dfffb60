"""The `local` driver: broker, API and models as processes of this machine, no Docker.

They run the very code of `stack/`, each under a supervisor that ends them with the runner.
"""
