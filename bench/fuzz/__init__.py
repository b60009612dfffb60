"""Random and hostile input for everything that loadbench-tui reads; see `bench.fuzz_inputs`.

- `harness`: inputs, limits, failures and shortened reproducers. `pool`: worker processes.
- `values`: texts, numbers and damage to bytes. `workspace`: the files and the command line.
- One module per kind of input: what is generated, how it is read and what must hold afterwards.
"""
