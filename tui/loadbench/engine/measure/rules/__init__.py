"""The verdict rules: `registry` lists them, `case` has their input and result."""
