"""`python -m loadbench`: the command line."""

from loadbench.cli.main import main

main(prog_name="loadbench-tui")
