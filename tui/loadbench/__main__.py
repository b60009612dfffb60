"""`python -m loadbench`: the command line."""

from loadbench.cli import main

main(prog_name="loadbench-tui")
