"""Entry point of `python -m loadbench`."""

from loadbench.cli.main import main

main(prog_name="loadbench-tui")
